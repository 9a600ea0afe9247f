/**
 * The ids that the kernel knows nodes by, and the inode numbers that are shown, where a tree allots them: told apart from the
 * model's own, which are known from how the tree was built.
 *
 * A node has one id for as long as it is held, and no two have the same; its inode number is the same for ever, and no two
 * have the same. That of a node in an archive is its own above the base of the archive, a multiple of 2^32.
 */
import { assert } from "@effect/vitest"
import type * as KernelRequests from "./KernelRequests.ts"
import type * as KernelTree from "./KernelTree.ts"
import * as Wire from "./Wire.ts"

export interface KernelIds {
  /** The id that the server knows a node of the model by. */
  readonly real: (node: bigint) => bigint
  /** A reply with the numbers of the model in it. `isDelivered`: the kernel keeps what it is told. */
  readonly translate: (asked: KernelRequests.Asked, body: Buffer, isDelivered: boolean) => Buffer
  /** The kernel holds a node no more. */
  readonly drop: (node: bigint) => void
}

/** For a tree whose ids are its own. */
export const own: KernelIds = { real: (node) => node, translate: (_, body) => body, drop: () => undefined }

const ENTRY_SIZE = 128
const ENTRY_INO = 40

/** For a tree that allots them; `archiveOf` tells the archive that a node is in, and its number there. */
export const allotted = (
  tree: KernelTree.KernelTree,
  archiveOf: (node: bigint) => { readonly archive: bigint; readonly own: bigint } | undefined,
): KernelIds => {
  /** By node of the model. */
  const ids = new Map<bigint, bigint>([[1n, 1n]])
  const inodes = new Map<bigint, bigint>([[1n, 1n]])
  const bases = new Map<bigint, bigint>()

  const noteId = (node: bigint, id: bigint, isDelivered: boolean): void => {
    const before = ids.get(node)
    if (before !== undefined) assert.strictEqual(id, before, `the id of ${tree.nodes.get(node)?.path}`)
    else for (const [other, taken] of ids) assert.notStrictEqual(id, taken, `${node} has the id of ${other}`)
    if (isDelivered) ids.set(node, id)
  }

  const noteInode = (node: bigint, inode: bigint): bigint => {
    const before = inodes.get(node)
    if (before === undefined) {
      for (const [other, taken] of inodes) assert.notStrictEqual(inode, taken, `${node} has the number of ${other}`)
      inodes.set(node, inode)
      const within = archiveOf(node)
      if (within !== undefined) {
        const base = inode - Wire.inodeOf(within.own)
        assert.strictEqual(base % (1n << 32n), 0n)
        assert.strictEqual(bases.get(within.archive) ?? base, base)
        bases.set(within.archive, base)
      }
    } else assert.strictEqual(inode, before, `the inode number of ${tree.nodes.get(node)?.path}`)
    return Wire.inodeOf(node)
  }

  const childOf = (node: bigint, name: string): bigint | undefined => {
    const { above, children } = tree.nodes.get(node) as KernelTree.Known
    if (name === ".") return node
    return name === ".." ? above : children?.find((child) => child.name === name)?.ino
  }

  /** Translates the entry at `at`, if it has an id. */
  const entry = (body: Buffer, at: number, node: bigint, isDelivered: boolean): void => {
    const id = body.readBigUInt64LE(at)
    if (id === 0n) return
    noteId(node, id, isDelivered)
    body.writeBigUInt64LE(node, at)
    body.writeBigUInt64LE(noteInode(node, body.readBigUInt64LE(at + ENTRY_INO)), at + ENTRY_INO)
  }

  const listing = (body: Buffer, folder: bigint, head: number, isDelivered: boolean): void => {
    for (let at = 0; at < body.length;) {
      const length = body.readUInt32LE(at + head + 16)
      const child = childOf(folder, body.toString("latin1", at + head + 24, at + head + 24 + length))
      if (child !== undefined) {
        if (head > 0) entry(body, at, child, isDelivered)
        body.writeBigUInt64LE(noteInode(child, body.readBigUInt64LE(at + head)), at + head)
      }
      at += head + 24 + Math.ceil(length / 8) * 8
    }
  }

  return {
    real: (node) => ids.get(node) ?? assert.fail(`the kernel does not hold ${tree.nodes.get(node)?.path ?? node}`),
    translate: ({ node, what }, reply, isDelivered) => {
      const body = Buffer.from(reply)
      const [operation, name = ""] = what.split(" ")
      if (operation === "LOOKUP" && body.length === ENTRY_SIZE) entry(body, 0, childOf(node, name) ?? 0n, isDelivered)
      else if (operation === "GETATTR" && body.length > 0) {
        body.writeBigUInt64LE(noteInode(node, body.readBigUInt64LE(16)), 16)
      } else if (operation === "READDIRPLUS") listing(body, node, ENTRY_SIZE, isDelivered)
      else if (operation === "READDIR") listing(body, node, 0, isDelivered)
      return body
    },
    drop: (node) => void (node !== 1n && ids.delete(node)),
  }
}
