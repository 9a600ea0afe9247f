/**
 * What `pxar-fuse versions --diff` prints: how two versions of a text differ, as `patch` reads it.
 */
import * as Effect from "effect/Effect"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import * as PathText from "../../domain/PathText.ts"
import * as TextDiff from "../../services/compare/TextDiff.ts"
import * as Edition from "../../services/history/Edition.ts"
import type { Version, Versions } from "../../services/history/Versions.ts"
import * as Archive from "../../services/tree/Archive.ts"
import * as ExitCode from "../ExitCode.ts"

/** Beginnings of the times of two backups; empty for the last two versions. */
export type Between = readonly [older: string, newer: string] | readonly []

/** What the flags say; `undefined` if no two are to be compared. */
export const parse = Effect.fnUntraced(function* (given: {
  readonly between: string | undefined
  readonly diff: boolean
  readonly extract: string | undefined
  readonly json: boolean
}): Effect.fn.Return<Between | undefined, ExitCode.Usage> {
  const { between, diff, extract, json } = given
  if (between === undefined && !diff) return undefined
  if (json) return yield* new ExitCode.Usage({ detail: "--diff prints text: leave out --json" })
  if (extract !== undefined) return yield* new ExitCode.Usage({ detail: "give --diff or --extract, not both" })
  if (between === undefined) return []
  const times = between.split("..")
  const [older = "", newer = ""] = times
  if (times.length !== 2 || older === "" || newer === "") {
    const detail = `--between ${between}: is not two times of backups, or beginnings of them, as 2026-02..2026-03`
    return yield* new ExitCode.Usage({ detail })
  }
  return [older, newer]
})

/** What is printed of the versions of one archive; with another code than 0 it is a message. */
export interface Printed {
  readonly text: string
  readonly code: number
}

/** Reads two versions and says what differs. */
export const print = Effect.fnUntraced(function* (
  { series, versions }: Versions,
  between: Between,
): Effect.fn.Return<Printed> {
  if (versions.length === 0) return { text: "", code: ExitCode.SUCCESS }
  const where = `${SnapshotId.groupPath(series.group)} ${series.archive}`
  const chosen: Array<Version> = []
  for (const time of between) {
    const version = versionAt(versions, time)
    if (version !== undefined) chosen.push(version)
    else return { text: `${where}: no backup that has the file begins with ${time}`, code: ExitCode.NO_ENTRY }
  }
  const [older, newer] = between.length === 0 ? versions.slice(-2) : chosen
  if (older === undefined || newer === undefined || older === newer) {
    return { text: `${where}: there is one version only\n`, code: ExitCode.SUCCESS }
  }
  const names = [older, newer].map(
    (version) => `${where}${PathText.print(version.path)}\t${version.snapshots[0]?.time}`,
  )
  for (const [at, { entry }] of [older, newer].entries()) {
    if (entry.body._tag !== "File") return { text: `${names[at]}: is no file`, code: ExitCode.NO_ENTRY }
  }
  return yield* Effect.gen(function* () {
    const { hunks, state } = yield* TextDiff.make(yield* read(older), yield* read(newer))
    const text = {
      same: `${names.join(" and ")} have the same content\n`,
      binary: `${names.join(" and ")} differ, and are no texts\n`,
      large: `${names.join(" and ")} differ in too much to be shown, or are too large\n`,
      different: `--- ${names[0]}\n+++ ${names[1]}\n${shown(TextDiff.unified(hunks))}`,
    }[state]
    return { text, code: ExitCode.SUCCESS }
  }).pipe(
    Effect.catch((error) => Effect.succeed({ text: `${where}: ${error.message}`, code: ExitCode.fromError(error) })),
  )
})

/** The version in the last backup whose time begins so, of those that have it. */
const versionAt = (versions: ReadonlyArray<Version>, time: string): Version | undefined =>
  versions.findLast(({ snapshots }) => snapshots.some((id) => id.time.startsWith(time)))

const read = ({ edition, path }: Version) =>
  Effect.scoped(
    Effect.gen(function* () {
      const archive = Archive.fromReader((yield* Edition.open(edition)).reader)
      return yield* archive.read(yield* archive.find(path), 0, TextDiff.MAX_SIZE + 1)
    }),
  )

/** A terminal is given nothing that it would not just show. */
const shown = (text: string): string =>
  process.stdout.isTTY
    ? text
        .split("\n")
        .map((line) => line.split("\t").map(PathText.safe).join("\t"))
        .join("\n")
    : text
