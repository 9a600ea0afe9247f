/**
 * What the thread of an index is asked, and what it says.
 */
import type * as Query from "../tree/Query.ts"
import type { Left, Place, Row, Totals } from "./IndexReader.ts"
import type { Added } from "./IndexWriter.ts"

/** What a thread is started with. */
export interface Start {
  readonly file: string
  readonly use: "write" | "read"
  /** Is 1 when an answer to `Wanted` has been sent. */
  readonly answered: Int32Array
  /** Where contents of chunks are put for the thread: shared, so that nothing is left behind of any. */
  readonly content: Uint8Array
}

/** An archive to be put in: its chunks are asked for with `Wanted`. */
export interface Add {
  readonly _tag: "Add"
  readonly checksum: Uint8Array
  readonly chain: string
  /** Entries of its index. */
  readonly entries: Uint8Array
  readonly encrypted: boolean
}

/** A question, or something to be done. */
export type Request =
  | Add
  | { readonly _tag: "Places"; readonly checksums: ReadonlyArray<Uint8Array> }
  | { readonly _tag: "Totals" }
  | {
      readonly _tag: "Find"
      readonly query: Query.Query
      readonly chain: number
      readonly numbers: ReadonlyArray<number>
      readonly limit: number
    }
  | { readonly _tag: "Versions"; readonly chain: number; readonly path: ReadonlyArray<Uint8Array> }
  | {
      readonly _tag: "Below"
      readonly chain: number
      readonly path: ReadonlyArray<Uint8Array>
      readonly numbers: ReadonlyArray<number>
    }
  | { readonly _tag: "Close" }

/** Rows, with the looks among them that were not sent before. */
export interface Found {
  readonly rows: ReadonlyArray<Row>
  readonly looks: ReadonlyArray<readonly [id: number, bytes: Uint8Array]>
}

/** What each is answered with. */
export interface Answers {
  readonly Add: Added
  readonly Places: ReadonlyArray<Place | Left | undefined>
  readonly Totals: Totals
  readonly Find: Found
  readonly Versions: Found
  readonly Below: ReadonlyArray<Uint8Array>
  readonly Close: undefined
}

/** That it could not be done: the index is as it was. */
export interface Failed {
  readonly detail: string
  /**
   * `damaged`: the file is none of a database any more; `missing`: Node has no SQLite; `unreadable`: bytes of the archive
   * could not be had.
   */
  readonly reason: "damaged" | "missing" | "unreadable" | "failed"
}

/** From the thread. */
export type Message =
  /** It is ready; `isThere` says whether there is a database. */
  | { readonly _tag: "Ready"; readonly isThere: boolean }
  | { readonly _tag: "Answer"; readonly answer: unknown }
  | { readonly _tag: "Failed"; readonly failed: Failed }
  | { readonly _tag: "Progress"; readonly entries: number }
  /** Another process writes. */
  | { readonly _tag: "Waiting" }
  /** A chunk of the archive that is put in. The thread waits for it. */
  | { readonly _tag: "Wanted"; readonly chunk: number }

/** To a thread that wants a chunk. */
export type Chunk =
  /** The first bytes of `Start.content` are the chunk. */
  | { readonly _tag: "Content"; readonly length: number }
  | { readonly _tag: "Lost"; readonly detail: string; readonly isTransient: boolean }
