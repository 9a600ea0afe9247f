/**
 * What `pxar-fuse inspect` does (see `InspectCommand`).
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Digest from "../../domain/datastore/Digest.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type { InspectJson } from "../../domain/json/HistoryJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Edition from "../../services/history/Edition.ts"
import * as Inspect from "../../services/history/Inspect.ts"
import * as ResolveReference from "../../services/repository/ResolveReference.ts"
import * as Archive from "../../services/tree/Archive.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Output from "../Output.ts"
import * as OpenHistory from "./OpenHistory.ts"

export interface Input extends OpenHistory.Given {
  readonly digest: string | undefined
  readonly json: boolean
}

export const handler = Effect.fn("inspect")(function* (input: Input) {
  const opened = yield* OpenHistory.open(input)
  const output = Output.make()
  let isBad = false
  const print = (line: InspectJson) => {
    isBad ||= line.state === "bad"
    return output.text(input.json ? JsonText.line(line) : toText(line))
  }
  if (input.digest === undefined) yield* Stream.runForEach(chunksOfFile(opened), print)
  else {
    const digest = Digest.fromHex(input.digest.toLowerCase())
    if (digest?.length !== 32) {
      return yield* new ExitCode.Usage({
        detail: `${JSON.stringify(input.digest)} is no digest of 64 hexadecimal digits`,
      })
    }
    let count = 0
    yield* Stream.runForEach(usesOfChunk(opened, digest), (line) => {
      count++
      return print(line)
    })
    if (count === 0) {
      yield* output.flush
      return yield* new ExitCode.Usage({ detail: `${input.digest}: no backup here uses this chunk` })
    }
  }
  yield* output.flush
  if (isBad) return yield* new ExitCode.Ended({ code: ExitCode.DAMAGED })
}, Effect.scoped)

const stateOf = (soundness: Inspect.Soundness): Pick<InspectJson, "state" | "detail"> =>
  soundness._tag === "Sound"
    ? { state: "sound", detail: `by its ${soundness.proof}` }
    : { state: "bad", detail: soundness.fault.detail }

/** A line a chunk of the file that is meant. */
const chunksOfFile = ({ reference, repository }: OpenHistory.Opened) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const resolved = yield* ResolveReference.resolve(repository, reference)
      if (resolved._tag !== "File" || resolved.file.kind !== "archive" || reference.path.length === 0) {
        return yield* new ExitCode.Usage({
          detail: "name a file: DATASTORE::TYPE/ID/TIME/ARCHIVE/PATH; or give a digest",
        })
      }
      const { file, snapshot } = resolved
      const { reader, streams } = yield* Edition.open({ file, snapshot })
      const found = yield* Archive.fromReader(reader).find(reference.path)
      const pieces = Inspect.piecesOf(streams, found)
      const isInPayload = found.entry.body._tag === "File" && found.entry.body.content.source === "payload"
      const stream = isInPayload ? (file.payload ?? file.name) : file.name
      const index = yield* snapshot.index(stream)
      return Stream.mapEffect(Stream.fromIterable(pieces), ({ chunk, digest, length, offset }) =>
        Effect.map(Inspect.check(index, chunk), (soundness): InspectJson => ({
          digest: Digest.toHex(digest),
          snapshot: SnapshotId.format(snapshot.id),
          stream,
          chunk,
          start: index.index.start(chunk),
          end: index.index.end(chunk),
          ...stateOf(soundness),
          files: [PathText.print(found.path)],
          offset,
          length,
        })),
      )
    }),
  )

/** A line a stream that uses the chunk; the files in it are told of the first backup that has them. */
const usesOfChunk = ({ repository, which }: OpenHistory.Opened, digest: Uint8Array) =>
  Stream.suspend(() => {
    const told = new Set<string>()
    return Stream.mapEffect(Inspect.uses(repository, digest, which), (use) =>
      Effect.gen(function* () {
        const snapshot = yield* repository.snapshot(use.snapshot)
        const index = yield* snapshot.index(use.stream)
        const soundness = yield* Inspect.check(index, use.chunk)
        const file = snapshot.files.find(
          ({ kind, name, payload }) => kind === "archive" && (name === use.stream || payload === use.stream),
        )
        const checksum = `${Digest.toHex(snapshot.file(use.stream)?.checksum ?? new Uint8Array(0))}:${use.chunk}`
        const isNew = file !== undefined && !told.has(checksum)
        told.add(checksum)
        // Without a key, or with damage before it, it stays unknown what is in a chunk.
        const files = isNew ? yield* Effect.orElseSucceed(Inspect.filesIn({ file, snapshot }, use), () => []) : []
        const line: InspectJson = {
          digest: Digest.toHex(digest),
          snapshot: SnapshotId.format(use.snapshot),
          stream: use.stream,
          chunk: use.chunk,
          start: use.start,
          end: use.end,
          ...stateOf(soundness),
          files: files.map(({ path }) => PathText.print(path)),
        }
        return line
      }),
    )
  })

/** Paths that are printed of a chunk: --json has all. */
const MAX_PATHS = 20

const toText = ({ chunk, detail, digest, end, files, length, offset, snapshot, start, state, stream }: InspectJson) => {
  const part = length === undefined ? "" : `  bytes ${offset} to ${(offset ?? 0) + length} of it`
  const head = `${digest}  ${state} ${detail}\n    ${snapshot}/${stream}: chunk ${chunk}, bytes ${start} to ${end}${part}\n`
  if (length !== undefined) return head
  const more = files.length > MAX_PATHS ? [`and ${files.length - MAX_PATHS} more`] : []
  return head + [...files.slice(0, MAX_PATHS), ...more].map((file) => `        ${file}\n`).join("")
}
