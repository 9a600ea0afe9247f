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

/** The middle value of one figure of a contender. */
export const figure = (row: Row, contender: string, of: keyof Sample): number | undefined =>
  median((row.samples[contender] ?? []).map((sample) => sample[of]).filter((value) => value !== undefined))

/** The middle one of the ratios of a contender's times to another's, taken round by round. */
export const ratio = (row: Row, contender: string, other: string): number | undefined => {
  const others = row.samples[other] ?? []
  return median(
    (row.samples[contender] ?? []).flatMap(({ wallMs }, round) => {
      const against = others[round]
      return against === undefined ? [] : [wallMs / against.wallMs]
    }),
  )
}

/** Microseconds of the server's CPU for one unit of work. */
export const cpuPerUnit = (row: Row, contender: string): number | undefined => {
  const cpuMs = figure(row, contender, "cpuMs")
  return cpuMs === undefined ? undefined : (cpuMs * 1000) / row.units
}
