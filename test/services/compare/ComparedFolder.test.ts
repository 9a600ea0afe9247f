import * as fs from "node:fs"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as PathText from "../../../src/domain/PathText.ts"
import * as ComparedArchive from "../../../src/services/compare/ComparedArchive.ts"
import * as ComparedFolder from "../../../src/services/compare/ComparedFolder.ts"
import * as TreeDiff from "../../../src/services/compare/TreeDiff.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { makeNode, materialize, setTime, setXattr } from "../../support/Materialize.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"
import * as Tree from "../../support/Tree.ts"
import { open } from "../archive/helpers.ts"

const diff = Effect.fnUntraced(function* (bytes: Uint8Array, payload: Uint8Array | undefined, folder: string) {
  const left = yield* ComparedArchive.make(yield* open(bytes, payload))
  const right = yield* ComparedFolder.open(folder)
  const differences = yield* Stream.runCollect(TreeDiff.compare(left, right))
  return differences.map((difference) => {
    const path = PathText.print(difference.path)
    if (difference._tag !== "Changed") return `${difference._tag} ${path}`
    const changes = difference.changes.map((change) =>
      change.attribute === "xattr" ? PathText.print(change.name) : change.attribute,
    )
    return `Changed ${path}: ${changes.join(", ")}`
  })
})

/** The items of a folder's entries, by name. */
const itemsOf = Effect.fnUntraced(function* (folder: string) {
  const tree = yield* ComparedFolder.open(folder)
  const root = yield* tree.root
  const listing = yield* tree.list(root)
  const items = new Map<string, ComparedFolder.FolderItem>()
  for (let i = 0; i < listing.count; i++) items.set(PathText.print(listing.nameAt(i)), yield* listing.open(i))
  return { tree, root, items }
})

const descriptors = (): number => fs.readdirSync("/proc/self/fd").length

describe("as root", () => {
  beforeEach(need({ root: true }))

  // Only archives of real trees: a file system cannot hold all that the others do.
  for (const golden of [Golden.treeV1, Golden.treeV2]) {
    it.effect(`${golden.name} put on disk does not differ from the archive`, () =>
      Effect.gen(function* () {
        const folder = yield* Processes.temporaryFolder
        const { bytes, payload } = Golden.load(golden)
        materialize(yield* Tree.read(yield* open(bytes, payload)), folder)
        const before = descriptors()
        assert.deepStrictEqual(yield* Effect.scoped(diff(bytes, payload, folder)), [])
        assert.strictEqual(descriptors(), before, "everything is closed")
      }),
    )
  }

  it.effect("every change on disk is found", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const { bytes } = Golden.load(Golden.treeV1)
      materialize(yield* Tree.read(yield* open(bytes)), folder)
      const at = (path: string): Buffer => Buffer.from(`${folder}/${path}`)
      const keepTime = (path: string, change: () => void): void => {
        const { mtimeNs } = fs.lstatSync(at(path), { bigint: true })
        change()
        setTime(at(path), mtimeNs / 1_000_000_000n, Number(mtimeNs % 1_000_000_000n))
      }
      keepTime("sizes/s4096", () => fs.writeFileSync(at("sizes/s4096"), Buffer.alloc(4096, "!")))
      keepTime("sizes/s4095", () => fs.chmodSync(at("sizes/s4095"), 0o4711))
      keepTime("sizes/s4097", () => fs.chownSync(at("sizes/s4097"), 77, 88))
      keepTime("sizes/s131071", () => setXattr(at("sizes/s131071"), "trusted.new", Buffer.from("x")))
      keepTime("sizes", () => {
        fs.rmSync(at("sizes/s1"))
        fs.linkSync(at("sizes/s131072"), at("sizes/s1"))
        makeNode(at("sizes/fifo"), 0o010600)
      })
      setTime(at("sizes/s131073"), 1n, 1)
      assert.deepStrictEqual(yield* diff(bytes, undefined, folder), [
        "Added /sizes/fifo",
        "Changed /sizes/s1: size, mtime",
        "Changed /sizes/s131071: trusted.new",
        "Changed /sizes/s131072: hardlink",
        "Changed /sizes/s131073: mtime",
        "Changed /sizes/s4095: mode",
        "Changed /sizes/s4096: content",
        "Changed /sizes/s4097: uid, gid",
      ])
    }),
  )
})

describe("an item", () => {
  it.effect("has what lstat says, and is not followed if it is a link", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.writeFileSync(`${folder}/file`, "content")
      fs.symlinkSync("file", `${folder}/link`)
      makeNode(Buffer.from(`${folder}/fifo`), 0o010600)
      const { items } = yield* itemsOf(folder)
      const status = fs.lstatSync(`${folder}/file`, { bigint: true })
      const file = items.get("file")!
      assert.strictEqual(file.entry.mode, Number(status.mode))
      assert.strictEqual(file.entry.mtimeSeconds * 1_000_000_000n + BigInt(file.entry.mtimeNanos), status.mtimeNs)
      assert.deepStrictEqual(file.entry.body, {
        _tag: "File",
        content: { source: "archive", start: 0, length: 7 },
      })
      assert.deepStrictEqual(items.get("link")!.entry.body, {
        _tag: "Symlink",
        target: Uint8Array.from(Buffer.from("file")),
      })
      assert.strictEqual(items.get("fifo")!.entry.body._tag, "Fifo")
    }),
  )

  it.effect("is in a group if it has several names", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.writeFileSync(`${folder}/one`, "")
      fs.writeFileSync(`${folder}/two`, "")
      fs.linkSync(`${folder}/two`, `${folder}/three`)
      const { items } = yield* itemsOf(folder)
      assert.isUndefined(items.get("one")!.group)
      assert.isDefined(items.get("two")!.group)
      assert.strictEqual(items.get("two")!.group, items.get("three")!.group)
    }),
  )

  it.effect("has a name of any bytes", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0x0a])]), "")
      assert.deepStrictEqual([...(yield* itemsOf(folder)).items.keys()], [String.raw`\xff\x0a`])
    }),
  )
})

describe("a content", () => {
  it.effect("that became shorter is an error", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.writeFileSync(`${folder}/file`, "content")
      const { items, tree } = yield* itemsOf(folder)
      fs.truncateSync(`${folder}/file`, 3)
      const error = yield* Effect.flip(tree.read(items.get("file")!, 0, new Uint8Array(7)))
      assert.include(error.message, "has become shorter")
    }),
  )

  it.effect("is read from any offset", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.writeFileSync(`${folder}/file`, "content")
      const { items, tree } = yield* itemsOf(folder)
      const target = new Uint8Array(4)
      yield* tree.read(items.get("file")!, 3, target)
      assert.strictEqual(Buffer.from(target).toString(), "tent")
    }),
  )
})

describe("a folder", () => {
  it.effect("that is not there is an error", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ComparedFolder.open("/nonexistent/folder"))
      assert.strictEqual(error.code, "ENOENT")
    }),
  )

  it.effect("is compared without following a link out of it", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.symlinkSync("/etc", `${folder}/out`)
      const { bytes } = B.build({ children: [B.folder("out", [B.file("passwd")])] })
      const found = yield* diff(bytes, undefined, folder)
      assert.deepStrictEqual(found.slice(1), ["Changed /out: kind", "Removed /out/passwd"])
    }),
  )
})
