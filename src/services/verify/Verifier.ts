/**
 * Every check of §7 over a whole archive, and those that only a full pass can make.
 *
 * Guarantees: a bad child never hides its siblings; memory is that of the reader, the tables of the folders the walk is
 * in, and 16 bytes for each file of a split archive (up to a limit, which is reported); every reference into a payload
 * archive is checked, and with `data` every byte of every file is read. A folder whose table is lost, and an archive whose
 * end is missing, are checked as far as they can be read from the front.
 *
 * Not checked: contents against anything (an archive has no checksums, so that a payload archive with files of the same
 * sizes at the same places passes), and what is below a folder that is hidden by another of its name (D9).
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as ArchivePath from "../../domain/pxar/ArchivePath.ts"
import * as Limits from "../../domain/pxar/Limits.ts"
import type * as ArchiveError from "../archive/ArchiveError.ts"
import * as ArchiveReader from "../archive/ArchiveReader.ts"
import * as PayloadArchive from "../archive/PayloadArchive.ts"
import type { ArchiveBytes, Payload } from "../bytes/ArchiveBytes.ts"
import * as Finding from "./Finding.ts"
import * as VerifierWalk from "./VerifierWalk.ts"

/** What to verify. */
export interface Options {
  /** Whether to read the contents of all files too. */
  readonly data?: boolean | undefined
  readonly limits?: Limits.Limits | undefined
  /** How to open the archive, where that is not a matter of random access (see `StreamReader`). */
  readonly reader?: Effect.Effect<ArchiveReader.ArchiveReader, ArchiveError.ArchiveError> | undefined
  /** Called now and then; must be quick. */
  readonly onProgress?: ((progress: Finding.Progress) => void) | undefined
}

/**
 * Verifies an archive: the findings in the order of the archive, then the verdict. What is wrong with the archive is in
 * the stream, also when it cannot even be opened; the stream itself does not fail.
 */
export const verify = (
  sources: ArchiveBytes,
  options: Options = {},
): Stream.Stream<Finding.Finding | Finding.Verdict> =>
  Stream.fromPull(
    Effect.sync(() => {
      const { data = false, limits = Limits.defaults, onProgress = ignore } = options
      let pending: Array<Finding.Finding | Finding.Verdict> = []
      let failure: ArchiveError.ArchiveError | undefined
      let walk: VerifierWalk.Walk | undefined
      let finished = false
      const counts = { errors: 0, notes: 0 }
      const report: Finding.Report = (finding) => {
        pending.push(finding)
        if (finding.severity === "error") counts.errors++
        else counts.notes++
      }

      const begin = Effect.fnUntraced(function* (): Effect.fn.Return<void> {
        const payload = yield* checkPayload(sources.payload, report)
        // The missing end of a payload archive, which opening it would log, has been reported.
        const reader = options.reader ?? ArchiveReader.make(sources.archive, payload, { limits })
        const opened = yield* reader.pipe(Effect.provideService(References.MinimumLogLevel, "None"), Effect.result)
        if (Result.isSuccess(opened)) {
          const { cut } = opened.success
          if (cut !== undefined) report(Finding.fromError(cut.path, cut.error))
          walk = VerifierWalk.make(opened.success, sources.archive, payload, report, { data, limits, onProgress })
          return yield* walk.begin
        }
        failure = yield* VerifierWalk.refine(sources.archive, opened.failure)
        report(Finding.fromError(ArchivePath.ROOT, failure))
      })

      const step = Effect.fnUntraced(function* (): Effect.fn.Return<void> {
        if (failure === undefined && walk === undefined) return yield* begin()
        // What the reader would log of damages is found, too.
        if (walk !== undefined && (yield* Effect.provideService(walk.step, References.MinimumLogLevel, "None"))) return
        finished = true
        const { errors, notes } = counts
        pending.push(
          new Finding.Verdict({
            result: errors > 0 ? "damaged" : notes > 0 ? "notes" : "consistent",
            errors,
            notes,
            entries: walk?.progress().entries ?? 0,
            contentBytes: walk?.progress().contentBytes ?? 0,
            failure,
          }),
        )
      })

      const pull = Effect.fnUntraced(function* () {
        while (pending.length === 0) {
          if (finished) return yield* Cause.done()
          yield* step()
        }
        const [first, ...rest] = pending
        pending = []
        return first === undefined ? yield* Cause.done() : ([first, ...rest] as const)
      })
      return Effect.suspend(pull)
    }),
  )

/** P1 and P2. A payload archive that fails P1 is of no use: what comes back then is its absence. */
const checkPayload = Effect.fnUntraced(function* (payload: Payload, report: Finding.Report): Effect.fn.Return<Payload> {
  if (payload._tag === "Absent") return payload
  const { source } = payload
  const started = yield* Effect.result(PayloadArchive.checkStart(source))
  if (Result.isFailure(started)) {
    report(Finding.fromError(ArchivePath.ROOT, started.failure))
    return { _tag: "Absent", expected: undefined }
  }
  const ended = yield* Effect.result(PayloadArchive.checkEnd(source))
  if (Result.isFailure(ended)) {
    report(
      ended.failure.kind === "IO"
        ? Finding.fromError(ArchivePath.ROOT, ended.failure)
        : Finding.note(
            "P2",
            ArchivePath.ROOT,
            source.name,
            PayloadArchive.endOf(source),
            "payload archive without its end marker: cut short?",
          ),
    )
  }
  return payload
})

const ignore = (): void => undefined
