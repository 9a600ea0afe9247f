/**
 * What `pxar-fuse verify` does with a datastore: a line for each thing that is wrong, then the verdict.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Filter from "../../domain/datastore/Filter.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import type { DatastoreVerifyJson } from "../../domain/json/DatastoreVerifyJson.ts"
import type { Healed } from "../../services/chunks/Healed.ts"
import * as DatastoreVerifier from "../../services/verify/DatastoreVerifier.ts"
import * as ExitCode from "../ExitCode.ts"
import type { InRepository } from "../OpenAddress.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as SayRemains from "./SayRemains.ts"
import * as VerifyState from "./VerifyState.ts"

export interface Input {
  readonly filters: ReadonlyArray<string>
  readonly jobs: number | undefined
  readonly shard: DatastoreVerifier.Shard | undefined
  readonly state: string | undefined
  readonly takeHealed: () => ReadonlyArray<Healed>
  readonly json: boolean
  readonly progress: Progress.Mode
}

export const run = Effect.fnUntraced(function* (found: InRepository, input: Input) {
  const { reference, repository } = found
  const output = Output.makeLive()
  const progress = yield* Progress.make({ mode: input.progress })
  const state = input.state === undefined ? undefined : yield* VerifyState.open(input.state)
  const events = DatastoreVerifier.verify(repository, {
    within: reference,
    filters: input.filters.map(Filter.parse),
    jobs: input.jobs,
    shard: input.shard,
    takeHealed: input.takeHealed,
    isDone: state?.has,
    onGood: state?.add,
    onProgress: ({ bytes, chunks }) => progress.update({ entries: chunks, bytes, position: 0, size: 0 }),
  })
  let backups = 0
  let code: number = ExitCode.INTERNAL
  yield* Stream.runForEach(events, (event) => {
    if (event._tag === "Verdict") {
      code = exitCode(event)
      backups = event.snapshots
    }
    return output.text(input.json ? JsonText.line(toJson(event)) : toText(event))
  })
  yield* output.flush
  if (input.filters.length === 0) yield* SayRemains.say(found, backups)
  if (code !== ExitCode.SUCCESS) return yield* new ExitCode.Ended({ code })
})

const exitCode = ({ result }: DatastoreVerifier.Verdict): number =>
  result === "sound" ? ExitCode.SUCCESS : result === "notes" ? ExitCode.NOTES : ExitCode.DAMAGED

const toText = (event: DatastoreVerifier.Problem | DatastoreVerifier.Verdict): string => {
  if (event._tag === "Problem") {
    const { check, detail, file, healable, severity, snapshot } = event
    const where = `${snapshot}${file === undefined ? "" : `/${file}`}`
    const from =
      healable === undefined
        ? ""
        : `; healable from ${healable.from}${healable.isPartly ? " by its checksum only" : ""}`
    return `${severity.padEnd(5)} ${check} ${where}: ${detail}${from}\n`
  }
  const { bytes, chunks, errors, healable, notes, partly, result, skipped, snapshots } = event
  const parts = [
    `${Progress.formatCount(errors, "error")}${healable === 0 ? "" : ` (${healable} healable)`}`,
    Progress.formatCount(notes, "note"),
    Progress.formatCount(snapshots, "backup"),
    `${Progress.formatCount(chunks, "chunk")} with ${Progress.formatBytes(bytes)}`,
    ...(skipped === 0 ? [] : [`${skipped} checked before`]),
    ...(partly === 0 ? [] : [`${partly} without their key: only headers and checksums`]),
  ]
  return `${result === "notes" ? "sound, but with notes" : result}: ${parts.join(", ")}\n`
}

const toJson = (event: DatastoreVerifier.Problem | DatastoreVerifier.Verdict): DatastoreVerifyJson =>
  event._tag === "Problem"
    ? {
        snapshot: event.snapshot,
        ...JsonText.optional("file", event.file),
        severity: event.severity,
        check: event.check,
        detail: event.detail,
        ...(event.healable === undefined
          ? {}
          : { healable_from: event.healable.from, healable_proof: event.healable.isPartly ? "checksum" : "full" }),
        ...(event.range === undefined ? {} : { start: event.range.start, end: event.range.end }),
      }
    : {
        verdict: event.result,
        errors: event.errors,
        notes: event.notes,
        healable: event.healable,
        snapshots: event.snapshots,
        chunks: event.chunks,
        skipped: event.skipped,
        partly: event.partly,
        bytes: event.bytes,
      }
