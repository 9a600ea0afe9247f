/**
 * SHA-256 on a thread of Node's pool: 16 MiB take 10 ms, which no request should wait for.
 */
import * as crypto from "node:crypto"
import * as Effect from "effect/Effect"

/** The digest of `bytes`, 32 bytes. */
export const sha256 = (bytes: Uint8Array): Effect.Effect<Uint8Array> =>
  // The type says that the memory is not shared between threads: none is here.
  Effect.promise(
    async () => new Uint8Array(await crypto.webcrypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)),
  )
