/**
 * Recovers the key that a key file protects (datastore §5.2), or that a master key wraps (datastore §5.5).
 *
 * Deriving a key takes long on purpose; it is done on a thread. What a file may ask for is bounded by `KeyFile`.
 */
import * as crypto from "node:crypto"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type DatastoreFault, fault } from "../../domain/datastore/DatastoreFault.ts"
import * as KeyFile from "../../domain/datastore/KeyFile.ts"
import * as EncryptionKey from "./EncryptionKey.ts"

/**
 * The key in a file. Fails with `PassphraseTooShort`, `PassphraseWrong` (with the file's hint), or `KeyFingerprintMismatch`
 * if it is not the key that the file says it is. A file without protection needs no passphrase.
 */
export const unlock = Effect.fnUntraced(function* (
  file: KeyFile.KeyFile,
  passphrase: Redacted.Redacted<string> | undefined,
): Effect.fn.Return<EncryptionKey.EncryptionKey, DatastoreFault> {
  const bytes = file.derivation._tag === "None" ? file.data : yield* decrypt(file, passphrase)
  const key = EncryptionKey.EncryptionKey.fromBytes(bytes)
  if (file.fingerprint === undefined || file.fingerprint === key.fingerprint) return key
  return yield* Effect.fail(
    fault("KeyFingerprintMismatch", `holds the key ${key.shortFingerprint}, but says that it is ${file.fingerprint}`),
  )
})

const decrypt = Effect.fnUntraced(function* (
  file: KeyFile.KeyFile,
  passphrase: Redacted.Redacted<string> | undefined,
): Effect.fn.Return<Uint8Array, DatastoreFault> {
  const secret = Buffer.from(passphrase === undefined ? "" : Redacted.value(passphrase), "utf8")
  if (secret.length < KeyFile.MIN_PASSPHRASE) {
    const detail =
      passphrase === undefined
        ? "is protected by a passphrase, which was not given (--key-password-file, --key-password-command or PBS_ENCRYPTION_PASSWORD)"
        : `has a passphrase of at least ${KeyFile.MIN_PASSPHRASE} bytes; the one given has ${secret.length}`
    return yield* Effect.fail(fault("PassphraseTooShort", withHint(detail, file)))
  }
  const derived = yield* derive(file.derivation, secret)
  const cipher = crypto.createDecipheriv("aes-256-gcm", derived, file.data.subarray(0, 16), { authTagLength: 16 })
  cipher.setAuthTag(file.data.subarray(16, 32))
  const bytes = cipher.update(file.data.subarray(32))
  try {
    cipher.final()
  } catch {
    return yield* Effect.fail(
      fault("PassphraseWrong", withHint("cannot be unlocked: the passphrase is wrong, or the file damaged", file)),
    )
  }
  return bytes
})

const withHint = (detail: string, { hint }: KeyFile.KeyFile): string =>
  hint === undefined ? detail : `${detail}; its hint is: ${hint}`

const derive = (derivation: KeyFile.Derivation, secret: Uint8Array): Effect.Effect<Uint8Array, DatastoreFault> =>
  Effect.callback<Uint8Array, DatastoreFault>((resume) => {
    const done = (error: Error | null, derived: Uint8Array): void =>
      resume(
        error === null
          ? Effect.succeed(derived)
          : Effect.fail(fault("KeyFileInvalid", `asks for a key derivation that is not possible: ${error.message}`)),
      )
    try {
      if (derivation._tag === "Scrypt") {
        const { n, p, r, salt } = derivation
        // Somewhat more than what the algorithm itself needs.
        crypto.scrypt(secret, salt, EncryptionKey.SIZE, { N: n, r, p, maxmem: 2 * KeyFile.MAX_MEMORY }, done)
      } else if (derivation._tag === "Pbkdf2") {
        crypto.pbkdf2(secret, derivation.salt, derivation.iterations, EncryptionKey.SIZE, "sha256", done)
      } else done(null, secret)
    } catch (error) {
      done(error as Error, secret)
    }
  })

/** What unwraps a key: an RSA private key as PEM text. */
export interface MasterKey {
  readonly pem: string
  readonly passphrase: Redacted.Redacted<string> | undefined
}

/** A key file that was wrapped. */
export interface Unwrapped {
  readonly file: KeyFile.KeyFile
  /** As it was wrapped: what a key file has in it. It is a secret. */
  readonly text: string
}

/**
 * The key file in the content of `rsa-encrypted.key.blob`. Fails with `MasterKeyRefused` if the private key cannot be
 * used, or if this Node refuses its padding; `KeyFileInvalid` if it is another private key's.
 */
export const unwrap = (wrapped: Uint8Array, master: MasterKey): Effect.Effect<Unwrapped, DatastoreFault> =>
  Effect.suspend(() => {
    try {
      const key = crypto.createPrivateKey({
        key: master.pem,
        ...(master.passphrase === undefined ? {} : { passphrase: Redacted.value(master.passphrase) }),
      })
      const padding = crypto.constants.RSA_PKCS1_PADDING
      const text = crypto.privateDecrypt({ key, padding }, wrapped).toString("utf8")
      return Effect.mapBoth(Effect.fromResult(KeyFile.parse(text)), {
        // OpenSSL makes up bytes, rather than tell an attacker that they are not the right ones.
        onFailure: () =>
          fault("KeyFileInvalid", "unwraps no key: that of the backup was wrapped for another master key"),
        onSuccess: (file) => ({ file, text }),
      })
    } catch (error) {
      return Effect.fail(fault("MasterKeyRefused", refusal(error as Error, master)))
    }
  })

/** Whether a private key wants a passphrase. */
export const isLocked = (pem: string): boolean => pem.includes("ENCRYPTED")

const refusal = ({ message }: Error, { passphrase, pem }: MasterKey): string =>
  message.includes("RSA_PKCS1_PADDING")
    ? `this Node.js (${process.version}) refuses PKCS#1 v1.5 padding, with which the reference client wraps keys: use Node.js 24 or later`
    : passphrase === undefined && isLocked(pem)
      ? "the master key is protected by a passphrase, which was not given"
      : "the master key cannot be used: its passphrase is wrong, it is no RSA private key, or the backup's key was wrapped for another"
