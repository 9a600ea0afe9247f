/**
 * The figures as tables for people and as JSON for programs.
 */
import type { Row } from "./Measure.ts"
import * as Statistics from "./Statistics.ts"

/** A group of rows with the same contenders, measured in the same way. */
export interface Section {
  readonly title: string
  readonly contenders: ReadonlyArray<string>
  /** The contender whose times the others' are divided by. */
  readonly peer: string
  readonly rounds: number
  readonly rows: ReadonlyArray<Row>
}

/** All tables of a section, and of how many rounds the medians are. */
export const tables = (section: Section): string =>
  [times(section), ...(section.rows.some(hasRequests) ? [requests(section)] : []), footer(section)].join("\n")

/** Below that a median hides nothing: the middle of two is their mean. */
const FEWEST_ROUNDS = 3

const footer = ({ rounds }: Section): string => {
  const caution =
    rounds < FEWEST_ROUNDS ? `: fewer than ${FEWEST_ROUNDS}, so whatever disturbed one is in the figures` : ""
  return `rounds: ${rounds}${caution}\n`
}

/** Short names for wide tables. */
const labels: Readonly<Record<string, string>> = { squashfuse_ll: "sq", directory: "dir" }

const label = (name: string): string => labels[name] ?? name

/** What the columns are. */
export const legend =
  "v1, v2: this program on either kind of archive; sq: squashfuse_ll; dir: the plain directory. Median wall time in\n" +
  "ms, median of the ratios of each round (least–most; ? where these are so far apart that it means little), CPU time of the server (of the command) per unit, peak of its memory.\n"

const hasRequests = (row: Row): boolean => Object.keys(row.requests).length > 0

const times = ({ contenders, peer, rows, title }: Section): string => {
  const present = contenders.filter((name) => rows.some((row) => row.samples[name] !== undefined))
  const peerIsThere = present.includes(peer)
  const compared = present.filter((name) => peerIsThere && name !== peer && name !== "directory")
  const served = present.filter((name) => rows.some((row) => Statistics.figure(row, name, "cpuMs") !== undefined))
  const twoBuilds = present.includes("base")
  const header = [
    title,
    ...present.map((name) => `${label(name)} ms`),
    ...compared.map((name) => `${label(name)}/${label(peer)}`),
    ...(twoBuilds ? ["v1/base"] : []),
    ...served.map((name) => `${label(name)} µs`),
    "CPU per",
    ...served.map((name) => `${label(name)} MiB`),
  ]
  const lines = rows.map((row) => [
    row.name,
    ...present.map((name) => short(Statistics.figure(row, name, "wallMs"))),
    ...compared.map((name) => spread(Statistics.ratiosOf(row, name, peer))),
    ...(twoBuilds ? [spread(Statistics.ratiosOf(row, "v1", "base"))] : []),
    ...served.map((name) => short(Statistics.cpuPerUnit(row, name))),
    row.unit,
    ...served.map((name) => fixed((Statistics.figure(row, name, "peakKiB") ?? Number.NaN) / 1024, 0)),
  ])
  return align([header, ...lines])
}

const requests = ({ contenders, rows }: Section): string => {
  const lines = rows.flatMap((row) =>
    contenders
      .filter((name) => row.requests[name] !== undefined)
      .map((name) => [row.name, name, describe(row.requests[name] ?? {}, row)]),
  )
  return align([["requests", "", "", ""], ...lines])
}

const describe = (counts: Readonly<Record<string, number>>, row: Row): string => {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a)
  const all = sorted.reduce((sum, [, count]) => sum + count, 0)
  const per = row.unit === "mount" ? "" : ` (${(all / row.units).toFixed(2)} per ${row.unit})`
  return all === 0 ? "none" : `${all}${per}: ${sorted.map(([name, count]) => `${name} ${count}`).join(", ")}`
}

/** The middle ratio, with the least and the greatest; a question mark behind it where these are far apart. */
const spread = (ratios: ReadonlyArray<number>): string => {
  const { least, median, most } = Statistics.spread(ratios)
  if (median === undefined) return "–"
  return `${fixed(median, 2)} (${fixed(least, 2)}–${fixed(most, 2)})${Statistics.isMeaningless(ratios) ? " ?" : ""}`
}

const short = (value: number | undefined): string => fixed(value, value !== undefined && value < 100 ? 1 : 0)

const fixed = (value: number | undefined, digits: number): string =>
  value === undefined || Number.isNaN(value) ? "–" : value.toFixed(digits)

/** Columns as wide as their longest cell; numbers to the right, the first column and texts to the left. */
const align = (lines: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths: Array<number> = []
  for (const line of lines) {
    for (const [column, cell] of line.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  }
  const numeric = widths.map((_, column) => lines.slice(1).every((line) => /^(?:[\d.]+|–)$/.test(line[column] ?? "")))
  const render = (line: ReadonlyArray<string>): string =>
    line
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd()
  return `${lines.map(render).join("\n")}\n`
}
