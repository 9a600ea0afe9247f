/**
 * Entries as `ls -l` shows them: type and mode, owner, group, size or device numbers, time, path.
 *
 * Owners have the names that this machine knows, or are numbers: those of the machine that was backed up can have been
 * others. Times are those of this machine's time zone. Columns are as wide as is usual and grow where a value is longer: nothing is held back to measure it.
 */
import * as ArchivePath from "../../domain/pxar/ArchivePath.ts"
import type { Entry, HardLink } from "../../domain/pxar/Entry.ts"
import * as PartitionAttributes from "../../domain/datastore/PartitionAttributes.ts"
import * as EntryKind from "../../domain/pxar/EntryKind.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Stat from "../../domain/pxar/Stat.ts"
import type { Found } from "../../services/tree/TreeWalk.ts"

/** What each kind is shown as. */
export const letters: Readonly<Record<EntryKind.EntryKind, string>> = {
  directory: "d",
  file: "-",
  symlink: "l",
  fifo: "p",
  socket: "s",
  chardev: "c",
  blockdev: "b",
}

/** How values are shown. */
export interface Style {
  readonly user: (id: number) => string
  readonly group: (id: number) => string
  /** Sizes as people read them. */
  readonly human: boolean
}

/** All but the path. */
export const columns = ({ entry }: Found, style: Style): string =>
  `${mode(entry)} ${owner(entry.uid, entry.gid, style)} ${size(entry, style.human)} ${time(entry)}`

/** User and group. */
export const owner = (uid: number, gid: number, { group, user }: Style): string =>
  `${user(uid).padEnd(5)} ${group(gid).padEnd(5)}`

/** One line, without its end. */
export const line = (found: Found, style: Style): string =>
  `${columns(found, style)} ${PathText.print(found.path)}${suffix(found)}`

/** What follows the name: a symlink's target, that an entry is a hard link to another one, what a partition holds. */
export const suffix = ({ entry, link }: Found): string => {
  if (link !== undefined) return ` link to ${PathText.print(targetPath(link))}`
  if (entry.body._tag === "Symlink") return ` -> ${PathText.print(entry.body.target)}`
  const partition = PartitionAttributes.describe(entry.attributes)
  return partition === undefined ? "" : `  (${PathText.safe(partition)})`
}

/** The path in a hard link, with the slash before it that most archives leave out. */
export const targetPath = ({ path }: HardLink): Uint8Array =>
  path[0] === ArchivePath.ROOT[0] ? path : ArchivePath.join(ArchivePath.ROOT, path)

/** Type and permissions, and a `+` where there is an ACL: eleven characters. */
export const mode = (entry: Entry): string => modeText(letters[EntryKind.of(entry)], entry.mode, hasAcl(entry))

/** The same of what is known of an entry. */
export const modeText = (letter: string, mode: number, hasAcl: boolean): string =>
  letter + permissions(mode) + (hasAcl ? "+" : " ")

const hasAcl = ({ attributes }: Entry): boolean =>
  attributes.aclUsers.length > 0 ||
  attributes.aclGroups.length > 0 ||
  attributes.aclGroupObj !== undefined ||
  attributes.aclDefault !== undefined

const permissions = (mode: number): string =>
  triplet(mode >> 6, (mode & 0o4000) !== 0, "s") +
  triplet(mode >> 3, (mode & 0o2000) !== 0, "s") +
  triplet(mode, (mode & 0o1000) !== 0, "t")

const triplet = (bits: number, special: boolean, letter: string): string => {
  const execute = (bits & 1) !== 0
  const last = special ? (execute ? letter : letter.toUpperCase()) : execute ? "x" : "-"
  return ((bits & 4) === 0 ? "-" : "r") + ((bits & 2) === 0 ? "-" : "w") + last
}

const size = (entry: Entry, human: boolean): string =>
  entry.body._tag === "Device"
    ? `${entry.body.major},${entry.body.minor}`.padStart(SIZE)
    : sizeText(Stat.sizeOf(entry), human)

/** A size in its column. */
export const sizeText = (size: number, human: boolean): string =>
  (human ? humanSize(size) : String(size)).padStart(SIZE)

/** Characters of a usual size. */
const SIZE = 11

/** Powers of 1024, rounded up, as `ls -h` has them. */
const humanSize = (size: number): string => {
  let [value, unit] = [size, 0]
  while (value >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1]
  if (unit === 0) return String(size)
  return `${value < 10 ? (Math.ceil(value * 10) / 10).toFixed(1) : Math.ceil(value)}${UNITS[unit]}`
}

const UNITS = ["", "K", "M", "G", "T", "P"]

/** Seconds on either side of the epoch that a `Date` can hold. */
const DATE_RANGE = 8_640_000_000_000n

/** Local time to the second; seconds since the epoch after an `@` for what no calendar has. */
export const time = (entry: Pick<Entry, "mtimeSeconds">): string => {
  const seconds = entry.mtimeSeconds
  if (seconds > DATE_RANGE || seconds < -DATE_RANGE) return `@${seconds}`.padEnd(19)
  const date = new Date(Number(seconds) * 1000)
  return (
    `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}` +
    ` ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  )
}

const two = (number: number): string => (number < 10 ? `0${number}` : String(number))
