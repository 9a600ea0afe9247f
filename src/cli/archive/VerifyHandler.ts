/**
 * What `pxar-fuse verify` does (see `VerifyCommand`).
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as PathText from "../../domain/PathText.ts"
import type * as Finding from "../../services/verify/Finding.ts"
import * as Verifier from "../../services/verify/Verifier.ts"
import type { Healed } from "../../services/chunks/Healed.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import type { VerifyJson } from "../../domain/json/VerifyJson.ts"
import * as ExitCode from "../ExitCode.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Output from "../Output.ts"
import * as VerifyDatastore from "../repository/VerifyDatastore.ts"
import * as Progress from "../Progress.ts"
import type * as RepositoryFlags from "../repository/RepositoryFlags.ts"

export interface Input extends RepositoryFlags.Given, Omit<VerifyDatastore.Input, "takeHealed"> {
  readonly archive: string
  /** By default the one beside the archive. */
  readonly payload: string | undefined
  /** Whether contents are read too. */
  readonly data: boolean
  readonly json: boolean
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("verify")(function* ({ archive, data, json, progress: mode, ...flags }: Input) {
  const healed: Array<Healed> = []
  const found = yield* OpenAddress.repository(archive, flags, {
    onHealed: (one) => Effect.sync(() => void healed.push(one)),
  })
  if (found !== undefined && found.reference.archive === undefined) {
    return yield* VerifyDatastore.run(found, { ...flags, json, progress: mode, takeHealed: () => healed.splice(0) })
  }
  if (flags.filters.length > 0) return yield* new ExitCode.Usage({ detail: `${archive}: filters are for datastores` })
  const sources = yield* OpenAddress.bytesOnce(archive, flags)
  const output = Output.makeLive()
  const progress = yield* Progress.make({ mode })
  // Contents of a split archive come on top of what is in the archive itself.
  const apart = data && sources.payload._tag === "Present" ? sources.payload.source.size : 0
  const code = yield* Verifier.verify(sources, {
    data,
    reader: sources.reader,
    onProgress: ({ contentBytes, entries, position }) =>
      progress.update({
        entries,
        bytes: data ? contentBytes : position,
        position: apart === 0 ? position : position + contentBytes,
        size: sources.archive.size + apart,
      }),
  }).pipe(
    Stream.mapEffect((event) =>
      Effect.as(
        output.text(json ? JsonText.line(toJson(event)) : toText(event, data)),
        event._tag === "Verdict" ? exitCode(event) : ExitCode.INTERNAL,
      ),
    ),
    Stream.runFold(
      () => ExitCode.INTERNAL as number,
      (_, code) => code,
    ),
  )
  yield* output.flush
  if (code !== ExitCode.SUCCESS) return yield* new ExitCode.Ended({ code })
}, Effect.scoped)

/** What could not even be opened has the code of that. */
const exitCode = ({ failure, result }: Finding.Verdict): number => {
  if (failure !== undefined) return ExitCode.fromError(failure)
  return result === "consistent" ? ExitCode.SUCCESS : result === "notes" ? ExitCode.NOTES : ExitCode.DAMAGED
}

const toText = (event: Finding.Finding | Finding.Verdict, data: boolean): string => {
  if (event._tag === "Finding") {
    const { archive, check, detail, offset, path, severity } = event
    const what = PathText.safe(`${detail} (byte ${offset} of ${archive})`)
    return `${severity.padEnd(5)} ${check.padEnd(3)} ${PathText.print(path)}: ${what}\n`
  }
  const { contentBytes, entries, errors, failure, notes, result } = event
  const found = [
    ...(errors === 0 ? [] : [Progress.formatCount(errors, "error")]),
    ...(notes === 0 ? [] : [Progress.formatCount(notes, "note")]),
  ]
  if (failure !== undefined) return `cannot be opened: ${found.join(", ")}\n`
  const verdict = result === "notes" ? "consistent, but with notes" : result
  const checked = Progress.formatCount(entries, "entry", "entries")
  const read = data ? `${contentBytes} bytes of contents read` : "contents not read (--data reads them)"
  return `${verdict}: ${[...found, checked, read].join(", ")}; pxar has no checksums of contents\n`
}

const toJson = (event: Finding.Finding | Finding.Verdict): VerifyJson =>
  event._tag === "Finding"
    ? {
        ...JsonText.path(event.path),
        severity: event.severity,
        kind: event.kind,
        check: event.check,
        archive: event.archive,
        offset: event.offset,
        detail: event.detail,
      }
    : {
        verdict: event.result,
        opened: event.failure === undefined,
        errors: event.errors,
        notes: event.notes,
        entries: event.entries,
        content_bytes: event.contentBytes,
      }
