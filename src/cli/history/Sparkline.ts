/**
 * Numbers as a small picture of one line.
 */
const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const

/** A bar a number, the largest one full; at most `width`: neighbours are added up where there are more. */
export const make = (numbers: ReadonlyArray<number>, width = 60): string => {
  const each = Math.max(1, Math.ceil(numbers.length / width))
  const sums: Array<number> = []
  for (const [at, number] of numbers.entries()) {
    const slot = Math.floor(at / each)
    sums[slot] = (sums[slot] ?? 0) + number
  }
  const largest = Math.max(...sums, 1)
  return sums.map((sum) => BARS[Math.min(BARS.length - 1, Math.floor((sum / largest) * BARS.length))]).join("")
}
