/**
 * The index of a repository: which names are in which states of its archives, and what was known of them there. It is in a
 * thread of its own, so that nothing waits for it; what it is asked it does in turn.
 *
 * States are known by the checksum of the index that their entries are in (datastore §3.1), so nothing in it is ever stale:
 * what is in it holds for every backup with such an archive. It is a cache: without it everything is found, too, more slowly.
 */
import * as workers from "node:worker_threads"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Bytes from "../../domain/Bytes.ts"
import type { ChunkIndex } from "../../domain/datastore/ChunkIndex.ts"
import { MAX_CHUNK } from "../../domain/datastore/DataBlob.ts"
import * as Digest from "../../domain/datastore/Digest.ts"
import type { Entry } from "../../domain/pxar/Entry.ts"
import type { Wanted } from "../chunks/ChunkDecoder.ts"
import { isLoss } from "../chunks/ChunkFault.ts"
import type { ChunkStore } from "../chunks/ChunkStore.ts"
import type { EncryptionKey } from "../keys/EncryptionKey.ts"
import type * as Query from "../tree/Query.ts"
import * as EntryLook from "./EntryLook.ts"
import * as IndexFile from "./IndexFile.ts"
import type { Left, Place, Totals } from "./IndexReader.ts"
import type { Added } from "./IndexWriter.ts"
import type * as Messages from "./Messages.ts"

export type { Added, Left, Place, Totals }
export { IndexError } from "./IndexFile.ts"

/** An archive to be put in. */
export interface Archive {
  /** Of the index that its entries are in: 32 bytes. */
  readonly checksum: Uint8Array
  /** States of one archive of a group have the same, and come one after the other. */
  readonly chain: string
  readonly index: ChunkIndex
  readonly encrypted: boolean
  readonly key: EncryptionKey | undefined
  readonly chunks: ChunkStore
  /** Whether there is little else in it than entries, so that what comes next will be wanted: a split archive. */
  readonly isDense: boolean
}

/** A version of an entry, and the states that have it. */
export interface Version {
  /** With a leading slash. */
  readonly path: Uint8Array
  /** Where its content stands is not known. */
  readonly entry: Entry
  /** Numbers of states: the first that has it, and the first after it that has it no more, if there is one. */
  readonly since: number
  readonly gone: number | undefined
}

/** An index that is open. Whoever interrupts one of its effects closes it: what is asked later fails. */
export interface HistoryIndex {
  readonly file: string
  /** False once it is closed: whoever has more to ask opens it anew. */
  readonly isOpen: () => boolean
  /** What is known of archives, by their checksums; `undefined` of those that are not in it. */
  readonly places: (
    checksums: ReadonlyArray<Uint8Array>,
  ) => Effect.Effect<ReadonlyArray<Place | Left | undefined>, IndexFile.IndexError>
  /**
   * What the states `numbers` of a chain have of what is looked for, in no order. Each version comes once, or several times;
   * at most `limit` come.
   */
  readonly find: (
    query: Query.Query,
    chain: number,
    numbers: ReadonlyArray<number>,
    limit?: number,
  ) => Effect.Effect<ReadonlyArray<Version>, IndexFile.IndexError>
  /** What was at a path in all states of a chain: names from the root on. */
  readonly versions: (
    chain: number,
    path: ReadonlyArray<Uint8Array>,
  ) => Effect.Effect<ReadonlyArray<Version>, IndexFile.IndexError>
  /** Names of what was right below a path in the states `numbers` of a chain, ascending; each once, in no order. */
  readonly below: (
    chain: number,
    path: ReadonlyArray<Uint8Array>,
    numbers: ReadonlyArray<number>,
  ) => Effect.Effect<ReadonlyArray<Uint8Array>, IndexFile.IndexError>
  readonly totals: Effect.Effect<Totals, IndexFile.IndexError>
  /** Says that an archive will be put in soon: its first chunks are asked for, unless archives before it had them. */
  readonly expect: (archive: Archive) => void
  /**
   * Puts an archive in: all of it, or nothing where this fails or is interrupted. Its contents are not read, and of its
   * metadata not what an archive of the chain before it has, too.
   */
  readonly add: (archive: Archive, listener?: Listener) => Effect.Effect<Added, IndexFile.IndexError>
}

/** Is told how far it is; quick. */
export interface Listener {
  /** Entries of the archive so far. */
  readonly onProgress?: (entries: number) => void
  /** Another process writes to the index: it is waited for. */
  readonly onWaiting?: () => void
}

/** Chunks that are asked for ahead, of the archive that is put in, and of each that comes next. */
const AHEAD = 8
const EXPECTED = 2

const ENDED = "its thread has ended"

/** Chunks that are remembered: 100 bytes each. */
const MAX_SEEN = 100_000

/** Opens an index to be asked; `undefined` if there is none, or none that can be used. */
export const open = Effect.fnUntraced(function* (
  file: string,
): Effect.fn.Return<HistoryIndex | undefined, IndexFile.IndexError, Scope.Scope> {
  if (!(yield* IndexFile.exists(file))) return undefined
  const thread = yield* start(file, "read")
  return thread.isThere ? make(file, thread) : undefined
})

/** Opens an index to be added to. It is made if it is not there, and made anew if it is damaged. */
export const openForWriting = Effect.fnUntraced(function* (
  file: string,
): Effect.fn.Return<HistoryIndex, IndexFile.IndexError, Scope.Scope> {
  yield* IndexFile.create(file)
  const thread = yield* Effect.catchIf(
    start(file, "write"),
    ({ reason }) => reason === "Damaged",
    () => IndexFile.drop(file).pipe(Effect.andThen(IndexFile.create(file)), Effect.andThen(start(file, "write"))),
  )
  return make(file, thread)
})

/** A thread that runs. One thing is asked at a time. */
interface Thread {
  readonly isThere: boolean
  readonly isRunning: () => boolean
  readonly ask: <A extends Messages.Request>(
    request: A,
    hear?: (message: Messages.Message) => void,
  ) => Effect.Effect<Messages.Answers[A["_tag"]], IndexFile.IndexError>
  /** Where a chunk is put before `answer` says so. */
  readonly content: Uint8Array
  readonly answer: (chunk: Messages.Chunk) => void
}

const start = Effect.fnUntraced(function* (
  file: string,
  use: Messages.Start["use"],
): Effect.fn.Return<Thread, IndexFile.IndexError, Scope.Scope> {
  const answered = new Int32Array(new SharedArrayBuffer(4))
  const content = new Uint8Array(new SharedArrayBuffer(use === "write" ? MAX_CHUNK : 0))
  const name = import.meta.url.endsWith(".ts") ? "./IndexThread.ts" : "./IndexThread.js"
  const worker = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const worker = new workers.Worker(new URL(name, import.meta.url), {
        workerData: { file, use, answered, content } satisfies Messages.Start,
        resourceLimits: { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 512 },
      })
      worker.unref()
      return worker
    }),
    (worker) => Effect.promise(() => worker.terminate()),
  )
  const turn = yield* Semaphore.make(1)

  /** Waits for the message that ends something. */
  const ended = <A>(
    begin: () => void,
    take: (message: Messages.Message) => { readonly value: A } | undefined,
  ): Effect.Effect<A, IndexFile.IndexError> =>
    Effect.callback<A, IndexFile.IndexError>((resume) => {
      const stop = () => {
        worker.off("message", onMessage)
        worker.off("error", onError)
        worker.off("exit", onExit)
        worker.unref()
      }
      const end = (result: Effect.Effect<A, IndexFile.IndexError>) => {
        stop()
        resume(result)
      }
      const onMessage = (message: Messages.Message): void => {
        if (message._tag === "Failed") return end(Effect.fail(toError(file, message.failed)))
        const taken = take(message)
        if (taken !== undefined) end(Effect.succeed(taken.value))
      }
      const onError = (error: Error): void => end(Effect.fail(IndexFile.failed(file, error.message)))
      const onExit = (): void => end(Effect.fail(IndexFile.failed(file, ENDED)))
      worker.ref()
      worker.on("message", onMessage)
      worker.on("error", onError)
      worker.on("exit", onExit)
      begin()
      // What is given up goes on in the thread: it is ended with it.
      return Effect.promise(() => {
        stop()
        return worker.terminate()
      })
    })

  const isThere = yield* ended(
    () => {},
    (message) => (message._tag === "Ready" ? { value: message.isThere } : undefined),
  )

  // An ended worker takes messages, and answers none.
  const isRunning = (): boolean => worker.threadId >= 0

  const ask: Thread["ask"] = (request, hear) =>
    turn.withPermit(
      Effect.suspend(() =>
        isRunning()
          ? ended(
              () => worker.postMessage(request),
              (message) => {
                if (message._tag === "Answer") return { value: message.answer as never }
                hear?.(message)
                return undefined
              },
            )
          : Effect.fail(IndexFile.failed(file, ENDED)),
      ),
    )
  if (isThere) {
    yield* Effect.addFinalizer(() =>
      isRunning() ? Effect.ignore(Effect.timeout(ask({ _tag: "Close" }), "5 seconds")) : Effect.void,
    )
  }

  return {
    isThere,
    isRunning,
    ask,
    content,
    answer: (chunk) => {
      worker.postMessage(chunk)
      Atomics.store(answered, 0, 1)
      Atomics.notify(answered, 0)
    },
  }
})

const toError = (file: string, { detail, reason }: Messages.Failed): IndexFile.IndexError =>
  new IndexFile.IndexError({
    path: file,
    detail,
    reason: reason === "missing" ? "NoSqlite" : reason === "damaged" ? "Damaged" : "Failed",
  })

const make = (file: string, thread: Thread): HistoryIndex => {
  const looks = new Map<number, Entry>()

  const versionsOf = ({ looks: more, rows }: Messages.Found): ReadonlyArray<Version> => {
    for (const [id, look] of more) looks.set(id, EntryLook.decode(look))
    return rows.map((row): Version => {
      const entry = EntryLook.complete(looks.get(row.look) as Entry, row)
      return { path: row.path, entry, since: row.since, gone: row.gone ?? undefined }
    })
  }

  const put = (content: Uint8Array): number => {
    thread.content.set(content)
    return content.length
  }

  /** Digests of chunks that were wanted: what comes again is not asked for ahead. */
  const seen = new Set<string>()
  const fetchAhead = (archive: Archive, from: number, count: number): void => {
    const { chunks, index, isDense } = archive
    if (!isDense) return
    for (let chunk = from; chunk < Math.min(index.count, from + count); chunk++) {
      const digest = Digest.toHex(index.digest(chunk))
      if (seen.has(digest)) continue
      if (seen.size > MAX_SEEN) seen.clear()
      seen.add(digest)
      chunks.prefetch(wantedOf(archive, chunk), seen)
    }
  }

  const add = Effect.fnUntraced(function* (
    archive: Archive,
    { onProgress, onWaiting }: Listener = {},
  ): Effect.fn.Return<Added, IndexFile.IndexError> {
    const { chain, checksum, chunks, encrypted, index } = archive
    const give = (chunk: number): Effect.Effect<void> =>
      Effect.match(chunks.read(wantedOf(archive, chunk), put), {
        onFailure: (fault) =>
          thread.answer({ _tag: "Lost", detail: `${fault.file} ${fault.detail}`, isTransient: !isLoss(fault) }),
        onSuccess: (length) => thread.answer({ _tag: "Content", length }),
      })
    const run = Effect.runForkWith(yield* Effect.context<never>())
    const request = { _tag: "Add", checksum, chain, entries: Bytes.concat([index.entries]), encrypted } as const
    const hear = (message: Messages.Message): void => {
      if (message._tag === "Progress") onProgress?.(message.entries)
      if (message._tag === "Waiting") onWaiting?.()
      if (message._tag !== "Wanted") return
      run(give(message.chunk))
      fetchAhead(archive, message.chunk + 1, AHEAD)
    }
    return yield* Effect.onInterrupt(thread.ask(request, hear), () => Effect.sync(() => chunks.cache.giveUp(seen)))
  })

  return {
    file,
    isOpen: thread.isRunning,
    places: (checksums) => thread.ask({ _tag: "Places", checksums }),
    totals: thread.ask({ _tag: "Totals" }),
    find: (query, chain, numbers, limit = Infinity) =>
      Effect.map(thread.ask({ _tag: "Find", query, chain, numbers, limit }), versionsOf),
    versions: (chain, path) => Effect.map(thread.ask({ _tag: "Versions", chain, path }), versionsOf),
    below: (chain, path, numbers) => thread.ask({ _tag: "Below", chain, path, numbers }),
    expect: (archive) => fetchAhead(archive, 0, EXPECTED),
    add,
  }
}

const wantedOf = ({ encrypted, index, key }: Archive, chunk: number): Wanted => ({
  digest: index.digest(chunk),
  length: index.end(chunk) - index.start(chunk),
  encrypted,
  key,
})
