/**
 * The archive of the kernel model, and what the kernel must be told of it: known from how it was built.
 */
import * as B from "./ArchiveBuilder.ts"
import * as Wire from "./Wire.ts"

export interface Known {
  /** Path, without a leading slash. */
  readonly path: string
  readonly attr: Wire.Attr
  readonly content: Buffer | undefined
  readonly target: string | undefined
  readonly xattrs: ReadonlyMap<string, Buffer>
  /** Folders: what is listed, in that order; without `.` and `..`. */
  readonly children: ReadonlyArray<Listed> | undefined
  /** Inode of the folder above. */
  readonly above: bigint
  /** Whether a listing tells no more than its name, because an archive would have to be opened for that. */
  readonly isUnopened?: boolean
}

export interface Listed {
  readonly name: string
  /** Undefined for a child that cannot be decoded. */
  readonly ino: bigint | undefined
}

export interface KernelTree {
  readonly bytes: Buffer
  /** By inode number, which is the node id. */
  readonly nodes: ReadonlyMap<bigint, Known>
  /** Names worth looking up in any folder. */
  readonly names: ReadonlyArray<string>
}

const pattern = (length: number, seed: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, i) => (i * 7 + seed * 31 + (i >> 8)) & 0xff))

const NON_DIRECTORY = 1n << 63n

/** A few of everything: a file that fills pages, one that is another's hard link, a folder with much in it, a bad child. */
export const make = (): KernelTree => {
  const files: Readonly<Record<string, Buffer>> = {
    f: pattern(5000, 1),
    "d/g": pattern(100, 2),
    empty: Buffer.alloc(0),
    ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`many/${"n".repeat(i * 9)}${i}`, pattern(i * 40, i)])),
  }
  const file = (path: string, head = B.entry({ mode: 0o100640, uid: 5, gid: 6, seconds: 99, nanos: 7 })): B.Node =>
    B.file(path.slice(path.lastIndexOf("/") + 1), files[path] ?? "", { head })
  const attributes = new Map([
    ["user.one", Buffer.from("1")],
    ["user.longer", pattern(300, 3)],
    ["user.none", Buffer.alloc(0)],
  ])
  const withAttributes = Buffer.concat([
    B.entry({ mode: 0o100640, uid: 5, gid: 6, seconds: 99, nanos: 7 }),
    ...[...attributes].map(([name, value]) => B.xattr(name, value)),
  ])
  const children: ReadonlyArray<B.Node> = [
    file("f", withAttributes),
    B.folder("d", [
      file("d/g"),
      B.linkTo("h", "f"),
      B.raw("l", B.entry({ mode: 0o120777 }), B.symlink("../f")),
      B.folder("e", []),
    ]),
    B.raw("bad", B.entry(), B.item(0x1234_5678n, Buffer.alloc(8))),
    B.folder(
      "many",
      Object.keys(files)
        .filter((path) => path.startsWith("many/"))
        .map((path) => file(path)),
    ),
    file("empty"),
  ]
  const built = B.build({ children })
  const nodes = new Map<bigint, Known>()
  const inodeOf = (path: string, node: B.Node): bigint | undefined => {
    if (node.name === "bad") return undefined
    // Each name of a file is a file of its own, whose number is that of the name.
    if (node.link !== undefined) return NON_DIRECTORY | BigInt(built.at(path).nameStart)
    return node.children === undefined ? NON_DIRECTORY | BigInt(built.at(path).start) : BigInt(built.at(path).end)
  }
  const add = (path: string, node: B.Node, above: bigint): void => {
    const ino = path === "" ? 1n : inodeOf(path, node)
    if (ino === undefined) return
    if (node.link !== undefined) {
      const target = nodes.get(inodeOf(node.link, B.file(node.link)) ?? 0n)
      if (target !== undefined) nodes.set(ino, { ...target, path, attr: { ...target.attr, ino }, above })
      return
    }
    const below = (name: B.Text): string => (path === "" ? String(name) : `${path}/${String(name)}`)
    const listed = node.children?.map((child) => ({
      name: String(child.name),
      ino: inodeOf(below(child.name), child),
    }))
    const content = files[path]
    const target = node.name === "l" ? "../f" : undefined
    const size = content?.length ?? target?.length ?? 0
    const type = node.children !== undefined ? 0o40755 : target === undefined ? 0o100640 : 0o120777
    const owned = content === undefined ? {} : { uid: 5, gid: 6, seconds: 99, nanos: 7 }
    nodes.set(ino, {
      path,
      attr: { ino, mode: type, size, blocks: Math.ceil(size / 512), nlink: listed === undefined ? 1 : 2, ...owned },
      content,
      target,
      xattrs: path === "f" ? attributes : new Map(),
      children: listed === undefined ? undefined : listed,
      above,
    })
    for (const child of node.children ?? []) add(below(child.name), child, ino)
  }
  add("", { name: "", items: Buffer.alloc(0), children }, 1n)
  return { bytes: built.bytes, nodes, names: ["f", "d", "g", "h", "l", "e", "bad", "many", "empty", "0", "absent"] }
}

/** Bits of a node's number in the model that tell its archive, from 1 on. */
const ARCHIVE_SHIFT = 48n

/** The archive that a node of `many` is in, and its number there; `undefined` for what is in none, and their roots. */
export const archiveOf = (node: bigint): { readonly archive: bigint; readonly own: bigint } | undefined => {
  const archive = (node & ~NON_DIRECTORY) >> ARCHIVE_SHIFT
  const own = node - (archive << ARCHIVE_SHIFT)
  return archive === 0n || own === 1n ? undefined : { archive, own }
}

/** The same archive under several names, and files, in a folder. Numbers are the model's: the tree allots others. */
export const many = (
  one: KernelTree,
  archives: ReadonlyArray<string>,
  files: Readonly<Record<string, Buffer>>,
): KernelTree => {
  const root: Array<Listed> = []
  const nodes = new Map<bigint, Known>()
  const none = { target: undefined, xattrs: new Map<string, Buffer>(), above: 1n }
  for (const [index, name] of archives.entries()) {
    const shifted = (ino: bigint): bigint => ino + (BigInt(index + 1) << ARCHIVE_SHIFT)
    root.push({ name, ino: shifted(1n) })
    for (const [ino, known] of one.nodes) {
      nodes.set(shifted(ino), {
        ...known,
        path: `${name}/${known.path}`,
        attr: { ...known.attr, ino: shifted(ino) },
        children: known.children?.map((child) => ({ ...child, ino: child.ino && shifted(child.ino) })),
        above: ino === 1n ? 1n : shifted(known.above),
        isUnopened: ino === 1n,
      })
    }
  }
  for (const [index, [path, content]] of Object.entries(files).entries()) {
    const ino = NON_DIRECTORY | BigInt(index + 2)
    const { length: size } = content
    root.push({ name: path, ino })
    const attr = { ino, mode: 0o100600, size, blocks: Math.ceil(size / 512), nlink: 1 }
    nodes.set(ino, { ...none, path, attr, content, children: undefined })
  }
  const attr = { ino: 1n, mode: 0o40755, size: 0, blocks: 0, nlink: 2 }
  nodes.set(1n, { ...none, path: "", attr, content: undefined, children: root })
  // Half of what is looked up leads into the archives.
  const often = one.names.flatMap((name, index) => [name, (root[index % root.length] as Listed).name])
  return { bytes: one.bytes, nodes, names: often }
}

/** What LISTXATTR gives. */
export const xattrList = ({ xattrs }: Known): Buffer => Buffer.concat([...xattrs.keys()].map((name) => Wire.name(name)))
