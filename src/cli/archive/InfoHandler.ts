/**
 * What `pxar-fuse info` does (see `InfoCommand`).
 */
import * as Effect from "effect/Effect"
import * as EntryKind from "../../domain/pxar/EntryKind.ts"
import * as PathText from "../../domain/PathText.ts"
import * as ArchiveInfo from "../../services/tree/ArchiveInfo.ts"
import * as ErrorJson from "../../domain/json/ErrorJson.ts"
import type { InfoJson, PreludeJson } from "../../domain/json/InfoJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import * as ExitCode from "../ExitCode.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import type * as RepositoryFlags from "../repository/RepositoryFlags.ts"

export interface Input extends RepositoryFlags.Given {
  readonly archive: string
  /** By default the one beside the archive. */
  readonly payload: string | undefined
  readonly json: boolean
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("info")(function* ({ archive, json, progress: mode, ...flags }: Input) {
  const sources = yield* OpenAddress.bytesOnce(archive, flags)
  const progress = yield* Progress.make({ mode })
  const size = sources.archive.size
  const info = yield* ArchiveInfo.collect(sources, {
    reader: sources.reader,
    onProgress: (entries, position) => progress.update({ entries, position, size }),
  })
  const output = Output.make()
  yield* output.text(json ? JsonText.line(toJson(info)) : toText(info))
  yield* output.flush
  if (info.isCut) return yield* new ExitCode.Ended({ code: ExitCode.INCOMPLETE })
  if (info.unreadable === 0) return
  yield* progress.say(`${count(info.unreadable, "entry", "entries")} cannot be read; \`verify\` says why`)
  return yield* new ExitCode.Ended({ code: ExitCode.DAMAGED })
}, Effect.scoped)

const plurals: Readonly<Record<EntryKind.EntryKind, readonly [string, string]>> = {
  directory: ["folder", "folders"],
  file: ["file", "files"],
  symlink: ["symbolic link", "symbolic links"],
  fifo: ["FIFO", "FIFOs"],
  socket: ["socket", "sockets"],
  chardev: ["character device", "character devices"],
  blockdev: ["block device", "block devices"],
}

const count = (number: number, one: string, many: string): string => `${grouped(number)} ${number === 1 ? one : many}`

/** A number with its digits in groups of three. */
const grouped = (number: number): string => String(number).replace(/\B(?=(\d{3})+$)/g, ",")

const units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]

const bytes = (size: number): string => {
  if (size < 1024) return size === 1 ? "1 byte" : `${size} bytes`
  const power = Math.min(units.length - 1, Math.floor(Math.log2(size) / 10))
  return `${(size / 1024 ** power).toFixed(1)} ${units[power]} (${grouped(size)} bytes)`
}

const toText = (info: ArchiveInfo.ArchiveInfo): string => {
  const { attributes, payload } = info
  const kinds = EntryKind.all.flatMap((kind) =>
    info.kinds[kind] === 0 ? [] : [count(info.kinds[kind], ...plurals[kind])],
  )
  const rows: Array<readonly [string, string]> = [
    ["archive", PathText.safe(info.name)],
    ["version", info.version === 1 ? "1" : "2 (split)"],
    ["size", info.size === 0 ? "not known: a stream" : bytes(info.size)],
  ]
  if (payload !== undefined) {
    rows.push(["payload", PathText.safe(payload.name)], ["payload size", bytes(payload.size)])
    rows.push(["payload end", payload.complete ? "complete" : "end marker missing: cut short?"])
    if (payload.unreferenced !== undefined) rows.push(["unreferenced", bytes(payload.unreferenced)])
  }
  if (info.payloadMissing) rows.push(["payload", "missing: contents of files cannot be read"])
  rows.push(
    ["contents", bytes(info.contents)],
    ["entries", grouped(info.entries)],
    ["", [...kinds, ...(info.hardLinks === 0 ? [] : [count(info.hardLinks, "hard link", "hard links")])].join(", ")],
    [
      "attributes",
      [
        `${count(attributes.xattrs, "extended attribute", "extended attributes")} of ${count(attributes.entriesWithXattrs, "entry", "entries")}`,
        count(attributes.accessAcls, "ACL", "ACLs"),
        count(attributes.defaultAcls, "default ACL", "default ACLs"),
        `capabilities of ${count(attributes.capabilities, "file", "files")}`,
        ...(attributes.quotaProjectIds === 0 ? [] : [count(attributes.quotaProjectIds, "project id", "project ids")]),
      ].join(", "),
    ],
    ["deepest", `${PathText.print(info.deepest.path)} (${count(info.deepest.depth, "level", "levels")})`],
  )
  if (info.hidden > 0) rows.push(["hidden", `${count(info.hidden, "entry", "entries")} by others of the same name`])
  if (info.prelude !== undefined) rows.push(["prelude", preludeText(info.prelude)])
  const [largest, ...further] = info.largest.map(
    ({ path, size }) => `${grouped(size).padStart(15)} ${PathText.print(path)}`,
  )
  if (largest !== undefined) rows.push(["largest", largest], ...further.map((line) => ["", line] as const))
  return rows.map(([label, value]) => `${label.padEnd(13)}${value}\n`).join("")
}

const preludeText = (prelude: ArchiveInfo.Prelude): string => {
  if (prelude._tag === "Unreadable") return PathText.safe(prelude.error.message)
  const json = parseJson(prelude.bytes)
  return json === undefined
    ? `${bytes(prelude.bytes.length)}, no JSON that could be shown`
    : PathText.safeJson(JSON.stringify(json))
}

const decoder = new TextDecoder("utf-8", { fatal: true })

/** Deeper than any prelude, and shallow enough for those who print or read it by recursion. */
const MAX_DEPTH = 64

/** The JSON that the bytes are, if they are. */
const parseJson = (bytes: Uint8Array): JsonText.Json | undefined => {
  try {
    const json = JSON.parse(decoder.decode(bytes)) as JsonText.Json
    return isNestedWithin(json, MAX_DEPTH) ? json : undefined
  } catch {
    return undefined
  }
}

const isNestedWithin = (json: JsonText.Json, depth: number): boolean =>
  typeof json !== "object" ||
  json === null ||
  (depth > 0 && Object.values(json).every((value) => isNestedWithin(value as JsonText.Json, depth - 1)))

const toJson = (info: ArchiveInfo.ArchiveInfo): InfoJson => ({
  archive: info.name,
  version: info.version,
  size: info.size,
  ...JsonText.optional("payload", info.payload && payloadJson(info.payload)),
  payload_missing: info.payloadMissing,
  ...JsonText.optional("prelude", info.prelude && preludeJson(info.prelude)),
  contents: info.contents,
  entries: info.entries,
  kinds: info.kinds,
  hardlinks: info.hardLinks,
  entries_with_xattrs: info.attributes.entriesWithXattrs,
  xattrs: info.attributes.xattrs,
  acls: info.attributes.accessAcls,
  default_acls: info.attributes.defaultAcls,
  capabilities: info.attributes.capabilities,
  quota_project_ids: info.attributes.quotaProjectIds,
  deepest: { ...JsonText.path(info.deepest.path), depth: info.deepest.depth },
  largest: info.largest.map(({ path, size }) => ({ ...JsonText.path(path), size })),
  unreadable: info.unreadable,
  hidden: info.hidden,
})

const payloadJson = ({ complete, name, size, unreferenced }: ArchiveInfo.PayloadInfo) => ({
  archive: name,
  size,
  complete,
  ...JsonText.optional("unreferenced", unreferenced),
})

const preludeJson = (prelude: ArchiveInfo.Prelude): PreludeJson => {
  if (prelude._tag === "Unreadable") return { error: ErrorJson.make(prelude.error) }
  const json = parseJson(prelude.bytes)
  return { size: prelude.bytes.length, ...(json === undefined ? { hex: JsonText.hex(prelude.bytes) } : { json }) }
}
