/**
 * The keys at hand for encrypted and signed backups.
 *
 * A key file says which key it holds, so that a passphrase is asked for only where that key is wanted, and once. What
 * cannot be unlocked is told when it was needed. Neither keys nor passphrases are ever shown.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { ErrorId } from "../../domain/ErrorId.ts"
import type { DatastoreFault } from "../../domain/datastore/DatastoreFault.ts"
import * as KeyFile from "../../domain/datastore/KeyFile.ts"
import type { EncryptionKey } from "./EncryptionKey.ts"
import * as KeyUnlock from "./KeyUnlock.ts"

/** A key file that cannot be used. */
export class KeyError extends Schema.TaggedError<KeyError>()("KeyError", {
  /** Path of the key file. */
  file: Schema.String,
  /** The check of datastore §8 that failed; `Unreadable` for a file that could not be read at all. */
  check: Schema.String,
  detail: Schema.String,
}) {
  static readonly ids = {
    Invalid: "PXF-KEY-FILE",
    Passphrase: "PXF-KEY-PASSPHRASE",
    Fingerprint: "PXF-KEY-FINGERPRINT",
    Master: "PXF-KEY-MASTER",
    Unreadable: "PXF-KEY-UNREADABLE",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    const { ids } = KeyError
    if (this.check === "Unreadable") return ids.Unreadable
    if (this.check === "KeyFingerprintMismatch") return ids.Fingerprint
    if (this.check === "MasterKeyRefused") return ids.Master
    return this.check.startsWith("Passphrase") ? ids.Passphrase : ids.Invalid
  }
  override get message(): string {
    return `${this.file}: ${this.detail}`
  }
}

/** A key file as it was found. */
export interface File {
  /** For messages. */
  readonly path: string
  readonly text: string
}

/** A key file, as far as it is known without unlocking it. */
export interface Entry {
  readonly path: string
  /** Text of the fingerprint, where the file tells it or has been unlocked. */
  readonly fingerprint: string | undefined
  /** What reminds its owner of the passphrase. */
  readonly hint: string | undefined
  /** Whether it needs a passphrase. */
  readonly isProtected: boolean
  /** The key, which a passphrase may be asked for. */
  readonly key: Effect.Effect<EncryptionKey, KeyError>
}

/** Keys, locked or not. */
export interface KeyRing {
  readonly entries: ReadonlyArray<Entry>
  /** The key of a fingerprint; `undefined` if none of the files holds it. */
  readonly find: (fingerprint: string) => Effect.Effect<EncryptionKey | undefined, KeyError>
  /** All keys, in the order of the files. */
  readonly all: Effect.Effect<ReadonlyArray<EncryptionKey>, KeyError>
}

/** The keys of a program: none unless a layer says so. */
export const KeyRing: Context.Reference<KeyRing> = Context.Reference<KeyRing>("pxar-fuse/services/KeyRing", {
  defaultValue: () => empty,
})

/** Finds the passphrase of a key file, if there is one. It is called once a file. */
export type FindPassphrase = (
  path: string,
  hint: string | undefined,
) => Effect.Effect<Redacted.Redacted<string> | undefined, KeyError>

/** Reads key files. Fails with the first that is none; what is wrong with a passphrase is told when the key is wanted. */
export const make = Effect.fnUntraced(function* (
  files: ReadonlyArray<File>,
  findPassphrase: FindPassphrase = () => Effect.undefined,
): Effect.fn.Return<KeyRing, KeyError> {
  const entries = yield* Effect.forEach(files, ({ path, text }) => readFile(path, text, findPassphrase))
  return fromEntries(entries)
})

const readFile = Effect.fnUntraced(function* (
  path: string,
  text: string,
  findPassphrase: FindPassphrase,
): Effect.fn.Return<Entry, KeyError> {
  const fail = ({ check, detail }: DatastoreFault) => new KeyError({ file: path, check, detail })
  const file = yield* Effect.mapError(Effect.fromResult(KeyFile.parse(text)), fail)
  const isProtected = file.derivation._tag !== "None"
  const unlock = Effect.flatMap(isProtected ? findPassphrase(path, file.hint) : Effect.undefined, (passphrase) =>
    Effect.mapError(KeyUnlock.unlock(file, passphrase), fail),
  )
  return { path, fingerprint: file.fingerprint, hint: file.hint, isProtected, key: yield* Effect.cached(unlock) }
})

/** Keys that are there already, as those of a program that keeps them elsewhere. */
export const fromKeys = (keys: ReadonlyArray<EncryptionKey>): KeyRing =>
  fromEntries(
    keys.map((key) => ({
      path: "memory",
      fingerprint: key.fingerprint,
      hint: undefined,
      isProtected: false,
      key: Effect.succeed(key),
    })),
  )

const fromEntries = (entries: ReadonlyArray<Entry>): KeyRing => ({
  entries,
  find: Effect.fnUntraced(function* (fingerprint): Effect.fn.Return<EncryptionKey | undefined, KeyError> {
    const named = entries.find((entry) => entry.fingerprint === fingerprint)
    if (named !== undefined) return yield* named.key
    for (const entry of entries) {
      // A file may not tell its key: then only opening it does.
      if (entry.fingerprint !== undefined) continue
      const key = yield* entry.key
      if (key.fingerprint === fingerprint) return key
    }
    return undefined
  }),
  all: Effect.forEach(entries, ({ key }) => key),
})

/** No key. */
export const empty: KeyRing = fromEntries([])
