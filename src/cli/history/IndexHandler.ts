/**
 * What `pxar-fuse index` does (see `IndexCommand`). Programs that ask meanwhile get what was there when they asked.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type { IndexJson } from "../../domain/json/HistoryJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import * as BuildIndex from "../../services/history/BuildIndex.ts"
import * as HistoryIndex from "../../services/index/HistoryIndex.ts"
import * as IndexFile from "../../services/index/IndexFile.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as OpenHistory from "./OpenHistory.ts"
import * as OpenIndex from "./OpenIndex.ts"

export interface Input extends OpenHistory.Given {
  readonly action: "status" | "build" | "drop"
  readonly indexEncrypted: boolean
  readonly jobs: number
  readonly json: boolean
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("index")(function* (input: Input) {
  const opened = yield* OpenHistory.open({ ...input, chunkCache: input.chunkCache ?? CHUNK_CACHE })
  const file = yield* OpenIndex.fileOf(input, opened)
  const progress = yield* Progress.make({ mode: Progress.besidesResults(input.progress) })
  const asked = yield* Effect.scoped(actions[input.action](input, opened, file, progress))
  // What is written when it is closed counts, too.
  const line: IndexJson = { ...JsonText.text("file", Buffer.from(file)), bytes: yield* IndexFile.size(file), ...asked }
  const output = Output.make()
  yield* output.text(input.json ? JsonText.line(line) : toText(line))
  yield* output.flush
  if ((line.unreadable ?? 0) > 0 || (line.added !== undefined && (line.irregular ?? 0) > 0)) {
    return yield* new ExitCode.Ended({ code: ExitCode.INCOMPLETE })
  }
}, Effect.scoped)

/** Bytes of chunks that are kept unless it is said how many: each is wanted once. */
const CHUNK_CACHE = 16 * 1024 * 1024

type Known = Omit<IndexJson, "file" | "file_hex" | "bytes">
const nothing: Known = { entries: 0, versions: 0, names: 0 }

const totals = (index: HistoryIndex.HistoryIndex) =>
  Effect.map(index.totals, ({ entries, names, versions }): Known => ({ entries, versions, names }))

const status = Effect.fnUntraced(function* (_: Input, { repository, which }: OpenHistory.Opened, file: string) {
  const index = yield* HistoryIndex.open(file)
  const coverage = yield* BuildIndex.coverage(repository, index, which)
  return { ...coverage, ...(index === undefined ? nothing : yield* totals(index)) } satisfies Known
})

const build = Effect.fnUntraced(function* (
  { indexEncrypted, jobs }: Input,
  { repository, which }: OpenHistory.Opened,
  file: string,
  progress: Progress.Progress,
) {
  const index = yield* HistoryIndex.openForWriting(file)
  const counts = { archives: 0, indexed: 0, irregular: 0, encrypted: 0, added: 0, unreadable: 0 }
  let done = 0
  const listener: HistoryIndex.Listener = {
    onProgress: (entries) => progress.update({ entries: done + entries }),
    onWaiting: () => Effect.runFork(progress.note("another process writes to the index: waiting for it")),
  }
  const building = BuildIndex.build(repository, index, { ...which, encrypted: indexEncrypted, jobs, listener })
  yield* Stream.runForEach(building, (built) => {
    const where = [SnapshotId.format(built.snapshot), built.archive].filter((part) => part !== "").join("/")
    counts.archives++
    switch (built._tag) {
      case "Added":
        counts.added++
        counts.indexed++
        done += built.entries
        progress.update({ entries: done })
        return progress.detail(
          `${where}: ${Progress.formatCount(built.entries, "entry", "entries")}, ${built.versions} of them new or changed`,
        )
      case "Known":
        counts.indexed++
        return Effect.void
      case "Encrypted":
        counts.encrypted++
        return Effect.void
      case "Irregular":
        counts.irregular++
        return progress.say(`${where}: cannot be in the index, find looks into it: ${built.detail}`, "Warn")
      case "Unreadable":
        counts.unreadable++
        return progress.say(`${where}: ${built.error.message}`, "Warn")
    }
  })
  return { ...counts, ...(yield* totals(index)) }
})

const drop = (_: Input, __: OpenHistory.Opened, file: string) => Effect.as(IndexFile.drop(file), nothing)

const actions = { status, build, drop }

const number = (count: number): string => count.toLocaleString("en-US")

const toText = ({
  added,
  archives,
  bytes,
  encrypted = 0,
  entries,
  file,
  indexed = 0,
  irregular = 0,
  names,
  versions,
}: IndexJson): string => {
  if (archives === undefined) return `${file}: deleted\n`
  const left = [
    ...(irregular > 0 ? [`${number(irregular)} cannot be in it`] : []),
    ...(encrypted > 0 ? [`${number(encrypted)} are encrypted (--index-encrypted)`] : []),
  ]
  return [
    `${file}: ${Progress.formatBytes(bytes)}`,
    `${number(indexed)} of ${number(archives)} archives${added === undefined ? "" : `, ${number(added)} of them now`}${left.map((text) => `; ${text}`).join("")}`,
    `${number(entries)} entries in ${number(versions)} versions, ${number(names)} different names`,
    "",
  ].join("\n")
}
