/**
 * Arbitrary trees for writers: names of any bytes, all kinds, any metadata, colliding names, empty folders.
 *
 * A list of numbers decides everything, so that failures shrink to a short one, which is a small tree.
 */
import { Arbitrary, Schema } from "effect"
import { type Attributes, noAttributes } from "../../src/domain/pxar/Entry.ts"
import type { Metadata } from "../../src/domain/pxar/EntryEncoder.ts"
import { collidingNames } from "./ArchiveBuilder.ts"
import { below, type Child, type Directory, key, type Tree } from "./Tree.ts"

const Word = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 0xffff_ffff })))

/** Trees of up to some hundred entries. */
export const trees: Arbitrary.Arbitrary<Directory> = Arbitrary.map(
  Arbitrary.array(Arbitrary.schema(Word), { minLength: 1, maxLength: 1500 }),
  (words) => build(words),
)

/** The tree that the numbers describe; when they are used up everything that is left is as small as it can be. */
export const build = (words: ReadonlyArray<number>): Directory => {
  let used = 0
  const isSpent = (): boolean => used >= words.length
  const word = (): number => words[used++] ?? 0
  // A word serves several small decisions.
  let pool = 0
  let range = 1
  const lessThan = (limit: number): number => {
    if (range < limit) {
      pool = word()
      range = 2 ** 32
    }
    const decision = pool % limit
    pool = Math.floor(pool / limit)
    range = Math.floor(range / limit)
    return decision
  }
  const pick = <A>(values: ReadonlyArray<A>): A => values[lessThan(values.length)] as A
  const u64 = (): bigint => pick([0n, 7n, 1n << 32n, (1n << 64n) - 1n, (BigInt(word()) << 32n) | BigInt(word())])
  const bytes = (max: number): Uint8Array => {
    const length = lessThan(max + 1)
    const seed = length === 0 ? 0 : word()
    return Uint8Array.from({ length }, (_, i) => (seed >>> (8 * (i % 4))) + 31 * Math.floor(i / 4))
  }
  const without = (content: Uint8Array, ...unwanted: ReadonlyArray<number>): Uint8Array =>
    content.map((byte) => (unwanted.includes(byte) ? 0xff : byte))

  const attributes = (isDirectory: boolean): Attributes => {
    if (lessThan(3) !== 1) return noAttributes
    const list = <A>(make: () => A): Array<A> => Array.from({ length: lessThan(3) }, make)
    const acl = () => ({ id: u64(), permissions: u64() })
    const maybe = <A>(make: () => A): A | undefined => (lessThan(2) === 0 ? undefined : make())
    return {
      xattrs: list(() => ({ name: Buffer.concat([Buffer.from("user."), without(bytes(20), 0)]), value: bytes(300) })),
      aclUsers: list(acl),
      aclGroups: list(acl),
      aclGroupObj: maybe(u64),
      aclDefault: isDirectory
        ? maybe(() => ({ userObj: u64(), groupObj: u64(), other: u64(), mask: u64() }))
        : undefined,
      aclDefaultUsers: isDirectory ? list(acl) : [],
      aclDefaultGroups: isDirectory ? list(acl) : [],
      fcaps: maybe(() => bytes(24)),
      quotaProjectId: maybe(u64),
    }
  }

  const metadata = (type: number): Metadata => ({
    mode: type | lessThan(0o10000),
    flags: u64(),
    uid: pick([0, 1000, 0xffff_ffff, word()]),
    gid: pick([0, 1000, 0xffff_ffff, word()]),
    mtimeSeconds: BigInt.asIntN(64, pick([0n, 1_700_000_000n, -1n, 1n << 63n, u64()])),
    mtimeNanos: pick([0, 1, 999_999_999, lessThan(1_000_000_000)]),
    attributes: attributes(type === 0o040000),
  })

  const colliding = collidingNames.flat()
  const names = new Map<string, Set<string>>()
  const name = (folder: string): Uint8Array => {
    const taken = names.get(folder) ?? new Set([".", ".."])
    names.set(folder, taken)
    let chosen = lessThan(4) === 1 ? Buffer.from(pick(colliding)) : Buffer.from(without(bytes(12), 0, 0x2f))
    if (chosen.length === 0) chosen = Buffer.from("n")
    while (taken.has(key(chosen))) chosen = Buffer.concat([chosen, Buffer.from([1 + (taken.size % 46)])])
    taken.add(key(chosen))
    return chosen
  }

  const files: Array<string> = []
  const child = (folder: string, depth: number): Child => {
    const chosen = name(folder)
    const path = below(folder, chosen)
    return { name: chosen, tree: tree(path, depth) }
  }
  const tree = (path: string, depth: number): Tree => {
    switch (lessThan(depth < 6 ? 9 : 7)) {
      case 1:
        return {
          _tag: "Symlink",
          metadata: metadata(0o120000),
          target: Buffer.concat([without(bytes(40), 0), Buffer.from("t")]),
        }
      case 2:
        return { _tag: "Device", metadata: metadata(pick([0o020000, 0o060000])), major: u64(), minor: u64() }
      case 3:
        return { _tag: "Fifo", metadata: metadata(0o010000) }
      case 4:
        return { _tag: "Socket", metadata: metadata(0o140000) }
      case 5: {
        const target = files.length === 0 ? undefined : pick(files)
        if (target !== undefined) return { _tag: "HardLink", target, path: Buffer.from(target, "latin1") }
        return { _tag: "Fifo", metadata: metadata(0o010000) }
      }
      case 7:
      case 8:
        return directory(path, depth + 1)
      default:
        files.push(path)
        return { _tag: "File", metadata: metadata(0o100000), content: bytes(pick([0, 1, 50, 3000])) }
    }
  }
  const directory = (path: string, depth: number): Directory => {
    const head = metadata(0o040000)
    const children: Array<Child> = []
    for (let count = lessThan(depth === 0 ? 120 : 12); count > 0 && !isSpent(); count--)
      children.push(child(path, depth))
    return { _tag: "Directory", metadata: head, children }
  }
  return directory("", 0)
}
