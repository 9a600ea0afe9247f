/**
 * What the commands that look at many backups have in common.
 */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"

export const address = Argument.String("address").pipe(
  Argument.withDescription("A datastore, or DATASTORE::[ns/NAME/...]TYPE/ID of what to look at in it"),
)

export const flags = {
  in: Flag.String("in").pipe(
    Flag.withDescription("Only these backups: the first names of a reference; may be given several times"),
    Flag.withMetavar("FILTER"),
    Flag.atLeast(0),
  ),
  archive: Flag.String("archive").pipe(
    Flag.withDescription("Only archives of this name, as root.pxar"),
    Flag.withMetavar("NAME"),
    Parameters.optional,
  ),
  json: Parameters.json,
  ...RepositoryFlags.flags,
  ...Parameters.reporting,
}

/** For what asks the index. */
export const noIndex = Parameters.flag("no-index", "Look into every archive, whatever the index has")

/** Bounds of a size, as find(1) has them: `+10M` at least, `-10M` at most, `10M` exactly. */
export interface Bounds {
  readonly min?: number
  readonly max?: number
}

/** Archives that are looked into at once. */
export const jobs = Flag.Int("jobs").pipe(
  Flag.withDescription("Archives that are looked into at once (default: 4)"),
  Flag.withMetavar("NUMBER"),
  Flag.filterMap(
    (jobs) => (jobs >= 1 && jobs <= 64 ? Option.some(jobs) : Option.none()),
    () => "a number from 1 to 64",
  ),
  Flag.withDefault(4),
)

/** A point in time: a date, a date and a time, or how long ago (`7d`). In seconds since the epoch. */
export const parseTime = (text: string): Option.Option<number> => {
  const ago = /^(\d+)([mhdwy])$/.exec(text)
  if (ago !== null) return Option.some(Date.now() / 1000 - Number(ago[1]) * (UNITS[ago[2] as string] as number))
  const at = /^\d{4}-\d\d(-\d\d(T.*)?)?$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? Option.none() : Option.some(at / 1000)
}

const UNITS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_557_600 }

/** The time of a flag. */
export const time = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("TIME"),
    Flag.filterMap(parseTime, () => "a date such as 2026-03-01, or how long ago: 12h, 7d, 2w"),
    Parameters.optional,
  )
