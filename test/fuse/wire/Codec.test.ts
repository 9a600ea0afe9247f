/** Every request is decoded as it was encoded, whatever its numbers; and no byte of one changes unseen. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result } from "effect"
import * as NodeId from "../../../src/domain/pxar/NodeId.ts"
import * as Request from "../../../src/fuse/wire/Request.ts"
import { anyBytes, anyInteger, anyOffset, anyU32 } from "../../domain/pxar/helpers.ts"
import * as Wire from "../../support/Wire.ts"

/** What a message of some numbers must be decoded as. */
interface Case {
  readonly message: Buffer
  readonly body: Request.Body
}

const name = Buffer.from("name")

/** Every kind of request with a body of its own, made of any numbers. */
const cases = (unique: number, node: bigint, offset: number, word: number): Readonly<Record<string, Case>> => {
  const id = NodeId.fromHalves(Number(node & 0xffff_ffffn), Number(node >> 32n))
  const nothing = (_tag: "Getattr" | "Readlink" | "Statfs" | "Destroy" | "Release") => ({ _tag }) as const
  return {
    lookup: { message: Wire.lookup(unique, node, name), body: { _tag: "Lookup", name: new Uint8Array(name) } },
    forget: {
      message: Wire.forget(unique, node, offset),
      body: { _tag: "Forget", forgets: [{ nodeId: id, count: offset }] },
    },
    "batch forget": {
      message: Wire.batchForget(unique, [node, offset], [1, word]),
      body: {
        _tag: "Forget",
        forgets: [
          { nodeId: id, count: offset },
          { nodeId: 1, count: word },
        ],
      },
    },
    getattr: { message: Wire.getattr(unique, node), body: nothing("Getattr") },
    readlink: { message: Wire.readlink(unique, node), body: nothing("Readlink") },
    open: { message: Wire.open(unique, node, word), body: { _tag: "Open", flags: word } },
    opendir: { message: Wire.opendir(unique, node, word), body: { _tag: "Opendir", flags: word } },
    read: { message: Wire.read(unique, node, offset, word), body: { _tag: "Read", offset, size: word } },
    readdir: { message: Wire.readdir(unique, node, offset, word), body: { _tag: "Readdir", offset, size: word } },
    readdirplus: {
      message: Wire.readdirplus(unique, node, offset, word),
      body: { _tag: "Readdirplus", offset, size: word },
    },
    getxattr: {
      message: Wire.getxattr(unique, node, "name", word),
      body: { _tag: "Getxattr", name: new Uint8Array(name), size: word },
    },
    listxattr: { message: Wire.listxattr(unique, node, word), body: { _tag: "Listxattr", size: word } },
    release: { message: Wire.release(unique, node), body: nothing("Release") },
    releasedir: { message: Wire.releasedir(unique, node), body: nothing("Release") },
    interrupt: { message: Wire.interrupt(offset), body: { _tag: "Interrupt", unique: offset } },
    init: {
      message: Wire.init(unique, 7, word, word, word),
      body: { _tag: "Init", major: 7, minor: word, maxReadahead: word, flags: word },
    },
  }
}

const anyNode = Arbitrary.map(
  Arbitrary.all([anyOffset, anyInteger(0, 1)]),
  ([position, bit]) => BigInt(position) | (BigInt(bit) << 63n),
)

/** With the bytes of a name as numbers. */
const plain = (body: Request.Body): unknown =>
  "name" in body ? Object.assign({}, body, { name: [...body.name] }) : body

describe("a request", () => {
  it.prop("is decoded as it was encoded", [anyOffset, anyNode, anyOffset, anyU32], ([unique, node, offset, word]) => {
    for (const [kind, { body, message }] of Object.entries(cases(unique, node, offset, word))) {
      const { body: seen, header } = Result.getOrThrow(Request.decode(message))
      assert.deepStrictEqual(plain(seen), plain(body), kind)
      if (kind === "interrupt") continue
      assert.strictEqual(header.unique, unique, kind)
      assert.deepInclude(header, { uid: 1000, gid: 100, pid: 4242 })
    }
  })

  it.prop(
    "with a byte changed is refused, is another, or has changed where nothing is read",
    [anyOffset, anyNode, anyOffset, anyU32, anyInteger(1, 255)],
    ([unique, node, offset, word, flip]) => {
      // Lengths, opcodes, numbers, nodes, users, and all that bodies consist of.
      const relevant: Readonly<Record<string, ReadonlyArray<readonly [from: number, end: number]>>> = {
        lookup: [[40, 45]],
        forget: [[40, 48]],
        read: [[48, 60]],
        readdirplus: [[48, 60]],
        getxattr: [
          [40, 44],
          [48, 53],
        ],
        listxattr: [[40, 44]],
        open: [[40, 44]],
      }
      const all = cases(unique, node, offset, word)
      for (const [kind, ranges] of Object.entries(relevant)) {
        const { message } = all[kind] as Case
        const before = JSON.stringify(plain(Result.getOrThrow(Request.decode(message)).body))
        for (const [from, end] of [[0, 16] as const, ...ranges]) {
          for (let at = from; at < end; at++) {
            const damaged = Buffer.from(message)
            damaged[at] = (damaged[at] as number) ^ flip
            const result = Request.decode(damaged)
            if (Result.isFailure(result)) continue
            const { body, header } = result.success
            const same = JSON.stringify(plain(body)) === before && header.unique === unique
            // Counts and offsets of 2^53 and more are rounded: no archive has them.
            const rounded =
              (kind === "forget" || kind.startsWith("read")) &&
              damaged.readBigUInt64LE(kind === "forget" ? 40 : 48) > 2n ** 53n
            const opcode = at >= 4 && at < 8
            assert.isTrue(
              !same || rounded || opcode || damaged.readBigUInt64LE(8) > 2n ** 53n,
              `${kind}, byte ${at} ^ ${flip}`,
            )
          }
        }
      }
    },
    { arbitrary: { runs: 60 } },
  )

  it.prop(
    "of any name is decoded up to its NUL",
    [anyBytes(300)],
    ([bytes]) => {
      const clean = Uint8Array.of(0x61, ...bytes).map((byte) => (byte === 0 ? 1 : byte))
      const { body } = Result.getOrThrow(Request.decode(Wire.lookup(2, 1, clean)))
      assert.deepStrictEqual(body._tag === "Lookup" ? [...body.name] : [], [...clean])
    },
    { arbitrary: { size: 300 } },
  )
})
