/**
 * The keys of a server: those of key files that need no passphrase or whose passphrase was given, and those that are
 * unlocked from the page. They are in memory, for as long as the process is there.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { ServerJson } from "../domain/json/WebJson.ts"
import type { EncryptionKey } from "../services/keys/EncryptionKey.ts"
import * as KeyRing from "../services/keys/KeyRing.ts"

export interface WebKeys {
  /** For repositories: it has keys when they are unlocked, and none that is locked. */
  readonly ring: KeyRing.KeyRing
  readonly list: () => ServerJson["keys"]
  /** Unlocks what a passphrase opens, of the files at hand or of one more; how many keys that are. */
  readonly unlock: (passphrase: string, keyFile?: string) => Effect.Effect<number, KeyRing.KeyError>
}

/** `told`: what tells the passphrases of the files, where there is something; else they are locked until somebody does. */
export const make = Effect.fnUntraced(function* (
  files: ReadonlyArray<KeyRing.File>,
  told: KeyRing.FindPassphrase | undefined,
): Effect.fn.Return<WebKeys, KeyRing.KeyError> {
  const { entries } = yield* KeyRing.make(files, told)
  const unlocked = new Map<string, EncryptionKey>()
  const locked = new Map(
    told === undefined
      ? entries.flatMap((entry) => {
          const file = files.find(({ path }) => path === entry.path)
          return entry.isProtected && file !== undefined ? [[file.path, file] as const] : []
        })
      : [],
  )
  const usable = entries.filter(({ path }) => !locked.has(path))

  const ring: KeyRing.KeyRing = {
    entries: usable,
    find: Effect.fnUntraced(function* (fingerprint): Effect.fn.Return<EncryptionKey | undefined, KeyRing.KeyError> {
      const known = unlocked.get(fingerprint)
      if (known !== undefined) return known
      for (const entry of usable) {
        if (entry.fingerprint !== undefined && entry.fingerprint !== fingerprint) continue
        const key = yield* entry.key
        if (key.fingerprint === fingerprint) return key
      }
      return undefined
    }),
    all: Effect.suspend(() =>
      Effect.map(
        Effect.forEach(usable, ({ key }) => key),
        (keys) => [...keys, ...unlocked.values()],
      ),
    ),
  }

  return {
    ring,
    list: () =>
      entries.map(({ hint, path }) =>
        hint === undefined ? { path, locked: locked.has(path) } : { path, hint, locked: locked.has(path) },
      ),
    unlock: Effect.fnUntraced(function* (passphrase, keyFile) {
      const wanted = keyFile === undefined ? [...locked.values()] : [{ path: "the key file", text: keyFile }]
      let count = 0
      let failure: KeyRing.KeyError | undefined
      for (const file of wanted) {
        const opened = yield* Effect.result(
          Effect.flatMap(
            KeyRing.make([file], () => Effect.succeed(Redacted.make(passphrase))),
            ({ all }) => all,
          ),
        )
        if (opened._tag === "Failure") {
          failure ??= opened.failure
          continue
        }
        for (const key of opened.success) unlocked.set(key.fingerprint, key)
        locked.delete(file.path)
        count++
      }
      return count === 0 && failure !== undefined ? yield* failure : count
    }),
  }
})
