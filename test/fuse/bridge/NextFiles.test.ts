/** What is chosen to be stored, for readers of all kinds. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { MAX_FILE, NextFiles } from "../../../src/fuse/bridge/NextFiles.ts"
import { MAX_BYTES, type Stores } from "../../../src/fuse/wire/Stores.ts"
import type * as Node from "../../../src/domain/pxar/Node.ts"
import type { AtHand } from "../../../src/services/archive/AtHand.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as LookupRegistry from "../../../src/services/LookupRegistry.ts"
import * as B from "../../support/ArchiveBuilder.ts"

/** READs of one process in a row. */
const ALONE = 32
const TAR = 100
const OTHER = 200

const contentOf = (name: string): string => `content of ${name}`
const files = (count: number, from = 0): Array<B.Node> =>
  Array.from({ length: count }, (_, index) => {
    const name = `f${String(from + index).padStart(4, "0")}`
    return B.file(name, contentOf(name))
  })

/** An archive whose nodes a kernel holds, all but `forgotten`; whose contents are at hand but for those of `far`. */
const open = Effect.fnUntraced(function* (
  children: ReadonlyArray<B.Node>,
  { far, forgotten }: { far?: string; forgotten?: string } = {},
) {
  const built = B.build({ children: [...children] })
  const reader = yield* ArchiveReader.make(fromBytes(built.bytes), { _tag: "Absent", expected: undefined }, {})
  const registry = yield* LookupRegistry.make(reader.root)
  const all = reader.atHand?.(reader) ?? assert.fail("nothing is at hand")
  const atHand: AtHand = {
    ...all,
    content: (offset, target) =>
      all.content(offset, target) && (far === undefined || !Buffer.from(target).includes(far)),
  }
  const names = new Map<number, string>()
  const nodes = new Map<string, Node.Node>()
  const hold = (folder: Node.Node, path: string): Effect.Effect<void, unknown> =>
    Effect.gen(function* () {
      const found: Array<Node.Node> = []
      yield* reader.list(folder, 0, (child) => {
        if (child._tag !== "Found") return true
        const name = `${path}${Buffer.from(child.name).toString()}`
        names.set(child.node.id, name)
        nodes.set(name, child.node)
        if (name !== forgotten) registry.deliver(child.node)
        if (child.node.id > 0) found.push(child.node)
        return true
      })
      for (const node of found) yield* hold(node, `${names.get(node.id) ?? ""}/`)
    })
  yield* hold(reader.root, "")
  const next = new NextFiles(atHand, registry, ALONE)
  const cached = new Set<string>()
  let requests = 0
  /** A READ; the names of what is stored before it is answered. */
  const read = (name: string, { offset = 0, pid = TAR } = {}): ReadonlyArray<string> => {
    const node = nodes.get(name) ?? assert.fail(`no ${name}`)
    requests++
    // On the border of two blocks: the general path answers.
    if (!atHand.entry(node)) return []
    next.sees(pid)
    const stores = next.after(node.id, offset)
    return stores === undefined ? [] : namesIn(stores)
  }
  const namesIn = ({ count, lengths, memory, starts }: Stores) =>
    Array.from({ length: count }, (_, index) => {
      const message = Buffer.from(memory).subarray(starts[index], (starts[index] ?? 0) + (lengths[index] ?? 0))
      const name = names.get(Number(BigInt.asIntN(64, message.readBigUInt64LE(16) ^ (1n << 63n))) * -1) ?? "?"
      const file = name.replace(/^.*\//, "")
      if (message.length < 1000) assert.strictEqual(message.subarray(40).toString(), contentOf(file))
      return name
    })
  return {
    read,
    /** A reader who opens these, and asks for what is not in the page cache. */
    open: (paths: ReadonlyArray<string>, pid = TAR) => {
      for (const path of paths) if (!cached.has(path)) for (const name of read(path, { pid })) cached.add(name)
    },
    paths: [...nodes.keys()].filter((path) => (nodes.get(path)?.id ?? 0) < 0),
    requests: () => {
      const count = requests
      requests = 0
      return count
    },
    cached,
    /** The process becomes the only reader, without reading in order. */
    settle: (name: string, pid = TAR) => {
      for (let time = 0; time < ALONE; time++) read(name, { offset: 4096, pid })
      requests = 0
    },
  }
})

describe("the files that are read next", () => {
  it.effect("are those after two in a row, and more each time", () =>
    Effect.gen(function* () {
      const { read, settle } = yield* open(files(100))
      settle("f0000")
      assert.deepStrictEqual(read("f0010"), [])
      assert.deepStrictEqual(read("f0011"), [])
      assert.deepStrictEqual(
        read("f0012"),
        files(8, 13).map(({ name }) => String(name)),
      )
      assert.strictEqual(read("f0021").length, 16)
      assert.strictEqual(read("f0038").length, 32)
    }),
  )

  it.effect("save most READs of who reads all in order, across folders", () =>
    Effect.gen(function* () {
      const folders = Array.from({ length: 20 }, (_, index) =>
        B.folder(`d${String(index).padStart(2, "0")}`, [...files(20), B.folder("g", files(10)), ...files(3, 20)]),
      )
      const archive = yield* open(folders)
      assert.strictEqual(archive.paths.length, 20 * 33)
      archive.open(archive.paths)
      assert.isBelow(archive.requests(), 33 + 20 * 5)
    }),
  )

  it.effect("are none for a process that has not been alone for a while", () =>
    Effect.gen(function* () {
      const { paths, read } = yield* open(files(200))
      const stored: Array<number> = []
      for (const path of paths) {
        stored.push(read(path).length)
        if (stored.length === 100) read("f0000", { pid: OTHER })
      }
      assert.deepStrictEqual(stored.slice(0, ALONE), Array<number>(ALONE).fill(0))
      assert.isAbove(Math.max(...stored.slice(0, 100)), 0)
      assert.deepStrictEqual(stored.slice(100, 100 + ALONE), Array<number>(ALONE).fill(0))
    }),
  )

  for (const [who, pids] of [
    ["two processes by turns", [TAR, OTHER]],
    ["a process without a number", [0]],
  ] as const) {
    it.effect(`are none for ${who}`, () =>
      Effect.gen(function* () {
        const { paths, read } = yield* open(files(200))
        for (const [index, path] of paths.entries()) {
          assert.deepStrictEqual(read(path, { pid: pids[index % pids.length] as number }), [])
        }
      }),
    )
  }

  it.effect("are none for who jumps about", () =>
    Effect.gen(function* () {
      const { paths, read, settle } = yield* open(files(400))
      settle("f0000")
      for (let index = 0; index < 400; index++) {
        assert.deepStrictEqual(read(paths[(index * 37) % 400] as string), [])
      }
    }),
  )

  it.effect("are only those that the kernel holds, with contents, in one piece, and not too large", () =>
    Effect.gen(function* () {
      const large = B.file("f0004x", Buffer.alloc(MAX_FILE + 1))
      const link = B.raw("f0004y", B.entry({ mode: 0o120777 }), B.symlink("f0001"))
      const children = [...files(5), large, link, B.file("f0004z", ""), ...files(5, 5)]
      const { read, settle } = yield* open(children, { forgotten: "f0008" })
      settle("f0000")
      read("f0000")
      read("f0001")
      assert.deepStrictEqual(read("f0002"), ["f0003", "f0004", "f0005", "f0006", "f0007"])
      // The large one was not among them, and says nothing of them.
      assert.deepStrictEqual(read("f0004x"), [])
      assert.deepStrictEqual(read("f0008"), [])
    }),
  )

  it.effect("are as many as fit into a batch", () =>
    Effect.gen(function* () {
      const big = Array.from({ length: 120 }, (_, index) =>
        B.file(`b${String(index).padStart(4, "0")}`, Buffer.alloc(MAX_FILE)),
      )
      const archive = yield* open(big)
      archive.settle("b0000")
      let most = 0
      for (let index = 0; index < 120;) {
        const stored = archive.read(`b${String(index).padStart(4, "0")}`).length
        most = Math.max(most, stored)
        index += 1 + stored
      }
      assert.strictEqual(most, Math.floor(MAX_BYTES / (MAX_FILE + 40)))
    }),
  )

  it.effect("are none whose bytes are not at hand", () =>
    Effect.gen(function* () {
      const { read, settle } = yield* open(files(20), { far: "f0006" })
      settle("f0000")
      for (const name of ["f0000", "f0001"]) read(name)
      assert.deepStrictEqual(read("f0002"), ["f0003", "f0004", "f0005"])
    }),
  )
})

describe("a reader who does not find what was stored", () => {
  it.effect("gets less and less: READs that come all the same stop it, for longer each time", () =>
    Effect.gen(function* () {
      const { paths, read, settle } = yield* open(files(3000))
      settle("f0000")
      let batches = 0
      let stored = 0
      for (const path of paths) {
        const { length } = read(path)
        if (length > 0) batches++
        stored += length
      }
      assert.isAtMost(batches, 12)
      assert.isBelow(stored, 200)
    }),
  )

  it.effect("is served again once it finds it", () =>
    Effect.gen(function* () {
      const archive = yield* open(files(3000))
      archive.settle("f0000")
      for (const path of archive.paths.slice(0, 100)) archive.read(path)
      archive.requests()
      archive.open(archive.paths.slice(100))
      assert.isBelow(archive.requests(), 400)
    }),
  )

  it.effect("is not served for long if it opens the first file of each folder only", () =>
    Effect.gen(function* () {
      const folders = Array.from({ length: 300 }, (_, index) =>
        B.folder(`d${String(index).padStart(3, "0")}`, files(12)),
      )
      const archive = yield* open(folders)
      archive.settle("d000/f0000")
      archive.open(archive.paths.filter((path) => path.startsWith("d00")))
      const { size } = archive.cached
      assert.isAbove(size, 40)
      archive.open(archive.paths.filter((path) => path.endsWith("f0000")))
      assert.isBelow(archive.cached.size - size, 12 * 9)
    }),
  )
})
