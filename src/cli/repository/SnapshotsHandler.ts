/**
 * What `pxar-fuse snapshots` does (see `SnapshotsCommand`).
 *
 * One manifest is read at a time. A backup that cannot be read is a line like the others, and costs the exit code.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Digest from "../../domain/datastore/Digest.ts"
import * as Filter from "../../domain/datastore/Filter.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import type { SnapshotJson } from "../../domain/json/SnapshotJson.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Bytes from "../../domain/Bytes.ts"
import * as ResolveReference from "../../services/repository/ResolveReference.ts"
import * as SnapshotDetails from "../../services/repository/SnapshotDetails.ts"
import * as WalkRepository from "../../services/repository/WalkRepository.ts"
import * as ExitCode from "../ExitCode.ts"
import { noDatastore } from "./NoDatastore.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as SayRemains from "./SayRemains.ts"
import * as RepositoryFlags from "./RepositoryFlags.ts"

export interface Input extends RepositoryFlags.Keys, RepositoryFlags.Where {
  readonly address: string
  readonly filters: ReadonlyArray<string>
  readonly format: "table" | "tree" | "json"
  readonly json: boolean
}

export const handler = Effect.fn("snapshots")(function* ({ address, filters, format, json, ...keys }: Input) {
  const found = yield* OpenAddress.repository(address, { ...RepositoryFlags.none, ...keys })
  if (found === undefined) return yield* noDatastore(address)
  const { reference, repository } = found
  const options = { within: reference, filters: filters.map(Filter.parse) }
  const output = Output.make()
  const print = json || format === "json" ? jsonLine : format === "tree" ? treeLines() : tableLine
  let count = 0
  let unreadable = 0
  yield* Stream.runForEach(WalkRepository.groups(repository, options), (group) =>
    Effect.flatMap(repository.group(group), (info) =>
      Stream.runForEach(WalkRepository.ofGroup(repository, group, options), (id) =>
        Effect.flatMap(Effect.result(repository.snapshot(id)), (read) => {
          const line = SnapshotDetails.make(
            id,
            info,
            read._tag === "Success" ? read.success : undefined,
            read._tag === "Failure" ? read.failure : undefined,
          )
          count++
          if (line.state === "unreadable") unreadable++
          return output.text(print(line))
        }),
      ),
    ),
  )
  yield* output.flush
  if (filters.length === 0) yield* SayRemains.say(found, count)
  if (unreadable > 0) return yield* new ExitCode.Ended({ code: ExitCode.DAMAGED })
  if (count > 0) return
  yield* ResolveReference.require(repository, reference)
  if (filters.length > 0) {
    return yield* new ExitCode.Usage({ detail: `${filters.join(" ")}: no such backup in ${address}` })
  }
}, Effect.scoped)

const jsonLine = (line: SnapshotJson): string => JsonText.line(line)

/** What one word says of a backup. */
const marks = (line: SnapshotJson): string =>
  [
    line.state === "finished" ? [] : [line.state],
    line.protected === true ? ["protected"] : [],
    line.verified === undefined ? [] : [line.verified === "ok" ? "verified" : `verification ${safe(line.verified)}`],
    line.files?.some(({ crypt_mode }) => crypt_mode === "encrypt") === true ? ["encrypted"] : [],
    line.key_fingerprint === undefined ? [] : [`key ${Digest.shortFingerprint(line.key_fingerprint)}`],
  ]
    .flat()
    .join(", ")

/** Text of somebody else's on one line of a terminal. */
const safe = (text: string): string => PathText.print(Bytes.fromText(text.split("\n")[0] as string))

const tableLine = (line: SnapshotJson): string => {
  const size = line.size === undefined ? "" : Progress.formatBytes(line.size)
  const rest = [marks(line), line.notes === undefined ? "" : safe(line.notes)].filter((text) => text !== "").join("  ")
  const problems = (line.problems ?? []).map((problem) => `    ${problem}\n`).join("")
  return `${`${line.snapshot.padEnd(48)} ${size.padStart(10)}  ${rest}`.trimEnd()}\n${problems}`
}

/** Groups with their owner, backups below them, archives below those. */
const treeLines = (): ((line: SnapshotJson) => string) => {
  let group = ""
  return (line) => {
    const own = line.snapshot.slice(0, -line.time.length - 1)
    const head = own === group ? "" : `${own}${line.owner === undefined ? "" : `  (${safe(line.owner)})`}\n`
    group = own
    const files = (line.files ?? []).map(
      ({ name, size }) =>
        `    ${name.padEnd(30)} ${size === undefined ? "" : Progress.formatBytes(size).padStart(10)}\n`,
    )
    const problems = (line.problems ?? []).map((problem) => `    ${problem}\n`)
    return `${head}  ${`${line.time}  ${marks(line)}`.trimEnd()}\n${files.join("")}${problems.join("")}`
  }
}
