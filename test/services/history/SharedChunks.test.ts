/** What chunks tell of two backups, against what is in them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Bytes from "../../../src/domain/Bytes.ts"
import * as ComparedArchive from "../../../src/services/compare/ComparedArchive.ts"
import type { ComparedTree } from "../../../src/services/compare/ComparedTree.ts"
import * as TreeDiff from "../../../src/services/compare/TreeDiff.ts"
import * as Edition from "../../../src/services/history/Edition.ts"
import * as SharedChunks from "../../../src/services/history/SharedChunks.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as stores from "../repository/stores.ts"
import * as backups from "./backups.ts"

type Item = ComparedArchive.ArchiveItem

/** The tree of a backup, and the archive positions of files of which content is read. */
const treeOf = Effect.fnUntraced(function* (edition: Edition.Edition) {
  const { reader } = yield* Edition.open(edition)
  const tree = yield* ComparedArchive.make(reader)
  const read = new Set<number>()
  const counted: ComparedTree<Item> = {
    ...tree,
    read: (file, offset, target) => {
      read.add(file.node.id)
      return tree.read(file, offset, target)
    },
  }
  return { tree: counted, read, stored: [{ name: undefined, snapshot: edition.snapshot, file: edition.file }] }
})

/** How two editions differ: told by chunks alone, by reading what these leave open, and by reading all. */
const differences = Effect.fnUntraced(function* (older: Edition.Edition, newer: Edition.Edition) {
  const [left, right] = [yield* treeOf(older), yield* treeOf(newer)]
  const sameUntil = yield* SharedChunks.between(left.stored, right.stored)
  const of = (options: TreeDiff.Options) => Stream.runCollect(TreeDiff.compare(left.tree, right.tree, options))
  const told = yield* of({ sameUntil, unknown: "tell" })
  assert.strictEqual(left.read.size + right.read.size, 0)
  const decided = yield* of({ sameUntil })
  return { told, decided, read: left.read.size, all: yield* of({}) }
})

const pathsOf = (found: ReadonlyArray<TreeDiff.Difference>, tag: TreeDiff.Difference["_tag"]) =>
  found.filter(({ _tag }) => _tag === tag).map(({ path }) => Bytes.toText(path))

/** Paths at which contents of one size differ. */
const contentsOf = (found: ReadonlyArray<TreeDiff.Difference>) =>
  found.flatMap((each) =>
    each._tag === "Changed" && each.changes.some(({ attribute }) => attribute === "content")
      ? [Bytes.toText(each.path)]
      : [],
  )

const editionsOf = Effect.fnUntraced(function* (repository: Parameters<typeof Edition.groups>[0]) {
  const groups = yield* Stream.runCollect(Edition.groups(repository))
  return groups.flatMap(({ series }) => series.map(({ editions }) => editions))
})

/** What is told without reading is true, what is undecided is read and nothing else, and then all is told. */
const holds = ({ all, decided, read, told }: Effect.Success<ReturnType<typeof differences>>, where: string) => {
  const undecided = pathsOf(told, "Undecided")
  assert.deepStrictEqual(decided, all, where)
  assert.deepStrictEqual(
    contentsOf(all).filter((path) => !undecided.includes(path)),
    [],
    where,
  )
  assert.strictEqual(read, undecided.length, where)
  return undecided.length
}

describe("SharedChunks", () => {
  it.effect("never tell what is wrong of backups that are made up", () =>
    Effect.gen(function* () {
      let [undecided, contents] = [0, 0]
      for (let seed = 1; seed <= 16; seed++) {
        const made = yield* backups.make(seed, { unseen: true })
        const [editions = []] = yield* editionsOf(made.repository)
        for (const [at, newer] of editions.slice(1).entries()) {
          const found = yield* Effect.scoped(differences(editions[at]!, newer))
          undecided += holds(found, `seed ${seed}`)
          contents += contentsOf(found.all).length
          // The model has the last word: what is in both with another content.
          const filesOf = ({ snapshot }: Edition.Edition) =>
            made.backups.find(({ id }) => id.time === snapshot.id.time)!.files
          const [before, after] = [filesOf(editions[at]!), filesOf(newer)]
          const expected = [...before].flatMap(([path, { content }]) => {
            const other = after.get(path)?.content
            return other?.length === content.length && !Bytes.equals(other, content) ? [path] : []
          })
          assert.deepStrictEqual(contentsOf(found.decided).toSorted(), expected.toSorted(), `seed ${seed}`)
        }
      }
      // Both happen, or nothing was tried.
      assert.isAbove(undecided, contents)
      assert.isAbove(contents, 0)
    }),
  )

  it.effect("never tell what is wrong of the backups of a store", () =>
    Effect.gen(function* () {
      const repository = yield* stores.at(Datastores.store("datastore-plain"))
      let pairs = 0
      for (const editions of yield* editionsOf(repository)) {
        for (const [at, newer] of editions.slice(1).entries()) {
          const found = yield* Effect.scoped(differences(editions[at]!, newer))
          holds(found, `${newer.snapshot.id.id} ${newer.snapshot.id.time}`)
          pairs++
        }
      }
      assert.isAbove(pairs, 2)
    }),
  )

  it.effect("leave nothing open of a backup and itself", () =>
    Effect.gen(function* () {
      const repository = yield* stores.at(Datastores.store("datastore-plain"))
      for (const [edition] of yield* editionsOf(repository)) {
        if (edition === undefined) continue
        const found = yield* Effect.scoped(differences(edition, edition))
        assert.deepStrictEqual([found.told, found.read], [[], 0])
      }
    }),
  )
})
