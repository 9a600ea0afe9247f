/** What is told at once, beside the golden data and beside what is told in the usual way. */
import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { children, open } from "./helpers.ts"

const openGolden = (golden: Golden.Golden) =>
  open(fs.readFileSync(golden.archive), golden.payload === undefined ? undefined : fs.readFileSync(golden.payload))

/** Every folder of an archive. */
const folders = (reader: ArchiveReader.Shape) =>
  Effect.gen(function* () {
    const all = [reader.root]
    for (const folder of all) {
      for (const { node } of yield* children(reader, folder)) if (node.id > 0) all.push(node)
    }
    return all
  })

describe("a golden archive", () => {
  for (const golden of [Golden.treeV1, Golden.treeV2, Golden.synthV1]) {
    it.effect(`${golden.name} is the same at once`, () =>
      Effect.gen(function* () {
        const reader = yield* openGolden(golden)
        const { cached } = reader
        let compared = 1
        for (const folder of yield* folders(reader)) {
          const table = cached.table(folder)
          assert.strictEqual(table?.count, yield* reader.count(folder))
          const found = yield* children(reader, folder)
          const atOnce: ReadonlyArray<ArchiveReader.Found | undefined> = Array.from(
            { length: table!.count },
            (_, slot) => cached.child(folder, table!, slot),
          )
          assert.deepStrictEqual<unknown>(atOnce, found)
          for (const child of found) {
            assert.deepStrictEqual(cached.lookup(folder, child.name), child)
            assert.deepStrictEqual(cached.entry(child.node), child.entry)
          }
          assert.strictEqual(cached.lookup(folder, Buffer.from("not there")), "absent")
          compared += found.length
        }
        assert.strictEqual(compared, golden.view().length)
      }),
    )
  }
})

describe("nothing is told at once", () => {
  it.effect("of names with one hash: they are compared", () =>
    Effect.gen(function* () {
      const [one, other] = B.collidingNames[0]
      const reader = yield* open(B.build({ children: [B.file(one), B.file(other)] }).bytes)
      const table = reader.cached.table(reader.root)
      assert.isUndefined(reader.cached.child(reader.root, table!, 0))
      assert.isUndefined(reader.cached.lookup(reader.root, Buffer.from(one)))
    }),
  )

  it.effect("of a name whose hash another has: it could be that one's", () =>
    Effect.gen(function* () {
      const [one, other] = B.collidingNames[0]
      const reader = yield* open(B.build({ children: [B.file(one)] }).bytes)
      assert.isUndefined(reader.cached.lookup(reader.root, Buffer.from(other)))
      assert.isUndefined(yield* reader.lookup(reader.root, Buffer.from(other)))
    }),
  )

  it.effect("of a damaged child, whose siblings are told", () =>
    Effect.gen(function* () {
      const damaged = { ...B.file("bad", ""), filename: B.item(B.Type.FILENAME, Buffer.from("no nul")) }
      const reader = yield* open(B.build({ children: [B.file("good"), damaged] }).bytes)
      assert.isUndefined(reader.cached.lookup(reader.root, Buffer.from("bad")))
      assert.isObject(reader.cached.lookup(reader.root, Buffer.from("good")))
    }),
  )
})
