/**
 * Builds pxar archives from explicit items, for tests: well-formed ones by default, damaged ones precisely where asked.
 *
 * Written from the specification alone. It shares nothing with `src`: type values are literals, SipHash is computed
 * with `bigint`, and tables are ordered by §3.5's recursive rank formulation, so that it can serve as an oracle.
 */

/** Item type values of §1.4. */
export const Type = {
  FORMAT_VERSION: 0x730f6c75df16a40dn,
  PRELUDE: 0xe309d79d9f7b771bn,
  ENTRY: 0xd5956474e588acefn,
  ENTRY_V1: 0x11da850a1c1cceffn,
  FILENAME: 0x16701121063917b3n,
  SYMLINK: 0x27f971e7dbf5dc5fn,
  DEVICE: 0x9fc9e906586d5ce9n,
  XATTR: 0x0dab0229b57dcd03n,
  ACL_USER: 0x2ce8540a457d55b8n,
  ACL_GROUP: 0x136e3eceb04c03abn,
  ACL_GROUP_OBJ: 0x10868031e9582876n,
  ACL_DEFAULT: 0xbbbb13415a6896f5n,
  ACL_DEFAULT_USER: 0xc89357b40532cd1fn,
  ACL_DEFAULT_GROUP: 0xf90a8a5816038ffen,
  FCAPS: 0x2da9dd9db5f7fb67n,
  QUOTA_PROJID: 0xe07540e82f7d1cbbn,
  HARDLINK: 0x51269c8422bd7275n,
  PAYLOAD: 0x28147a1b0b7c1a25n,
  PAYLOAD_REF: 0x419d3d6bc4ba977en,
  GOODBYE: 0x2fec4fa642d5731dn,
  GOODBYE_TAIL_MARKER: 0xef5eed5b753e1555n,
  PAYLOAD_START_MARKER: 0x834c68c2194a4ed2n,
  PAYLOAD_TAIL_MARKER: 0x6c72b78b984c81b5n,
} as const

/** Names with one hash a pair (§3.1). */
export const collidingNames = [
  ["4c882e7c61e1107d", "af5371ac03436a4a"],
  ["45fa165028018769", "0b176e16b4e68c49"],
  ["7350a0cd3e70e879", "fb5600920a6a9f33"],
] as const

export type Text = string | Uint8Array

const bytesOf = (text: Text): Uint8Array => (typeof text === "string" ? Buffer.from(text) : text)

/** Unsigned 64-bit numbers, little-endian, one after the other; negative ones as two's complement. */
export const u64 = (...values: ReadonlyArray<number | bigint>): Buffer => {
  const bytes = Buffer.alloc(8 * values.length)
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 8 * index)
  return bytes
}

/** An item; `size` replaces the size in its header. */
export const item = (type: bigint, content: Uint8Array = Buffer.alloc(0), size?: number | bigint): Buffer =>
  Buffer.concat([u64(type, size ?? 16 + content.length), content])

export interface Head {
  readonly mode?: number | bigint
  readonly flags?: bigint
  readonly uid?: number
  readonly gid?: number
  readonly seconds?: number | bigint
  readonly nanos?: number
}

export const entry = (head: Head = {}): Buffer => {
  const content = Buffer.alloc(40)
  content.set(u64(head.mode ?? 0o100644, head.flags ?? 0))
  content.writeUInt32LE(head.uid ?? 0, 16)
  content.writeUInt32LE(head.gid ?? 0, 20)
  content.set(u64(head.seconds ?? 0), 24)
  content.writeUInt32LE(head.nanos ?? 0, 32)
  return item(Type.ENTRY, content)
}

/** The legacy entry; `nanoseconds` since the epoch. */
export const entryV1 = (head: Head & { readonly nanoseconds?: bigint } = {}): Buffer => {
  const content = Buffer.alloc(32)
  content.set(u64(head.mode ?? 0o100644, head.flags ?? 0))
  content.writeUInt32LE(head.uid ?? 0, 16)
  content.writeUInt32LE(head.gid ?? 0, 20)
  content.set(u64(head.nanoseconds ?? 0), 24)
  return item(Type.ENTRY_V1, content)
}

const terminated = (text: Text): Buffer => Buffer.concat([bytesOf(text), Buffer.alloc(1)])

export const filename = (name: Text): Buffer => item(Type.FILENAME, terminated(name))
export const symlink = (target: Text): Buffer => item(Type.SYMLINK, terminated(target))
export const device = (major: number | bigint, minor: number | bigint): Buffer => item(Type.DEVICE, u64(major, minor))
export const payload = (content: Text): Buffer => item(Type.PAYLOAD, bytesOf(content))
export const payloadRef = (offset: number | bigint, size: number | bigint): Buffer =>
  item(Type.PAYLOAD_REF, u64(offset, size))
export const hardlink = (offset: number | bigint, path: Text): Buffer =>
  item(Type.HARDLINK, Buffer.concat([u64(offset), terminated(path)]))
export const xattr = (name: Text, value: Text): Buffer =>
  item(Type.XATTR, Buffer.concat([terminated(name), bytesOf(value)]))
export const formatVersion = (version: number | bigint): Buffer => item(Type.FORMAT_VERSION, u64(version))
export const prelude = (content: Text): Buffer => item(Type.PRELUDE, bytesOf(content))

const MASK_64 = (1n << 64n) - 1n
const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & MASK_64

/** SipHash-2-4, after the paper. */
export const sipHash = (text: Text, k0 = 0x83ac3f1cfbb450dbn, k1 = 0xaa4f1b6879369fbdn): bigint => {
  const message = Buffer.from(bytesOf(text))
  const padded = Buffer.alloc((Math.floor(message.length / 8) + 1) * 8)
  message.copy(padded)
  padded.writeUInt8(message.length & 0xff, padded.length - 1)
  let [v0, v1, v2, v3] = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ]
  const round = (): void => {
    v0 = (v0 + v1) & MASK_64
    v1 = rotate(v1, 13n) ^ v0
    v0 = rotate(v0, 32n)
    v2 = (v2 + v3) & MASK_64
    v3 = rotate(v3, 16n) ^ v2
    v0 = (v0 + v3) & MASK_64
    v3 = rotate(v3, 21n) ^ v0
    v2 = (v2 + v1) & MASK_64
    v1 = rotate(v1, 17n) ^ v2
    v2 = rotate(v2, 32n)
  }
  for (let at = 0; at < padded.length; at += 8) {
    const word = padded.readBigUInt64LE(at)
    v3 ^= word
    round()
    round()
    v0 ^= word
  }
  v2 ^= 0xffn
  for (let i = 0; i < 4; i++) round()
  return v0 ^ v1 ^ v2 ^ v3
}

/** For each slot of a table of `count` children its rank: §3.5's formulation by the rank of each subtree's root. */
export const rankOrder = (count: number): ReadonlyArray<number> => {
  const ranks = Array.from({ length: count }, () => -1)
  const place = (slot: number, from: number, m: number): void => {
    if (m === 0) return
    const p = 2 ** Math.floor(Math.log2(m))
    const t = p + Math.floor(p / 2) - 1
    const r = m > t ? p - 1 : p - 1 - (t - m)
    ranks[slot] = from + r
    place(2 * slot + 1, from, r)
    place(2 * slot + 2, from + r + 1, m - r - 1)
  }
  place(0, 0, count)
  return ranks
}

export interface TableItem {
  readonly hash: bigint
  /** Distance back from the GOODBYE header. */
  readonly offset: number | bigint
  readonly size: number | bigint
}

/** The slot order of `items`: sorted by hash (equal ones stay in the order given), then arranged as a heap. */
export const arrange = <A extends { readonly hash: bigint }>(items: ReadonlyArray<A>): Array<A> => {
  const sorted = items.toSorted((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0))
  return rankOrder(items.length).map((rank) => sorted[rank] as A)
}

/** A GOODBYE item with `slots` in the order given; `back` is the distance from its header to the directory's start. */
export const goodbye = (slots: ReadonlyArray<TableItem>, back: number | bigint): Buffer =>
  item(
    Type.GOODBYE,
    Buffer.concat([
      ...slots.map((slot) => u64(slot.hash, slot.offset, slot.size)),
      u64(Type.GOODBYE_TAIL_MARKER, back, 16 + 24 * (slots.length + 1)),
    ]),
  )

/** A child as the builder takes it. */
export interface Node {
  readonly name: Text
  /** Stands for the name in `Built.at` paths, where two children have the same name. */
  readonly key?: string
  /** The whole FILENAME item, in place of a well-formed one. */
  readonly filename?: Uint8Array
  /** Everything of the entry before content and children: ENTRY and attributes, possibly a terminal item. */
  readonly items: Uint8Array
  /** A file's content: inline, or by reference in a split archive. */
  readonly content?: { readonly bytes: Uint8Array; readonly inline: boolean }
  /** A directory's children, in stream order. */
  readonly children?: ReadonlyArray<Node>
  /** A hard link to the node at this path. */
  readonly link?: string
}

interface FileOptions {
  readonly key?: string
  readonly head?: Uint8Array
  readonly inline?: boolean
}

export const file = (name: Text, content: Text = "", options: FileOptions = {}): Node => ({
  name,
  ...(options.key === undefined ? {} : { key: options.key }),
  items: options.head ?? entry({ mode: 0o100644 }),
  content: { bytes: bytesOf(content), inline: options.inline ?? false },
})

export const folder = (
  name: Text,
  children: ReadonlyArray<Node>,
  head: Uint8Array = entry({ mode: 0o40755 }),
): Node => ({
  name,
  items: head,
  children,
})

/** A child of any items: ENTRY, attributes, terminal item. */
export const raw = (name: Text, ...items: ReadonlyArray<Uint8Array>): Node => ({ name, items: Buffer.concat(items) })

/** A hard link to the node at `link`, a path of names (or keys) without a leading slash. */
export const linkTo = (name: Text, link: string): Node => ({ name, items: Buffer.alloc(0), link })

/** Where a node is. All positions are offsets in the archive. */
export interface Place {
  /** FILENAME header; 0 for the root. */
  readonly nameStart: number
  /** ENTRY header; 0 for the root. */
  readonly start: number
  readonly end: number
  /** Directories: the GOODBYE header. */
  readonly goodbye: number
  /** Directories: position of the table item of the child with this name (or key). */
  readonly slot: (name: string) => number
}

export interface Built {
  readonly bytes: Buffer
  /** The payload archive; without files if there are none. */
  readonly payload: Buffer
  /** The node at a path of names (or keys) without a leading slash; "" is the root. */
  readonly at: (path: string) => Place
}

export interface Archive {
  readonly version?: 1 | 2
  /** What stands before the root's entry; FORMAT_VERSION in version 2 unless given. */
  readonly head?: Uint8Array
  /** The root's ENTRY and attributes. */
  readonly root?: Uint8Array
  readonly children?: ReadonlyArray<Node>
  /** Version 2: whether goodbye sizes of files include the payload (§3.3, the first form). On by default. */
  readonly countPayload?: boolean
}

/** Builds an archive. */
export const build = (archive: Archive): Built => {
  const version = archive.version ?? 1
  const parts: Array<Uint8Array> = []
  let position = 0
  const write = (bytes: Uint8Array): void => {
    parts.push(bytes)
    position += bytes.length
  }
  const payloads: Array<Uint8Array> = [item(Type.PAYLOAD_START_MARKER)]
  let payloadPosition = 16
  const places = new Map<string, Place>()
  const place = (path: string): Place => {
    const found = places.get(path)
    if (found === undefined) throw new Error(`no node at "${path}" yet`)
    return found
  }

  /** Writes children and table of the directory that starts at `start`. */
  const writeContents = (
    children: ReadonlyArray<Node>,
    path: string,
    start: number,
  ): Pick<Place, "goodbye" | "slot"> => {
    const written = children.map((child) => {
      const nameStart = position
      const key = child.key ?? Buffer.from(bytesOf(child.name)).toString()
      const counted = writeChild(child, path === "" ? key : `${path}/${key}`)
      return { key, hash: sipHash(child.name), nameStart, size: position - nameStart + counted }
    })
    const goodbyeStart = position
    const slots = arrange(written)
    write(
      goodbye(
        slots.map(({ hash, nameStart, size }) => ({ hash, offset: goodbyeStart - nameStart, size })),
        goodbyeStart - start,
      ),
    )
    return {
      goodbye: goodbyeStart,
      slot: (name) => goodbyeStart + 16 + 24 * slots.findIndex(({ key }) => key === name),
    }
  }

  /** Writes a child; returns the bytes that its goodbye size counts beyond those written. */
  const writeChild = (child: Node, path: string): number => {
    const nameStart = position
    write(child.filename ?? filename(child.name))
    const start = position
    if (child.link !== undefined) write(hardlink(nameStart - place(child.link).nameStart, child.link))
    write(child.items)
    let counted = 0
    let contents: Pick<Place, "goodbye" | "slot"> = { goodbye: -1, slot: () => -1 }
    if (child.content !== undefined) {
      const { bytes, inline } = child.content
      if (version === 1 || inline) {
        write(payload(bytes))
      } else {
        write(payloadRef(payloadPosition, bytes.length))
        payloads.push(payload(bytes))
        payloadPosition += 16 + bytes.length
        if (archive.countPayload ?? true) counted = bytes.length
      }
    }
    if (child.children !== undefined) contents = writeContents(child.children, path, start)
    places.set(path, { nameStart, start, end: position, ...contents })
    return counted
  }

  if (archive.head !== undefined) write(archive.head)
  else if (version === 2) write(formatVersion(2))
  write(archive.root ?? entry({ mode: 0o40755 }))
  const root = writeContents(archive.children ?? [], "", 0)
  places.set("", { nameStart: 0, start: 0, end: position, ...root })
  payloads.push(item(Type.PAYLOAD_TAIL_MARKER))
  return { bytes: Buffer.concat(parts), payload: Buffer.concat(payloads), at: place }
}

/** A copy of `bytes` with a u64 replaced. */
export const poke = (bytes: Uint8Array, position: number, value: number | bigint): Buffer =>
  splice(bytes, position, u64(value))

/** A copy of `bytes` with some of them replaced. */
export const splice = (bytes: Uint8Array, position: number, replacement: Uint8Array): Buffer => {
  const copy = Buffer.from(bytes)
  copy.set(replacement, position)
  return copy
}
