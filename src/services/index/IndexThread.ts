/**
 * The thread of an index: it has the database open, and does one thing after the other. While it puts an archive in it stands
 * still until the chunk is there that it wants.
 *
 * The entry of a worker: loaded by `HistoryIndex` alone.
 */
import type { DatabaseSync } from "node:sqlite"
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads"
import * as Result from "effect/Result"
import * as Query from "../tree/Query.ts"
import * as Database from "./Database.ts"
import * as Extents from "./Extents.ts"
import { IndexReader, type Row } from "./IndexReader.ts"
import { IndexWriter } from "./IndexWriter.ts"
import { Irregular } from "./Irregular.ts"
import type * as Messages from "./Messages.ts"

const port = parentPort
if (port === null) throw new Error("not a worker")
const { answered, content, file, use } = workerData as Messages.Start

const say = (message: Messages.Message): void => port.postMessage(message)

/** Waits for a chunk. */
const fetch = (chunk: number): Uint8Array => {
  Atomics.store(answered, 0, 0)
  say({ _tag: "Wanted", chunk })
  Atomics.wait(answered, 0, 0)
  const answer = receiveMessageOnPort(port)?.message as Messages.Chunk
  if (answer._tag === "Content") return content.subarray(0, answer.length)
  throw new Irregular({ detail: answer.detail, isTransient: answer.isTransient })
}

const failed = (thrown: unknown): Messages.Failed => {
  const detail = thrown instanceof Irregular ? thrown.detail : (thrown as Error).message
  if (thrown instanceof Database.NoSqlite) return { detail, reason: "missing" }
  if (thrown instanceof Irregular) return { detail, reason: "unreadable" }
  return { detail, reason: Database.isDamaged(thrown) ? "damaged" : "failed" }
}

/** Looks that the other side knows. */
const told = new Set<number>()

const withLooks = (reader: IndexReader, rows: ReadonlyArray<Row>): Messages.Found => {
  const found = new Set<number>()
  for (const { look } of rows) {
    if (!told.has(look)) found.add(look)
  }
  const looks = [...found].map((look) => [look, reader.look(look)] as const)
  for (const look of found) told.add(look)
  return { rows, looks }
}

const serve = (database: DatabaseSync): void => {
  const reader = new IndexReader(database)
  const writer = use === "write" ? new IndexWriter(database) : undefined

  const answer = (request: Messages.Request): Messages.Answers[keyof Messages.Answers] => {
    switch (request._tag) {
      case "Add": {
        const { chain, checksum, encrypted, entries } = request
        if (writer === undefined) throw new Error("opened for reading")
        return writer.add({ chain, checksum, encrypted, index: Extents.indexOf(entries) }, fetch, {
          progress: (entries) => say({ _tag: "Progress", entries }),
          waiting: () => say({ _tag: "Waiting" }),
        })
      }
      case "Places":
        return Database.patiently(() => reader.places(request.checksums))
      case "Totals":
        return Database.patiently(() => reader.totals())
      case "Find": {
        const { chain, limit, numbers, query } = request
        const test = Result.getOrThrow(Query.compile(query))
        return Database.patiently(() => {
          const rows: Array<Row> = []
          reader.find(query, test, chain, numbers, (row) => rows.push(row) < limit)
          return withLooks(reader, rows)
        })
      }
      case "Versions":
        return Database.patiently(() => withLooks(reader, reader.versions(request.chain, request.path)))
      case "Below":
        return Database.patiently(() => reader.below(request.chain, request.path, request.numbers))
      case "Close":
        if (writer !== undefined) Database.patiently(() => writer.close())
        database.close()
        return undefined
    }
  }

  port.on("message", (request: Messages.Request) => {
    try {
      say({ _tag: "Answer", answer: answer(request) })
    } catch (thrown) {
      say({ _tag: "Failed", failed: failed(thrown) })
    }
    if (request._tag === "Close") port.close()
  })
}

const start = async (): Promise<void> => {
  try {
    const database = await Database.open(file, use)
    if (database !== undefined) serve(database)
    say({ _tag: "Ready", isThere: database !== undefined })
  } catch (thrown) {
    say({ _tag: "Failed", failed: failed(thrown) })
  }
}

// The bundled command is CommonJS, which cannot wait here.
void start()
