/** Plain files are compared as numbers; what is found must be what items tell. */
import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as ComparedArchive from "../../../src/services/compare/ComparedArchive.ts"
import * as ComparedFolder from "../../../src/services/compare/ComparedFolder.ts"
import type { ComparedTree, Item } from "../../../src/services/compare/ComparedTree.ts"
import * as TreeDiff from "../../../src/services/compare/TreeDiff.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Processes from "../../support/Processes.ts"
import { open } from "../archive/helpers.ts"

/** Files in a folder, by name, and an archive that has the same. */
const FILES = new Map(Array.from({ length: 40 }, (_, index) => [`file ${index}`, `${index}`.repeat(index * 40)]))
const TIME = 1_600_000_000

const make = Effect.gen(function* () {
  const folder = yield* Processes.temporaryFolder
  for (const [name, text] of FILES) {
    fs.writeFileSync(`${folder}/${name}`, text)
    fs.chmodSync(`${folder}/${name}`, 0o640)
    fs.utimesSync(`${folder}/${name}`, TIME, TIME)
  }
  const { gid, mode, uid } = fs.statSync(`${folder}/file 1`)
  const head = B.entry({ mode, uid, gid, seconds: TIME, nanos: 0 })
  const { bytes } = B.build({ children: [...FILES].map(([name, text]) => B.file(name, text, { head })) })
  return { folder, archive: yield* Effect.flatMap(open(bytes), ComparedArchive.make) }
})

/** The same tree, in which nothing is looked at as a plain file, or each entry that is opened is counted. */
const watched = <I extends Item>(tree: ComparedTree<I>, { plain }: { readonly plain: boolean }) => {
  const opened: Array<string> = []
  const seen: ComparedTree<I> = {
    ...tree,
    list: (directory) =>
      Effect.map(tree.list(directory), (listing) => ({
        ...listing,
        plain: plain ? listing.plain : undefined,
        open: (index) => {
          opened.push(Buffer.from(listing.nameAt(index)).toString())
          return listing.open(index)
        },
      })),
  }
  return { tree: seen, opened }
}

const compared = Effect.fnUntraced(function* (
  archive: ComparedTree<ComparedArchive.ArchiveItem>,
  folder: string,
  plain: boolean,
  options?: TreeDiff.Options,
) {
  const left = watched(archive, { plain })
  const right = watched(yield* ComparedFolder.open(folder), { plain })
  const found = yield* Stream.runCollect(TreeDiff.compare(left.tree, right.tree, options))
  const files = found.filter(({ path }) => path.length > 1)
  const texts = files.map((each) => [
    Buffer.from(each.path).toString(),
    each._tag === "Changed" ? each.changes : each._tag,
  ])
  return { texts, opened: new Set([...left.opened, ...right.opened]) }
})

/** What is done to a file, and the attribute that then differs; none if it does not. */
const changes: Readonly<Record<string, (file: string) => void>> = {
  mode: (file) => fs.chmodSync(file, 0o600),
  mtime: (file) => fs.utimesSync(file, TIME, TIME + 1),
  "part of a second": (file) => fs.utimesSync(file, TIME, TIME + 0.5),
  size: (file) => {
    fs.appendFileSync(file, "more")
    fs.utimesSync(file, TIME, TIME)
  },
  content: (file) => {
    fs.writeFileSync(file, "x".repeat(fs.statSync(file).size))
    fs.utimesSync(file, TIME, TIME)
  },
  "its kind": (file) => {
    fs.rmSync(file)
    fs.mkdirSync(file)
  },
  "all of it": (file) => fs.rmSync(file),
}

describe("plain files", () => {
  it.effect("that are the same are not opened as items", () =>
    Effect.gen(function* () {
      const { archive, folder } = yield* make
      const { opened, texts } = yield* compared(archive, folder, true)
      assert.deepStrictEqual(texts, [])
      // The last file of an archive is read by the archive itself.
      assert.isAtMost(opened.size, 1)
      assert.strictEqual((yield* compared(archive, folder, false)).opened.size, FILES.size)
    }),
  )

  for (const [what, change] of Object.entries(changes)) {
    it.effect(`one that differs in ${what} is told as items tell it`, () =>
      Effect.gen(function* () {
        const { archive, folder } = yield* make
        change(`${folder}/file 7`)
        const { texts } = yield* compared(archive, folder, true)
        assert.lengthOf(texts, 1)
        assert.deepStrictEqual(texts, (yield* compared(archive, folder, false)).texts)
        const withoutData = yield* compared(archive, folder, true, { data: false })
        assert.deepStrictEqual(withoutData.texts, what === "content" ? [] : texts)
      }),
    )
  }

  it.effect("one with a second name, or only one on one side, is looked at as an item", () =>
    Effect.gen(function* () {
      const { archive, folder } = yield* make
      fs.linkSync(`${folder}/file 7`, `${folder}/file 7 again`)
      const { opened, texts } = yield* compared(archive, folder, true)
      assert.isTrue(opened.has("file 7"))
      assert.deepStrictEqual(texts, [["/file 7 again", "Added"]])
    }),
  )
})
