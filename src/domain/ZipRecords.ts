/**
 * The records of zip archives (APPNOTE 6.3.10) as they are written from front to back: local headers, data descriptors, the
 * central directory, with ZIP64 where numbers need it. Pure; little-endian throughout.
 *
 * Times stand in three places, for three kinds of readers: as DOS has them (two seconds, 1980 to 2107, here in UTC), in
 * seconds of Unix (Info-ZIP's field 0x5455, as far as all read it alike: 1970 to 2037), and in units of 100 ns (the field
 * of NTFS, 0x000a). Not a compressor, and no CRC: who writes an entry knows both.
 */
import * as Bytes from "./Bytes.ts"

/** What is known of an entry before its content. */
export interface ZipEntry {
  /** UTF-8, at most 65,535 bytes; that of a folder ends with a slash, as no other. */
  readonly name: Uint8Array
  readonly isFolder: boolean
  /** Permissions, set-id and sticky bits. */
  readonly mode: number
  readonly mtimeSeconds: bigint
  /** 0…999 999 999, added to the seconds also when those are negative. */
  readonly mtimeNanos: number
  readonly method: Method
  /** Bytes of the content, and of what stands for it in the archive. */
  readonly size: number
  readonly compressed: number
  /** CRC-32 of the content; `undefined` while it is not known: a descriptor follows the content. */
  readonly crc: number | undefined
}

/** The numbers of the methods: bytes as they are, and RFC 1951. */
export const methods = { Stored: 0, Deflated: 8 } as const
export type Method = (typeof methods)[keyof typeof methods]

/** An entry that has been written. */
export interface Written extends ZipEntry {
  readonly crc: number
  /** Where its local header is. */
  readonly start: number
  /** Whether a descriptor follows its content. */
  readonly isDescribed: boolean
}

/** The longest name, in bytes. */
export const MAX_NAME = 0xffff

const U32 = 0xffff_ffff
const U16 = 0xffff

/** Bit 3: sizes and CRC stand after the content. Bit 11: the name is UTF-8. */
const DESCRIBED = 1 << 3
const UTF8 = 1 << 11

const VERSION = 20
const VERSION_ZIP64 = 45
const MADE_BY_UNIX = 3 << 8

const isWide = ({ compressed, size }: ZipEntry): boolean => size >= U32 || compressed >= U32

/** The header before a content. */
export const local = (entry: ZipEntry): Uint8Array => {
  const isDescribed = entry.crc === undefined
  const wide = isWide(entry)
  // Readers tell the width of the sizes after the content by the ZIP64 field in front of it.
  const sizes = isDescribed ? [0, 0] : [entry.size, entry.compressed]
  const extra = Bytes.concat([unixTime(entry), ...(wide ? [zip64(sizes)] : [])])
  const { bytes, view } = record(30, 0x04034b50)
  view.setUint16(4, wide ? VERSION_ZIP64 : VERSION, true)
  common(view, 6, entry, isDescribed)
  view.setUint32(14, entry.crc ?? 0, true)
  view.setUint32(18, isDescribed ? 0 : Math.min(entry.compressed, U32), true)
  view.setUint32(22, isDescribed ? 0 : Math.min(entry.size, U32), true)
  view.setUint16(26, entry.name.length, true)
  view.setUint16(28, extra.length, true)
  return Bytes.concat([bytes, entry.name, extra])
}

/** What follows the content of an entry whose CRC was not known before. */
export const descriptor = (entry: ZipEntry, crc: number): Uint8Array => {
  const { bytes, view } = record(isWide(entry) ? 24 : 16, 0x08074b50)
  view.setUint32(4, crc, true)
  if (isWide(entry)) {
    Bytes.setU64(view, 8, entry.compressed)
    Bytes.setU64(view, 16, entry.size)
  } else {
    view.setUint32(8, entry.compressed, true)
    view.setUint32(12, entry.size, true)
  }
  return bytes
}

/** An entry in the central directory. */
export const central = (entry: Written): Uint8Array => {
  const large = [entry.size, entry.compressed, entry.start].filter((number) => number >= U32)
  const extra = Bytes.concat([unixTime(entry), ntfsTime(entry), ...(large.length > 0 ? [zip64(large)] : [])])
  const { bytes, view } = record(46, 0x02014b50)
  const version = large.length > 0 ? VERSION_ZIP64 : VERSION
  view.setUint16(4, MADE_BY_UNIX | version, true)
  view.setUint16(6, version, true)
  common(view, 8, entry, entry.isDescribed)
  view.setUint32(16, entry.crc, true)
  view.setUint32(20, Math.min(entry.compressed, U32), true)
  view.setUint32(24, Math.min(entry.size, U32), true)
  view.setUint16(28, entry.name.length, true)
  view.setUint16(30, extra.length, true)
  view.setUint16(40, (entry.isFolder ? S_IFDIR : S_IFREG) | entry.mode, true)
  view.setUint16(38, entry.isFolder ? MS_DOS_FOLDER : 0, true)
  view.setUint32(42, Math.min(entry.start, U32), true)
  return Bytes.concat([bytes, entry.name, extra])
}

const S_IFDIR = 0o040000
const S_IFREG = 0o100000
const MS_DOS_FOLDER = 0x10

/** What ends an archive of `entries` whose central directory of `size` bytes begins at `start`. */
export const end = (entries: number, size: number, start: number): Uint8Array => {
  const { bytes, view } = record(22, 0x06054b50)
  view.setUint16(8, Math.min(entries, U16), true)
  view.setUint16(10, Math.min(entries, U16), true)
  view.setUint32(12, Math.min(size, U32), true)
  view.setUint32(16, Math.min(start, U32), true)
  if (entries < U16 && size < U32 && start < U32) return bytes
  const wide = record(56, 0x06064b50)
  Bytes.setU64(wide.view, 4, 56 - 12)
  wide.view.setUint16(12, MADE_BY_UNIX | VERSION_ZIP64, true)
  wide.view.setUint16(14, VERSION_ZIP64, true)
  Bytes.setU64(wide.view, 24, entries)
  Bytes.setU64(wide.view, 32, entries)
  Bytes.setU64(wide.view, 40, size)
  Bytes.setU64(wide.view, 48, start)
  const locator = record(20, 0x07064b50)
  Bytes.setU64(locator.view, 8, start + size)
  locator.view.setUint32(16, 1, true)
  return Bytes.concat([wide.bytes, locator.bytes, bytes])
}

const record = (length: number, signature: number) => {
  const bytes = new Uint8Array(length)
  const view = Bytes.dataView(bytes)
  view.setUint32(0, signature, true)
  return { bytes, view }
}

/** Flags, method and time of DOS, which both headers have one after the other. */
const common = (view: DataView, at: number, entry: ZipEntry, isDescribed: boolean): void => {
  const isAscii = entry.name.every((byte) => byte < 0x80)
  view.setUint16(at, (isDescribed ? DESCRIBED : 0) | (isAscii ? 0 : UTF8), true)
  view.setUint16(at + 2, entry.method, true)
  const seconds = Number(clamp(entry.mtimeSeconds, DOS_FIRST, DOS_LAST))
  const time = new Date(seconds * 1000)
  view.setUint16(at + 4, (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1), true)
  const date = ((time.getUTCFullYear() - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate()
  view.setUint16(at + 6, date, true)
}

const clamp = (value: bigint, low: bigint, high: bigint): bigint => (value < low ? low : value > high ? high : value)

/** 1980-01-01T00:00:00Z and 2107-12-31T23:59:58Z. */
const DOS_FIRST = 315_532_800n
const DOS_LAST = 4_354_819_198n

/** Whether all readers have the time to the second. */
export const hasTime = ({ mtimeSeconds }: Pick<ZipEntry, "mtimeSeconds">): boolean =>
  mtimeSeconds >= 0n && mtimeSeconds < 0x8000_0000n

const unixTime = (entry: ZipEntry): Uint8Array => {
  if (!hasTime(entry)) return Bytes.empty
  const { bytes, view } = field(0x5455, 5)
  view.setUint8(4, 1)
  view.setUint32(5, Number(entry.mtimeSeconds), true)
  return bytes
}

/** Units of 100 ns from 1601 on. It has three times: modified, used, made; the others are not known. */
const ntfsTime = ({ mtimeNanos, mtimeSeconds }: ZipEntry): Uint8Array => {
  const units = (mtimeSeconds + SECONDS_FROM_1601) * 10_000_000n + BigInt(Math.floor(mtimeNanos / 100))
  if (units < 0n || units >= 1n << 63n) return Bytes.empty
  const { bytes, view } = field(0x000a, 32)
  view.setUint16(8, 1, true)
  view.setUint16(10, 24, true)
  for (const at of [12, 20, 28]) view.setBigUint64(at, units, true)
  return bytes
}

const SECONDS_FROM_1601 = 11_644_473_600n

const zip64 = (numbers: ReadonlyArray<number>): Uint8Array => {
  const { bytes, view } = field(0x0001, 8 * numbers.length)
  for (const [index, number] of numbers.entries()) Bytes.setU64(view, 4 + 8 * index, number)
  return bytes
}

const field = (id: number, length: number) => {
  const bytes = new Uint8Array(4 + length)
  const view = Bytes.dataView(bytes)
  view.setUint16(0, id, true)
  view.setUint16(2, length, true)
  return { bytes, view }
}
