/** Whatever is put into an index: it says of each archive what a walk says, or nothing at all. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Damage from "../../support/Damage.ts"
import * as DamagedArchives from "../../support/DamagedArchives.ts"
import * as Oracle from "../../support/Oracle.ts"
import { make as makeRandom, type Random } from "../../support/Random.ts"
import * as Tree from "../../support/Tree.ts"
import * as TreeArbitrary from "../../support/TreeArbitrary.ts"
import * as states from "./states.ts"

describe("an index of damaged archives", () => {
  it.effect.each([...DamagedArchives.all])("says of %s nothing that a walk does not", ([, { bytes }]) =>
    Effect.gen(function* () {
      const index = yield* states.make
      const added = index.add(bytes)
      const lines = index.lines(bytes)
      assert.strictEqual(lines === undefined, added._tag === "Irregular")
      if (lines !== undefined) assert.deepStrictEqual(lines, yield* states.walk(bytes))
    }),
  )

  it.effect("says of what was damaged at random nothing that a walk does not", () =>
    Effect.gen(function* () {
      let sound = 0
      const index = yield* states.make
      for (let number = 0; number < 300; number++) {
        const { bytes, what } = Damage.make(18, number)
        // The builder's giants take long, and have no more to show.
        if (bytes.length > 200_000) continue
        if (index.add(bytes)._tag !== "Added") continue
        sound++
        assert.deepStrictEqual(index.lines(bytes), yield* states.walk(bytes), `${number}: ${what}`)
      }
      assert.isAbove(sound, 10, "some are damaged where nobody looks without contents")
    }),
  )
})

/** Somebody worked on a tree: something was added, changed, moved or is gone. */
const worked = (random: Random, root: Tree.Directory): Tree.Directory => {
  const children = root.children.slice()
  for (let step = random.below(4); step > 0; step--) {
    const at = random.below(children.length + 1)
    const child = children[at]
    const other = TreeArbitrary.build(Array.from({ length: 40 }, () => random.below(2 ** 32))).children.find(
      ({ name, tree }) =>
        tree._tag !== "HardLink" && children.every((there) => Tree.key(there.name) !== Tree.key(name)),
    )
    if (child === undefined) {
      if (other !== undefined) children.push(other)
    } else if (child.tree._tag === "Directory" && random.below(2) === 0) {
      children[at] = { ...child, tree: worked(random, child.tree) }
    } else if (random.below(3) === 0) children.splice(at, 1)
    else if (other !== undefined) children[at] = { name: child.name, tree: other.tree }
  }
  return { ...root, children }
}

const colliding: ReadonlySet<string> = new Set(B.collidingNames.flat())

const isPlain = ({ name, tree }: Tree.Child): boolean =>
  tree._tag !== "HardLink" && !colliding.has(Buffer.from(name).toString())

/** Without hard links, whose targets may go, without names that have one hash, and with times that are times. */
const plain = (tree: Tree.Tree): Tree.Tree =>
  tree._tag === "HardLink"
    ? tree
    : tree._tag === "Directory"
      ? {
          ...tree,
          metadata: { ...tree.metadata, mtimeSeconds: 7n },
          children: tree.children.filter(isPlain).map(({ name, tree }) => ({ name, tree: plain(tree) })),
        }
      : { ...tree, metadata: { ...tree.metadata, mtimeSeconds: BigInt.asIntN(33, tree.metadata.mtimeSeconds) } }

describe("an index of states that follow each other", () => {
  it.effect("has each of them as a walk sees it, and reads of one only what the one before does not have", () =>
    Effect.gen(function* () {
      let fetched = 0
      let chunks = 0
      for (let seed = 1; seed <= 12; seed++) {
        const random = makeRandom(seed)
        const index = yield* states.make
        const version = seed % 2 === 0 ? 2 : 1
        let root = plain(
          TreeArbitrary.build(Array.from({ length: 1200 }, () => random.below(2 ** 32))),
        ) as Tree.Directory
        const made: Array<Uint8Array> = []
        for (let state = 0; state < 6; state++) {
          const archive = Oracle.build(Oracle.withBuilderPaths(root), version).bytes
          const isNew = made.every((one) => Buffer.compare(one, archive) !== 0)
          assert.strictEqual(index.add(archive)._tag, isNew ? "Added" : "Known", `seed ${seed}, state ${state}`)
          if (state > 0) {
            fetched += index.fetched
            chunks += states.chunksOf(archive).length
          }
          made.push(archive)
          root = plain(worked(random, root)) as Tree.Directory
        }
        for (const [state, archive] of made.entries()) {
          assert.deepStrictEqual(index.lines(archive), yield* states.walk(archive), `seed ${seed}, state ${state}`)
        }
      }
      assert.isBelow(fetched, chunks, "folders are taken over by their chunks")
    }),
  )

  it.effect("follows a hard link whose target is another file now, though its folder is the same to the byte", () =>
    Effect.gen(function* () {
      const index = yield* states.make
      // All that follows the file is where it was, byte for byte, and so is the folder with the link.
      for (const seconds of [1, 2]) {
        const { bytes } = B.build({
          version: 1,
          children: [
            B.file("a", "content", { head: B.entry({ seconds }) }),
            B.file("between", "y".repeat(5000)),
            B.folder("d", [B.linkTo("b", "a"), B.file("c", "x".repeat(2000))]),
          ],
        })
        assert.strictEqual(index.add(bytes)._tag, "Added")
        assert.deepStrictEqual(index.lines(bytes), yield* states.walk(bytes))
      }
    }),
  )
})
