/**
 * Flags about what a mount may use to be fast.
 */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Parameters from "../Parameters.ts"

const units: Readonly<Record<string, number>> = { "": 0, K: 10, M: 20, G: 30 }

/** Bytes: a number alone, or with K, M or G for powers of 1024. */
export const parseSize = (text: string): Option.Option<number> => {
  const [, number, unit = ""] = /^(\d{1,9})([KMG]?)$/i.exec(text) ?? []
  return number === undefined ? Option.none() : Option.some(Number(number) * 2 ** (units[unit.toUpperCase()] ?? 0))
}

const size = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("SIZE"),
    Flag.filterMap(parseSize, () => "a number of bytes such as 65536, 512K or 64M"),
    Parameters.optional,
  )

export const flags = {
  cacheSize: size("cache-size", "Memory for what has been read of the archive's structure (default: 24M)"),
  readAhead: size(
    "read-ahead",
    "How much the kernel reads ahead (default: 1M for root; others cannot have more than 128K)",
  ),
  noPrefetch: Parameters.flag(
    "no-prefetch",
    "Do not fill the kernel's page cache for who reads a folder's files in order",
  ),
}
