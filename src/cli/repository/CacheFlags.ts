/**
 * Flags about what is kept of chunks: in memory, and on disk of what is far away.
 */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Parameters from "../Parameters.ts"

const units: Readonly<Record<string, number>> = { "": 0, K: 10, M: 20, G: 30, T: 40 }

/** Bytes: a number alone, or with K, M, G or T for powers of 1024. */
const parseSize = (text: string): Option.Option<number> => {
  const [, number, unit = ""] = /^(\d{1,9})([KMGT]?)$/i.exec(text) ?? []
  return number === undefined ? Option.none() : Option.some(Number(number) * 2 ** (units[unit.toUpperCase()] ?? 0))
}

const size = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("SIZE"),
    Flag.filterMap(parseSize, () => "a number of bytes such as 67108864, 64M or 10G"),
    Parameters.optional,
  )

/** Where the disk cache is. */
export const folder = {
  cacheDir: Flag.String("cache-dir").pipe(
    Flag.withDescription("Folder for fetched chunks (default, far away only: ~/.cache/pxar-fuse)"),
    Flag.withMetavar("DIR"),
    Parameters.optional,
  ),
}

/** How large it is. */
export const limit = {
  cacheLimit: size("cache-limit", "How much that folder may hold (default: 10G)"),
}

/** Of commands that read chunks. */
export const flags = {
  chunkCache: size("chunk-cache", "Memory for decoded chunks of a datastore (default: 128M, far away 256M)"),
  ...folder,
  ...limit,
  noCache: Parameters.flag("no-cache", "Keep no fetched chunks on disk"),
}
