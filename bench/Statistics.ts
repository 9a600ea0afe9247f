/**
 * Medians of what was measured.
 */
import type { Row, Sample } from "./Measure.ts"

/** The middle value; `undefined` of nothing. */
export const median = (values: ReadonlyArray<number>): number | undefined => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : mean(sorted[middle - 1], sorted[middle])
}

const mean = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : (a + b) / 2

/** The ratios of two series, round by round. */
export const ratios = (values: ReadonlyArray<number>, others: ReadonlyArray<number>): ReadonlyArray<number> =>
  values.flatMap((value, round) => {
    const other = others[round]
    return other === undefined ? [] : [value / other]
  })

/** The least, the middle and the greatest value; all `undefined` of nothing. */
export const spread = (
  values: ReadonlyArray<number>,
): Readonly<Record<"least" | "median" | "most", number | undefined>> =>
  values.length === 0
    ? { least: undefined, median: undefined, most: undefined }
    : { least: Math.min(...values), median: median(values), most: Math.max(...values) }

/** Of ratios that are this many times apart a median says little. */
const FAR_APART = 1.5

/** Whether the values are so far apart that their median says little. */
export const isMeaningless = (values: ReadonlyArray<number>): boolean =>
  values.length > 1 && Math.max(...values) > FAR_APART * Math.min(...values)

/** The middle value of one figure of a contender. */
export const figure = (row: Row, contender: string, of: keyof Sample): number | undefined =>
  median((row.samples[contender] ?? []).map((sample) => sample[of]).filter((value) => value !== undefined))

/** The ratios of a contender's times to another's, taken round by round. */
export const ratiosOf = (row: Row, contender: string, other: string): ReadonlyArray<number> => {
  const times = (name: string) => (row.samples[name] ?? []).map(({ wallMs }) => wallMs)
  return ratios(times(contender), times(other))
}

/** Microseconds of the server's CPU for one unit of work. */
export const cpuPerUnit = (row: Row, contender: string): number | undefined => {
  const cpuMs = figure(row, contender, "cpuMs")
  return cpuMs === undefined ? undefined : (cpuMs * 1000) / row.units
}
