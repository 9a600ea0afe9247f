/**
 * A key that backups are encrypted and signed with (datastore §5.3): decrypts, makes keyed digests, checks signatures, and
 * tells its fingerprint. Its bytes can be had from nowhere: not printed, not serialised.
 */
import * as crypto from "node:crypto"
import * as util from "node:util"
import * as Effect from "effect/Effect"
import { type DatastoreFault, fault } from "../../domain/datastore/DatastoreFault.ts"
import * as Digest from "../../domain/datastore/Digest.ts"
import type { Manifest } from "../../domain/datastore/Manifest.ts"
import { sha256 } from "./Sha256.ts"
import * as OwnMemory from "../bytes/OwnMemory.ts"
import { once } from "../posix/Once.ts"

/** Bytes of a key. */
export const SIZE = 32

const fingerprintInput = once(() =>
  crypto.createHash("sha256").update("Proxmox Backup Encryption Key Fingerprint").digest(),
)

/** A key: compare keys by their fingerprints. */
export class EncryptionKey {
  readonly #encryption: Promise<crypto.webcrypto.CryptoKey>
  readonly #bytes: Uint8Array
  readonly #id: Uint8Array
  /** Text of the fingerprint: 32 pairs of digits joined by colons. */
  readonly fingerprint: string

  private constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes
    this.#encryption = crypto.webcrypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"])
    this.#id = crypto.pbkdf2Sync(bytes, "_id_key", 10, SIZE, "sha256")
    this.fingerprint = Digest.toFingerprint(
      crypto.createHash("sha256").update(fingerprintInput()).update(this.#id).digest(),
    )
  }

  /** The key of these 32 bytes, of which a copy is kept. */
  static fromBytes(bytes: Uint8Array): EncryptionKey {
    return new EncryptionKey(Uint8Array.from(bytes))
  }

  /** Decrypts with AES-256-GCM. Fails with `DecryptFailed` if the tag does not fit. */
  decrypt(iv: Uint8Array, tag: Uint8Array, body: Uint8Array): Effect.Effect<Uint8Array, DatastoreFault> {
    return Effect.tryPromise({
      try: async () => {
        // Web Crypto wants the tag behind the body.
        const joined = OwnMemory.allocate(body.length + tag.length)
        joined.set(body)
        joined.set(tag, body.length)
        const parameters = { name: "AES-GCM", iv: Uint8Array.from(iv), tagLength: 8 * tag.length }
        const decrypted = await crypto.webcrypto.subtle.decrypt(parameters, await this.#encryption, joined)
        OwnMemory.free(joined)
        return OwnMemory.adopt(new Uint8Array(decrypted))
      },
      catch: () =>
        fault("DecryptFailed", `cannot be decrypted with the key ${this.shortFingerprint}: another key's, or changed`),
    })
  }

  /** Encrypts with AES-256-GCM: body and tag. For tests and for writing chunks anew. */
  encrypt(iv: Uint8Array, content: Uint8Array): { readonly body: Uint8Array; readonly tag: Uint8Array } {
    const cipher = crypto.createCipheriv("aes-256-gcm", this.#bytes, iv)
    const body = Buffer.concat([cipher.update(content), cipher.final()])
    return { body, tag: cipher.getAuthTag() }
  }

  /** The digest of a chunk's content, which has the key in it (datastore §2.4). */
  digest(content: Uint8Array): Effect.Effect<Uint8Array> {
    return Effect.suspend(() => {
      const joined = OwnMemory.allocate(content.length + SIZE)
      joined.set(content)
      joined.set(this.#id, content.length)
      return Effect.tap(sha256(joined), () => Effect.sync(() => OwnMemory.free(joined)))
    })
  }

  /** HMAC-SHA-256 over a text, 32 bytes. */
  sign(text: string): Uint8Array {
    return crypto.createHmac("sha256", this.#id).update(text).digest()
  }

  /** Whether the signature of a manifest is this key's; `undefined` if it has none (datastore §4.4). */
  verify({ signature, signed }: Manifest): boolean | undefined {
    if (signature === undefined) return undefined
    return signed.some((text) => crypto.timingSafeEqual(this.sign(text), signature))
  }

  /** The first 8 bytes of the fingerprint. */
  get shortFingerprint(): string {
    return Digest.shortFingerprint(this.fingerprint)
  }

  /** The fingerprint alone. */
  toJSON(): unknown {
    return { fingerprint: this.fingerprint }
  }

  /** The fingerprint alone. */
  [util.inspect.custom](): string {
    return `EncryptionKey(${this.shortFingerprint})`
  }
}
