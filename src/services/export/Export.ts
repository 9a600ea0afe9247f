/**
 * What the exports of an archive into other formats have in common: what they are asked for, and what they tell.
 */
import type * as Effect from "effect/Effect"

/** Bytes of a piece of a content; the last one is shorter. */
export const PIECE = 1024 * 1024

/** Where the bytes go: a `ByteSink`, or the standard output. */
export interface Target<E> {
  /** Takes bytes, which are its own from then on, unless `isDone` says otherwise. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, E>
  /** Whether it has done with the bytes when `write` has ended: their memory is then used again. False unless given. */
  readonly isDone?: boolean | undefined
  /** Bytes of a piece of a content: `PIECE` unless given. More than that is read on a thread, while the target has others. */
  readonly piece?: number | undefined
  /** Memory of exactly `length` bytes for contents, where the target has some to use again; fresh memory otherwise. */
  readonly memory?: ((length: number) => Uint8Array) | undefined
}

export interface Options<E> {
  readonly target: Target<E>
  /** Paths and patterns of what to export (see `Selection`); everything by default. */
  readonly paths?: ReadonlyArray<Uint8Array> | undefined
  /** Told of what cannot be read and is left out. */
  readonly onUnreadable: (path: Uint8Array, message: string) => Effect.Effect<void>
  /** Called now and then. */
  readonly onProgress?: ((progress: { readonly entries: number; readonly bytes: number }) => void) | undefined
}

/** What was exported. */
export interface Report {
  readonly entries: number
  /** Bytes of contents. */
  readonly bytes: number
  /** Entries, or the rests of folders or contents, that could not be read. */
  readonly unreadable: number
  /** Paths and patterns that have selected nothing, as text. */
  readonly unmatched: ReadonlyArray<string>
  /** What the format cannot hold: how many entries have it, and what became of it. */
  readonly leftOut: ReadonlyArray<readonly [count: number, what: string]>
}
