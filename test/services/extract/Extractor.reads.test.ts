/** How much of an archive is read for what is named in it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as Extractor from "../../../src/services/extract/Extractor.ts"
import * as TarExport from "../../../src/services/export/TarExport.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as Selection from "../../../src/services/tree/Selection.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { absent } from "../archive/helpers.ts"
import { pathsIn, sandbox } from "./extraction.ts"

const siblings = Array.from({ length: 5000 }, (_, i) => B.file(`file ${i}`, "x".repeat(1000)))
const { bytes } = B.build({ children: [B.folder("d", siblings), B.folder("e", siblings.slice(0, 50))] })

/** Number of reads that `use` takes with an archive that was just opened. */
const readsOf = Effect.fnUntraced(function* <E>(use: (archive: Archive.Archive) => Effect.Effect<unknown, E>) {
  const source = fromBytes(bytes, "test.pxar")
  let reads = 0
  const counting = {
    ...source,
    read: (target: Uint8Array, offset: number) => {
      reads++
      return source.read(target, offset)
    },
  }
  yield* use(Archive.fromReader(yield* ArchiveReader.make(counting, absent)))
  return reads
})

const args = [Buffer.from("d/file 4000")]

/** What it takes to look at the file, and once more its folder: a name is looked up before the walk, and in it. */
const most = Effect.map(
  readsOf((archive) =>
    Effect.flatMap(archive.find(args[0] as Uint8Array), (found) => Stream.runDrain(archive.content(found))),
  ),
  (reads) => reads + 1,
)

describe("one of 5,000 files of a folder", () => {
  it.effect("is extracted with no more reads than looking at it takes", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const reads = yield* readsOf((archive) => Extractor.extract(archive, { target, paths: args, owner: false }))
      assert.deepStrictEqual(pathsIn(target), ["d", "d/file 4000"])
      assert.isAtMost(reads, yield* most)
    }),
  )

  it.effect("is listed with no more", () =>
    Effect.gen(function* () {
      const reads = yield* readsOf((archive) =>
        Effect.flatMap(Selection.make(archive, args), (selection) =>
          Stream.runDrain(Selection.walk(archive, selection)),
        ),
      )
      assert.isAtMost(reads, yield* most)
    }),
  )

  it.effect("is exported with no more", () =>
    Effect.gen(function* () {
      const reads = yield* readsOf((archive) =>
        TarExport.write(archive, {
          paths: args,
          target: { write: () => Effect.void },
          onUnreadable: () => Effect.void,
        }),
      )
      assert.isAtMost(reads, yield* most)
    }),
  )
})

describe("a folder before which a pattern has no wildcard", () => {
  it.effect("is read alone", () =>
    Effect.gen(function* () {
      const readsFor = (pattern: string) =>
        readsOf((archive) =>
          Effect.flatMap(Selection.make(archive, [Buffer.from(pattern)]), (selection) =>
            Stream.runDrain(Selection.walk(archive, selection)),
          ),
        )
      const all = yield* readsFor("*0")
      assert.isAbove(all, 40)
      assert.isBelow(yield* readsFor("/e/*0"), all / 4)
    }),
  )
})
