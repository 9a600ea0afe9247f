/**
 * Where everything of a sound archive stands: found by reading its items one after the other, as §4.9 does.
 *
 * Written from the specification alone, with nothing of `src`: it says which bytes an entry depends on, so that a test
 * knows what a damage must leave readable.
 */
import { Type } from "./ArchiveBuilder.ts"

export type Range = readonly [from: number, end: number]

export interface Item {
  readonly type: bigint
  readonly start: number
  readonly end: number
}

export interface Place {
  /** Path below the root with a leading slash, one character a byte. */
  readonly path: string
  /** Index of the folder in `places`; undefined for the root. */
  readonly parent: number | undefined
  /** Position of the FILENAME header; 0 for the root. */
  readonly nameStart: number
  /** All that must be whole for the entry to be read, but not its content nor, for a folder, its table. */
  readonly own: Range
  /** A file's content, its PAYLOAD header included. */
  readonly content: { readonly source: "archive" | "payload"; readonly range: Range } | undefined
  /** A folder's GOODBYE. */
  table: Range | undefined
  /** Position of the FILENAME that a hard link names. */
  readonly target: number | undefined
  /** Of the name, as the table has it. */
  hash: bigint
}

export interface Layout {
  readonly items: ReadonlyArray<Item>
  /** The root first. */
  readonly places: ReadonlyArray<Place>
}

const attributes: ReadonlySet<bigint> = new Set([
  Type.XATTR,
  Type.ACL_USER,
  Type.ACL_GROUP,
  Type.ACL_GROUP_OBJ,
  Type.ACL_DEFAULT,
  Type.ACL_DEFAULT_USER,
  Type.ACL_DEFAULT_GROUP,
  Type.FCAPS,
  Type.QUOTA_PROJID,
])

/** Reads a sound archive; throws for one that is not. */
export const scan = (bytes: Buffer): Layout => {
  const items: Array<Item> = []
  const places: Array<Place> = []
  const u64 = (at: number): number => Number(bytes.readBigUInt64LE(at))
  let at = 0
  const next = (): Item => {
    const item = { type: bytes.readBigUInt64LE(at), start: at, end: at + u64(at + 8) }
    if (item.end < at + 16 || item.end > bytes.length) throw new Error(`no sound item at ${at}`)
    items.push(item)
    at = item.end
    return item
  }
  const peek = (): bigint => (at < bytes.length ? bytes.readBigUInt64LE(at) : 0n)

  /** An entry from its FILENAME (or the beginning of the archive) on; true for a folder. */
  const entry = (nameStart: number, path: string, parent: number | undefined): boolean => {
    const head = next()
    const place = { path, parent, nameStart, content: undefined, table: undefined, target: undefined, hash: 0n }
    if (head.type === Type.HARDLINK) {
      places.push({ ...place, own: [nameStart, at], target: nameStart - u64(head.start + 16) })
      return false
    }
    while (attributes.has(peek())) next()
    const end = at
    const type = peek()
    const regular = (bytes.readUInt32LE(head.start + 16) & 0o170000) === 0o100000
    switch (type) {
      case Type.PAYLOAD: {
        const item = next()
        const content = { source: "archive" as const, range: [item.start, item.end] as const }
        places.push({ ...place, own: [nameStart, item.start + 16], content })
        return false
      }
      case Type.PAYLOAD_REF: {
        const item = next()
        const from = u64(item.start + 16)
        const range = [from, from + 16 + u64(item.start + 24)] as const
        places.push({ ...place, own: [nameStart, at], content: { source: "payload", range } })
        return false
      }
      case Type.SYMLINK:
      case Type.DEVICE:
        next()
        places.push({ ...place, own: [nameStart, at] })
        return false
      default:
        if (regular) throw new Error(`file without content at ${nameStart}`)
    }
    const isFolder = (bytes.readUInt32LE(head.start + 16) & 0o170000) === 0o040000
    // What comes after a folder's head shows that it is one.
    places.push({ ...place, own: [nameStart, isFolder ? end + 16 : end] })
    return isFolder
  }

  while (peek() === Type.FORMAT_VERSION || peek() === Type.PRELUDE) next()
  entry(0, "/", undefined)
  const folders = [0]
  for (let folder = folders.at(-1); folder !== undefined; folder = folders.at(-1)) {
    const own = places[folder] as Place
    const item = next()
    if (item.type === Type.GOODBYE) {
      own.table = [item.start, item.end]
      const hashes = new Map<number, bigint>()
      for (let slot = item.start + 16; slot < item.end - 24; slot += 24) {
        hashes.set(item.start - u64(slot + 8), bytes.readBigUInt64LE(slot))
      }
      for (const place of places) if (place.parent === folder) place.hash = hashes.get(place.nameStart) ?? 0n
      folders.pop()
    } else if (item.type === Type.FILENAME) {
      const name = bytes.toString("latin1", item.start + 16, item.end - 1)
      const path = own.path === "/" ? `/${name}` : `${own.path}/${name}`
      const index = places.length
      if (entry(item.start, path, folder)) folders.push(index)
    } else throw new Error(`unexpected item at ${item.start}`)
  }
  return { items, places }
}

const touches = (changed: ReadonlyArray<Range>, [from, end]: Range): boolean =>
  changed.some(([a, b]) => a < end && b > from)

export interface Health {
  /** The archive must open. */
  readonly opens: boolean
  /** Paths whose entries must read as before; `true` where their content must, too. */
  readonly healthy: ReadonlyMap<string, boolean>
}

/** What must be as before when these bytes were changed and no others. Errs on the side of caution. */
export const healthOf = (
  { places }: Layout,
  changed: ReadonlyArray<Range>,
  changedPayload: ReadonlyArray<Range>,
): Health => {
  const healthy = new Map<string, boolean>()
  const root = places[0] as Place
  const whole = (place: Place): boolean => !touches(changed, place.own)
  // Whatever is wrong in a table, its folder can be read forward if everything up to its type is as it was.
  const tableWhole = (place: Place): boolean =>
    place.table !== undefined &&
    (!touches(changed, place.table) || !touches(changed, [place.nameStart, place.table[0] + 8]))
  const opens = whole(root) && tableWhole(root) && !touches(changedPayload, [0, 16])
  if (!opens) return { opens, healthy }
  const reachable: Array<boolean> = []
  const byStart = new Map(places.map((place) => [place.nameStart, place]))
  const unclear = new Set(places.filter((place) => !whole(place)).map((place) => `${place.parent ?? -1} ${place.hash}`))
  for (const place of places) {
    const parent = place.parent
    const below = parent === undefined || (reachable[parent] === true && tableWhole(places[parent] as Place))
    const ok = below && whole(place) && !(parent !== undefined && unclear.has(`${parent} ${place.hash}`))
    reachable.push(ok)
    if (!ok) continue
    const target = place.target === undefined ? place : byStart.get(place.target)
    if (target === undefined || !whole(target)) continue
    // Nor is a link whole that leads to no file.
    if (target !== place && (target.target !== undefined || target.table !== undefined)) continue
    const { content } = target
    const source = content?.source === "payload" ? changedPayload : changed
    healthy.set(place.path, content === undefined || !touches(source, content.range))
  }
  return { opens, healthy }
}
