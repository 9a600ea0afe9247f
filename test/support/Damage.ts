/**
 * Hostile archives: golden and built ones with something wrong, each made by a seed and a number, again and again the
 * same.
 *
 * Most keep their structure but for one lie, because an archive that cannot be opened shows little.
 */
import * as B from "./ArchiveBuilder.ts"
import * as Golden from "./Golden.ts"
import * as Layout from "./Layout.ts"
import * as Random from "./Random.ts"

/** A sound archive to damage. */
export interface Base {
  readonly name: string
  readonly bytes: Buffer
  readonly payload: Buffer | undefined
  readonly layout: Layout.Layout
  /** What a correct file system shows of it, by path; only of golden archives. */
  readonly view: ReadonlyMap<string, Golden.View> | undefined
}

export interface Damaged {
  readonly base: Base
  /** What was done, for people. */
  readonly what: string
  readonly bytes: Buffer
  readonly payload: Buffer | undefined
  /** Everything that is not as it was; `undefined` where everything may be. */
  readonly changed: ReadonlyArray<Layout.Range> | undefined
  readonly changedPayload: ReadonlyArray<Layout.Range>
}

const memoize = (make: () => Base): (() => Base) => {
  let made: Base | undefined
  return () => (made ??= make())
}

const golden = (set: Golden.Golden): (() => Base) =>
  memoize(() => {
    const { bytes, payload } = Golden.load(set)
    const view = new Map(set.view().map((line) => [line.path.toString("latin1"), line]))
    return { name: set.name, bytes, payload, layout: Layout.scan(bytes), view }
  })

const built = (name: string, archive: () => B.Archive): (() => Base) =>
  memoize(() => {
    const { bytes, payload } = B.build(archive())
    const split = archive().version === 2
    return { name, bytes, payload: split ? payload : undefined, layout: Layout.scan(bytes), view: undefined }
  })

const numbers = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, index) => index)

/** Folders in each other. */
const nested = (depth: number): B.Node =>
  numbers(depth).reduce<B.Node>((inner) => B.folder("d", [inner]), B.file("deepest", "content"))

const attributes = (count: number, size: number): Buffer =>
  Buffer.concat([B.entry(), ...numbers(count).map((index) => B.xattr(`user.${index}`, Buffer.alloc(size, index)))])

/** Well-formed, and as unpleasant as the format allows. */
export const builtBases: Readonly<Record<string, () => Base>> = {
  deep: built("built/deep", () => ({ children: [nested(300)] })),
  colliding: built("built/colliding", () => ({
    children: [
      ...B.collidingNames.flat().map((name) => B.file(name, name)),
      ...numbers(40).map((index) =>
        B.file(B.collidingNames[0][index % 2] as string, "again", { key: `again ${index}` }),
      ),
    ],
  })),
  duplicates: built("built/duplicates", () => ({
    version: 2,
    children: numbers(200).map((index) => B.file("same", `${index}`, { key: `${index}` })),
  })),
  links: built("built/links", () => ({
    version: 2,
    children: [
      B.file("a", "content"),
      B.linkTo("b", "a"),
      B.linkTo("c", "b"),
      B.folder("d", [B.linkTo("a", "c"), B.linkTo("e", "a")]),
      B.linkTo("f", "d"),
    ],
  })),
  attributes: built("built/attributes", () => ({
    children: [
      B.file("many", "content", { head: attributes(3000, 3) }),
      B.file("large", "content", { head: attributes(20, 65_000) }),
      B.file("largest", "x", { head: Buffer.concat([B.entry(), B.xattr("user.x", Buffer.alloc(65_536 - 6 + 248))]) }),
      B.file("longest", "x", { head: Buffer.concat([B.entry(), B.xattr("n".repeat(60_000), "v")]) }),
    ],
  })),
  wide: built("built/wide", () => ({
    version: 2,
    children: numbers(1500).map((index) => B.file(`file ${index}`, `${index}`)),
  })),
  names: built("built/names", () => ({
    children: [1, 255, 256, 1023, 1024, 1025, 4096].map((length) => B.file("n".repeat(length), "x")),
  })),
}

const light = [
  ...Golden.tiny.map(golden),
  ...[Golden.collisionsV1, Golden.synthV2, Golden.synthV2np].map(golden),
  builtBases["links"],
  builtBases["colliding"],
  builtBases["names"],
].filter((base) => base !== undefined)
const heavy = [...[Golden.treeV2, Golden.synthV1, Golden.treeV1].map(golden), ...Object.values(builtBases)]

/** Numbers that a size or an offset must never be believed with. */
export const edges = (length: number): ReadonlyArray<bigint> => [
  0n,
  1n,
  -1n,
  15n,
  16n,
  17n,
  23n,
  24n,
  40n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  1n << 40n,
  (1n << 53n) - 1n,
  1n << 53n,
  (1n << 53n) + 1n,
  1n << 63n,
  (1n << 63n) - 1n,
  (1n << 64n) - 16n,
  (1n << 64n) - 17n,
  BigInt(length),
  BigInt(length - 1),
  BigInt(length + 1),
  16n + 24n * ((1n << 40n) + 1n),
]

type Kind = (base: Base, random: Random.Random) => Damaged | undefined

const same = (base: Base, what: string): Damaged => ({
  base,
  what,
  bytes: base.bytes,
  payload: base.payload,
  changed: [],
  changedPayload: [],
})

/** With bytes replaced, on top of what was done before. */
const replace = (damaged: Damaged, at: number, bytes: Uint8Array, what: string): Damaged => {
  const whole = at >= 0 && at + bytes.length <= damaged.bytes.length
  if (!whole) return damaged
  return {
    ...damaged,
    what: `${damaged.what}${damaged.what === "" ? "" : "; "}${what}`,
    bytes: B.splice(damaged.bytes, at, bytes),
    changed: damaged.changed === undefined ? undefined : [...damaged.changed, [at, at + bytes.length]],
  }
}

/** Positions of numbers of 64 bits in the items: type, size, and what comes first in the content. */
const fieldsOf = ({ end, start, type }: Layout.Item): ReadonlyArray<number> => {
  const content = Math.floor((Math.min(end, start + 16 + (type === B.Type.GOODBYE ? 24 * 64 : 40)) - start) / 8)
  const tail = type === B.Type.GOODBYE ? [end - 24, end - 16, end - 8] : []
  return [...numbers(content).map((index) => start + 8 * index), ...tail]
}

/** A position that matters: within an item's header or the first bytes of its content, or anywhere. */
const position = (base: Base, random: Random.Random): number => {
  if (random.once(5)) return random.below(base.bytes.length)
  const { end, start } = random.pick(base.layout.items)
  return start + random.below(Math.min(end - start, 64))
}

const folders = (base: Base) => base.layout.places.filter(({ table }) => table !== undefined)

/** A table and the number of its slots. */
const table = (base: Base, random: Random.Random, least: number) => {
  const all = folders(base).filter(({ table }) => table !== undefined && (table[1] - table[0] - 40) / 24 >= least)
  if (all.length === 0) return undefined
  const place = random.pick(all)
  const [from, end] = place.table as Layout.Range
  const count = (end - from - 40) / 24
  return { place, from, end, count, slot: () => from + 16 + 24 * random.below(count) }
}

const flip: Kind = (base, random) => {
  let damaged = same(base, "")
  for (let count = 1 + random.below(random.once(3) ? 12 : 2); count > 0; count--) {
    const at = position(base, random)
    const value = (damaged.bytes[at] as number) ^ (random.once(2) ? 1 << random.below(8) : 1 + random.below(255))
    damaged = replace(damaged, at, Uint8Array.of(value), `byte ${at} is ${value}`)
  }
  return damaged
}

const number: Kind = (base, random) => {
  let damaged = same(base, "")
  for (let count = random.once(4) ? 2 : 1; count > 0; count--) {
    const item = random.pick(base.layout.items)
    const at = random.pick(fieldsOf(item))
    const before = base.bytes.readBigUInt64LE(at)
    const near = [before + 1n, before - 1n, before + 24n, before - 24n, before * 2n, before + 16n, before - 16n]
    const value = BigInt.asUintN(64, random.pick(random.once(3) ? near : edges(base.bytes.length)))
    damaged = replace(damaged, at, B.u64(value), `number at ${at} is ${value}`)
  }
  return damaged
}

const truncate: Kind = (base, random) => {
  const length = random.once(3) ? base.bytes.length - 1 - random.below(64) : random.below(base.bytes.length)
  return { ...same(base, `cut to ${length}`), bytes: base.bytes.subarray(0, Math.max(0, length)), changed: undefined }
}

/** Bytes taken out or put in; the root's tail is made to fit again, so that it opens. */
const shift: Kind = (base, random) => {
  const at = random.once(2) ? random.pick(base.layout.items).start : random.below(base.bytes.length)
  const length = 1 + random.below(random.once(2) ? 16 : 400)
  const source = random.below(base.bytes.length)
  const inserted = random.once(2) ? base.bytes.subarray(source, source + length) : Buffer.alloc(0)
  const rest = inserted.length === 0 ? base.bytes.subarray(at + length) : base.bytes.subarray(at)
  const bytes = Buffer.concat([base.bytes.subarray(0, at), inserted, rest])
  const root = base.layout.places[0]?.table
  if (root !== undefined && bytes.length > root[1] - root[0]) {
    bytes.writeBigUInt64LE(BigInt(bytes.length - (root[1] - root[0])), bytes.length - 16)
  }
  const what = inserted.length === 0 ? `${length} bytes out at ${at}` : `${length} bytes of ${source} in at ${at}`
  return { ...same(base, what), bytes, changed: undefined }
}

/** Items over items. */
const overwrite: Kind = (base, random) => {
  const { start } = random.pick(base.layout.items)
  const item = random.pick(base.layout.items)
  const bytes = base.bytes.subarray(item.start, Math.min(item.end, item.start + 2000))
  return replace(same(base, ""), start, bytes, `item of ${item.start} at ${start}`)
}

/** A child's slot leads to another place: a sibling, the folder itself, one of its parents, anything with a name. */
const detour: Kind = (base, random) => {
  const found = table(base, random, 1)
  if (found === undefined) return undefined
  const { from, place } = found
  const slot = found.slot()
  const elsewhere = random.pick([place, ...base.layout.places])
  const to = random.pick([elsewhere.nameStart, elsewhere.nameStart, elsewhere.own[1], place.nameStart])
  let damaged = replace(same(base, ""), slot + 8, B.u64(from - to), `slot ${slot} leads to ${to}`)
  // With the size that the bound asks for, so that it is not refused for that alone.
  if (random.once(2)) damaged = replace(damaged, slot + 16, B.u64(from - to), "with a size up to the table")
  return damaged
}

/** One slot over another: the same child twice, or one of another folder. */
const repeat: Kind = (base, random) => {
  const [one, other] = [table(base, random, 1), table(base, random, 1)]
  if (one === undefined || other === undefined) return undefined
  const [to, from] = [one.slot(), random.once(2) ? one.slot() : other.slot()]
  return replace(same(base, ""), to, base.bytes.subarray(from, from + 24), `slot ${from} also at ${to}`)
}

/** Bits inside one table, of its items, its header or its tail: all that is in its folder must stay readable. */
const flipTable: Kind = (base, random) => {
  const found = table(base, random, 1)
  if (found === undefined) return undefined
  const { end, from } = found
  let damaged = same(base, "")
  for (let count = 1 + random.below(random.once(3) ? 8 : 2); count > 0; count--) {
    const at = random.once(4) ? end - 1 - random.below(24) : from + random.below(end - from)
    const value = (damaged.bytes[at] as number) ^ (1 << random.below(8))
    damaged = replace(damaged, at, Uint8Array.of(value), `byte ${at} of a table is ${value}`)
  }
  return damaged
}

/** A table that claims to be another: smaller, larger, enormous. */
const claim: Kind = (base, random) => {
  const found = table(base, random, 0)
  if (found === undefined) return undefined
  const { end, from } = found
  const entries = random.pick([0n, 1n, 2n ** 20n, 2n ** 32n, 2n ** 40n, 2n ** 58n, BigInt(random.below(2000))])
  const size = BigInt.asUintN(64, 40n + 24n * entries)
  let damaged = replace(same(base, ""), end - 8, B.u64(size), `table that ends at ${end} claims ${entries} entries`)
  if (random.once(2)) damaged = replace(damaged, from + 8, B.u64(size), "in its header, too")
  return damaged
}

/** All hashes of a folder alike. */
const collide: Kind = (base, random) => {
  const found = table(base, random, 2)
  if (found === undefined) return undefined
  const { count, from } = found
  const hash = base.bytes.subarray(found.slot()).subarray(0, 8)
  let damaged = same(base, "")
  for (const index of numbers(Math.min(count, 300))) {
    damaged = replace(damaged, from + 16 + 24 * index, hash, index === 0 ? `all hashes of ${from} alike` : "…")
  }
  return { ...damaged, what: `all hashes of the table at ${from} alike` }
}

/** A hard link to another place. */
const relink: Kind = (base, random) => {
  const links = base.layout.places.filter(({ target }) => target !== undefined)
  if (links.length === 0) return undefined
  const link = random.pick(links)
  const at = link.own[0] + Number(base.bytes.readBigUInt64LE(link.own[0] + 8)) + 16
  const to = random.pick(base.layout.places).nameStart
  const back = random.once(3) ? random.pick(edges(base.bytes.length)) : BigInt(link.nameStart - to)
  return replace(same(base, ""), at, B.u64(back), `hard link at ${link.nameStart} goes ${back} back`)
}

/** A name like that of another, or one that must not be. */
const rename: Kind = (base, random) => {
  const names = base.layout.items.filter(({ type }) => type === B.Type.FILENAME)
  if (names.length === 0) return undefined
  const { end, start } = random.pick(names)
  const other = random.pick(names)
  const hostile = ["..", ".", "/", "a/b", "\0", "a\0b", "../../etc/passwd", "\n", "\x1b[2J"].map((text) =>
    Buffer.from(`${text}\0`),
  )
  const name = random.once(2) ? base.bytes.subarray(other.start + 16, other.end) : random.pick(hostile)
  const bytes = name.subarray(0, end - start - 16)
  const damaged = replace(same(base, ""), start + 16, bytes, `name at ${start} is ${bytes.toString("hex")}`)
  // An item that ends with its new name shows what follows as something else.
  return random.once(2) ? damaged : replace(damaged, start + 8, B.u64(16 + bytes.length), "and as short")
}

/** The payload archive: bytes, numbers, its end. */
const payload: Kind = (base, random) => {
  const { payload } = base
  if (payload === undefined) return undefined
  const damaged = same(base, "")
  if (random.once(4)) {
    const length = random.below(payload.length)
    const what = `payload archive cut to ${length}`
    return { ...damaged, what, payload: payload.subarray(0, length), changedPayload: [[Math.min(length, 15), 2 ** 53]] }
  }
  const places = base.layout.places.filter(({ content }) => content?.source === "payload")
  const at =
    random.once(6) || places.length === 0 ? random.below(payload.length - 8) : random.pick(places).content!.range[0]
  const [bytes, offset] = random.once(2)
    ? [random.bytes(1), random.below(17)]
    : [B.u64(random.pick(edges(payload.length))), 8]
  const to = Math.min(at + offset, payload.length - bytes.length)
  const what = `payload archive has ${bytes.toString("hex")} at ${to}`
  return { ...damaged, what, payload: B.splice(payload, to, bytes), changedPayload: [[to, to + bytes.length]] }
}

const several: Kind = (base, random) => {
  const [first, second] = [number(base, random), detour(base, random) ?? number(base, random)]
  if (first === undefined || second === undefined) return undefined
  let damaged = first
  for (const [from, end] of second.changed ?? []) {
    damaged = replace(damaged, from, second.bytes.subarray(from, end), second.what)
  }
  return damaged
}

/** How often each kind is chosen. */
const kinds: ReadonlyArray<Kind> = [
  [flip, flip, flip, number, number, number, number, truncate, shift, shift, overwrite, overwrite],
  [
    flipTable,
    flipTable,
    flipTable,
    detour,
    detour,
    repeat,
    claim,
    claim,
    collide,
    relink,
    rename,
    rename,
    payload,
    payload,
    several,
  ],
].flat()

/** Another archive's payload beside this one's metadata, or none. */
const withOtherPayload = (damaged: Damaged, random: Random.Random): Damaged => {
  const other = random.once(2) ? undefined : random.pick(light)().payload
  const what = `${damaged.what}; ${other === undefined ? "no payload archive" : "another payload archive"}`
  return { ...damaged, what, payload: other, changed: undefined }
}

/** The archive with this number of a seed. */
export const make = (seed: number, index: number): Damaged => {
  const random = Random.make(seed, index)
  const base = random.pick(random.once(8) ? heavy : light)()
  for (;;) {
    const damaged = random.pick(kinds)(base, random)
    if (damaged === undefined) continue
    return base.payload !== undefined && random.once(20) ? withOtherPayload(damaged, random) : damaged
  }
}
