/**
 * The file of `verify --state`: digests of chunks that were found good, one a line, so that a run which was ended goes on
 * where it was. It is only ever appended to, and a line that was cut short counts for nothing.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Bytes from "../../domain/Bytes.ts"
import * as Digest from "../../domain/datastore/Digest.ts"
import * as ExitCode from "../ExitCode.ts"

export interface VerifyState {
  readonly has: (digest: Uint8Array) => boolean
  readonly add: (digest: Uint8Array) => void
}

/** Digests that are collected before they are written. */
const COLLECTED = 256

/** Opens the file, which is made if it is not there. What is collected is written when the scope closes. */
export const open = (file: string): Effect.Effect<VerifyState, ExitCode.Usage, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.try({
        try: () => {
          const fd = fs.openSync(file, "a+", 0o600)
          const done = new Set<string>()
          for (const line of fs.readFileSync(file, "latin1").split("\n")) {
            const digest = Digest.fromHex(line)
            if (digest !== undefined) done.add(Bytes.toKey(digest))
          }
          return { fd, done, collected: [] as Array<string> }
        },
        catch: (error) => new ExitCode.Usage({ detail: `${file}: cannot be used: ${(error as Error).message}` }),
      }),
      ({ collected, fd }) =>
        Effect.sync(() => {
          fs.writeSync(fd, collected.join(""))
          fs.closeSync(fd)
        }),
    ),
    ({ collected, done, fd }) => ({
      has: (digest) => done.has(Bytes.toKey(digest)),
      add: (digest) => {
        collected.push(`${Digest.toHex(digest)}\n`)
        if (collected.length < COLLECTED) return
        fs.writeSync(fd, collected.splice(0).join(""))
      },
    }),
  )
