/**
 * The requests of the kernel model: the message of each, and what its answer must be.
 */
import { assert } from "@effect/vitest"
import * as KernelTree from "./KernelTree.ts"
import * as Wire from "./Wire.ts"

/** A request, whose number is not known yet. */
export interface Asked {
  readonly what: string
  /** The node that it names. */
  readonly node: bigint
  readonly message: (unique: number) => Uint8Array
  /** Fails the test unless this is the right answer. */
  readonly isRight: (errno: number, body: Buffer) => void
  /** References that a delivered answer brings. */
  readonly brings: (body: Buffer) => ReadonlyArray<bigint>
}

export const at = <A>(values: ReadonlyArray<A>, index: number): A => values[index % values.length] as A

const nothing = (): ReadonlyArray<bigint> => []

const asked = (
  what: string,
  node: bigint,
  message: Asked["message"],
  isRight: Asked["isRight"],
  brings: Asked["brings"] = nothing,
): Asked => ({ what, node, message, isRight, brings })

/** The requests about a tree; `context` is told where an answer is wrong. */
export const make = (tree: KernelTree.KernelTree, context: () => string) => {
  const answers = (errno: number, ...body: ReadonlyArray<Uint8Array>): Asked["isRight"] => {
    const expected = Buffer.concat(body)
    return (actual, bytes) => {
      if (actual === errno && bytes.equals(expected)) return
      assert.strictEqual(actual, errno, context())
      Wire.assertBytes(bytes, expected, context())
    }
  }
  const known = (node: bigint): KernelTree.Known => tree.nodes.get(node) ?? assert.fail(`a node ${node} that is none`)

  const lookup = (node: bigint, name: string) => {
    const child = known(node).children?.find((child) => child.name === name)
    const isRight =
      known(node).children === undefined
        ? answers(Wire.Errno.ENOTDIR)
        : child === undefined
          ? answers(0, Wire.u64(0, 0, Wire.FOREVER, 0), Buffer.alloc(96))
          : child.ino === undefined
            ? answers(Wire.Errno.EIO)
            : answers(0, Wire.entryOut(known(child.ino).attr))
    const brings = (body: Buffer) => [body.readBigUInt64LE(0)].filter((node) => node !== 0n)
    return asked(`LOOKUP ${name}`, node, (id) => Wire.lookup(id, node, name), isRight, brings)
  }

  /** What a listing from an offset on holds: as many entries as fit. */
  const listing = (node: bigint, offset: number, size: number, plus: boolean): Buffer => {
    const { above, children = [] } = known(node)
    const all = [
      ...children.map(({ ino, name }, index) => {
        const of = ino === undefined ? undefined : known(ino).attr
        const type = (of?.mode ?? 0) >> 12
        const shown = ino ?? 0xffff_ffffn
        const told = ino !== undefined && known(ino).isUnopened === true ? undefined : of
        return plus ? Wire.direntplus(shown, index + 1, type, name, told) : Wire.dirent(shown, index + 1, type, name)
      }),
      ...[node, above].map((ino, index) => {
        const [next, name] = [children.length + 1 + index, index === 0 ? "." : ".."]
        return plus ? Wire.direntplus(ino, next, 4, name, undefined) : Wire.dirent(ino, next, 4, name)
      }),
    ].slice(offset)
    let room = size
    const fitting = all.findIndex((entry) => (room -= entry.length) < 0)
    return Buffer.concat(all.slice(0, fitting < 0 ? all.length : fitting))
  }

  const list = (node: bigint, offset: number, size: number, plus: boolean) => {
    const isFolder = known(node).children !== undefined
    const isRight = isFolder ? answers(0, listing(node, offset, size, plus)) : answers(Wire.Errno.ENOTDIR)
    // `.` and `..` have no node: they are not counted.
    const brings = (body: Buffer) =>
      plus ? Wire.parseDirents(body, true).flatMap(({ node }) => (node === 0n ? [] : [node])) : []
    const message = plus ? Wire.readdirplus : Wire.readdir
    return asked(
      `${plus ? "READDIRPLUS" : "READDIR"} ${offset} ${size}`,
      node,
      (id) => message(id, node, offset, size),
      isRight,
      brings,
    )
  }

  const read = (node: bigint, offset: number, size: number) => {
    const { children, content } = known(node)
    const errno = children === undefined ? Wire.Errno.EBADF : Wire.Errno.EISDIR
    const isRight = content === undefined ? answers(errno) : answers(0, content.subarray(offset, offset + size))
    return asked(`READ ${offset} ${size}`, node, (id) => Wire.read(id, node, offset, size), isRight)
  }

  const sized = (size: number, value: Buffer | undefined): Asked["isRight"] =>
    value === undefined
      ? answers(Wire.Errno.ENODATA)
      : size === 0
        ? answers(0, Wire.u32(value.length, 0))
        : value.length > size
          ? answers(Wire.Errno.ERANGE)
          : answers(0, value)

  const other = (node: bigint, b: number, c: number): Asked => {
    const { attr, target, xattrs } = known(node)
    switch (b % 6) {
      case 0:
        return asked("GETATTR", node, (id) => Wire.getattr(id, node), answers(0, Wire.attrOut(attr)))
      case 1: {
        const isRight = target === undefined ? answers(Wire.Errno.EINVAL) : answers(0, Buffer.from(target))
        return asked("READLINK", node, (id) => Wire.readlink(id, node), isRight)
      }
      case 2: {
        const name = at(["user.one", "user.longer", "user.none", "user.absent"], c)
        const size = at([0, 1, 299, 300, 4096], c >> 2)
        return asked(
          `GETXATTR ${name} ${size}`,
          node,
          (id) => Wire.getxattr(id, node, name, size),
          sized(size, xattrs.get(name)),
        )
      }
      case 3: {
        const list = KernelTree.xattrList(known(node))
        const size = at([0, list.length - 1, list.length, 4096], c)
        return asked(
          `LISTXATTR ${size}`,
          node,
          (id) => Wire.listxattr(id, node, Math.max(0, size)),
          sized(Math.max(0, size), list),
        )
      }
      case 4: {
        const flags = c % 4
        const isRight = flags === 0 ? (errno: number) => assert.strictEqual(errno, 0) : answers(Wire.Errno.EROFS)
        return asked(`OPEN ${flags}`, node, (id) => Wire.open(id, node, flags), isRight)
      }
      default:
        return asked("RELEASE", node, (id) => Wire.release(id, node), answers(0))
    }
  }

  return { answers, known, list, lookup, other, read }
}
