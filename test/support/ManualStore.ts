/**
 * A store of blobs for models: from `hold` on its blobs come when the test says so, in any order, or not at all.
 */
import { Effect } from "effect"
import { BlobError, type BlobStore, fromMap } from "../../src/services/blobs/BlobStore.ts"

export interface ManualStore {
  readonly store: BlobStore
  /** Reads wait from now on. */
  readonly hold: () => void
  /** How many reads wait. */
  readonly waiting: () => number
  /** Names of the blobs that they are of. */
  readonly blobs: () => ReadonlyArray<string>
  /** Gives one of the reads that wait its blob, or a failure. Does nothing if none waits. */
  readonly answer: (choice: number, fails: boolean) => void
  /** How many reads were given a failure. */
  readonly failures: () => number
  /** Blobs are the reader's own: nothing is written to them. */
  readonly scribble: () => void
}

interface Waiting {
  readonly blob: string
  readonly resume: (effect: Effect.Effect<Uint8Array, BlobError>) => void
}

/** A store of `blobs`; what becomes of its reads is told to `story`. */
export const make = (blobs: ReadonlyMap<string, Uint8Array>, story: Array<string>): ManualStore => {
  const inner = fromMap(blobs, "model")
  const waiting: Array<Waiting> = []
  let holding = false
  let failures = 0
  return {
    store: {
      ...inner,
      read: (blob, limit) =>
        Effect.suspend(() => {
          if (!holding) return inner.read(blob, limit)
          return Effect.callback<Uint8Array, BlobError>((resume) => {
            const read: Waiting = { blob, resume }
            waiting.push(read)
            return Effect.sync(() => {
              const at = waiting.indexOf(read)
              if (at >= 0) waiting.splice(at, 1)
            })
          })
        }),
    },
    hold: () => {
      holding = true
    },
    waiting: () => waiting.length,
    blobs: () => waiting.map(({ blob }) => blob),
    answer: (choice, fails) => {
      const [read] = waiting.length === 0 ? [] : waiting.splice(choice % waiting.length, 1)
      if (read === undefined) return
      story.push(`the blob ${read.blob.slice(-8)} ${fails ? "cannot be read" : "comes"}`)
      if (!fails) return read.resume(inner.read(read.blob, Infinity))
      failures++
      const detail = { reason: "Failed", detail: "injected", isTransient: false } as const
      read.resume(Effect.fail(new BlobError({ store: "model", blob: read.blob, ...detail })))
    },
    failures: () => failures,
    scribble: () => undefined,
  }
}
