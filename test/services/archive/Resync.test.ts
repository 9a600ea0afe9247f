/**
 * An archive without its end that has damage in its middle too: what is behind the damage is found again.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ArchiveHead from "../../../src/domain/pxar/ArchiveHead.ts"
import * as Item from "../../../src/domain/pxar/Item.ts"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import * as PathText from "../../../src/domain/PathText.ts"
import * as SipHash from "../../../src/domain/pxar/SipHash.ts"
import type { Node } from "../../../src/domain/pxar/Node.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as Resync from "../../../src/services/archive/Resync.ts"
import * as Salvage from "../../../src/services/archive/Salvage.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import * as Layout from "../../support/Layout.ts"
import { anyInteger } from "../../domain/pxar/helpers.ts"
import { absent, listed, open, present } from "./helpers.ts"

const complete = (bytes: Buffer) => {
  const head = ArchiveHead.readHead(Item.makeWindow(bytes, 0), bytes.length)
  return Salvage.complete(fromBytes(bytes, "cut.pxar"), head, Limits.defaults, SipHash.hash)
}

/** Paths of all that can be read. */
const pathsOf = Effect.fnUntraced(function* (bytes: Buffer, payload?: Buffer) {
  const reader = yield* ArchiveReader.make(fromBytes(bytes), payload === undefined ? absent : present(payload))
  const paths: Array<string> = []
  const visit = (directory: Node, path: string): Effect.Effect<void, unknown> =>
    Effect.gen(function* () {
      for (const child of yield* listed(reader, directory)) {
        if (child._tag !== "Found") continue
        const at = `${path}/${Buffer.from(child.name).toString("latin1")}`
        paths.push(at)
        if (child.entry.body._tag === "Directory") yield* visit(child.node, at)
      }
    })
  yield* visit(reader.root, "")
  return paths.sort()
})

const folder = (name: string, children: ReadonlyArray<B.Node>) => B.folder(name, children)
const sample = B.build({
  children: [
    B.file("a", "1"),
    folder("b", [B.file("one", "1"), B.file("two", "2"), folder("three", [B.file("x", "3")])]),
    B.file("c", "4"),
    folder("d", [B.file("y", "5"), B.file("z", "6")]),
    B.file("e", "7"),
  ],
})

/** The sample without its end, and with nothing but zeros in a range. */
const damaged = (from: number, to: number): Buffer => Buffer.from(sample.bytes.subarray(0, -30)).fill(0, from, to)

describe("behind damage in an archive without its end", () => {
  it.effect("the pass goes on in the same folder, and says what is between", () =>
    Effect.gen(function* () {
      const [from, to] = [sample.at("b/two").nameStart, sample.at("b/two").end]
      const bytes = damaged(from, to)
      const salvaged = yield* complete(bytes)
      assert.deepStrictEqual(
        salvaged.gaps.map(({ end, start }) => [start, end]),
        [[from, to]],
      )
      assert.deepStrictEqual(yield* pathsOf(bytes), [
        "/a",
        "/b",
        "/b/one",
        "/b/three",
        "/b/three/x",
        "/c",
        "/d",
        "/d/y",
        "/d/z",
        "/e",
      ])
      const { cut } = yield* open(bytes)
      assert.include(cut?.error.message, `bytes ${from} to ${to} make no sense (`)
      assert.strictEqual(PathText.print(cut!.path), "/")
    }),
  )

  it.effect("a folder whose end is lost ends before what comes behind it in the order of names", () =>
    Effect.gen(function* () {
      const bytes = damaged(sample.at("b/three").goodbye, sample.at("b").end)
      assert.deepStrictEqual(yield* pathsOf(bytes), [
        "/a",
        "/b",
        "/b/one",
        "/b/three",
        "/b/three/x",
        "/b/two",
        "/c",
        "/d",
        "/d/y",
        "/d/z",
        "/e",
      ])
    }),
  )

  it.effect("a table that comes later says whose the children before it are", () =>
    Effect.gen(function* () {
      const { goodbye } = sample.at("b/three")
      const bytes = damaged(goodbye, sample.at("b/three").end)
      assert.deepStrictEqual((yield* pathsOf(bytes)).length, 11)
    }),
  )

  it.effect("children of a folder whose head is lost are not", () =>
    Effect.gen(function* () {
      const bytes = damaged(sample.at("d").nameStart, sample.at("d/y").nameStart)
      const paths = yield* pathsOf(bytes)
      for (const name of ["y", "z", "e"])
        assert.isTrue(
          paths.some((path) => path.endsWith(`/${name}`)),
          name,
        )
    }),
  )

  for (const golden of [Golden.richV1, Golden.hardlinkV2, Golden.legacyV1]) {
    const { bytes: whole, payload } = Golden.load(golden)
    const { places } = Layout.scan(whole)
    const root = places[0] as Layout.Place
    it.effect.prop(
      `of ${golden.name}, wherever it is, all that is whole is there, under its own path unless folders were hit`,
      [anyInteger(root.own[1], whole.length - 1), anyInteger(24, 400), anyInteger(0, whole.length), anyInteger(0, 1)],
      ([from, length, behind, value]) =>
        Effect.gen(function* () {
          const to = from + length
          const end = Math.min(whole.length - 8, to + behind)
          const bytes = Buffer.from(whole.subarray(0, end)).fill(value * 0xff, from, Math.min(to, end))
          const isHit = ([start, stop]: Layout.Range): boolean => start < to && from < stop
          const paths = yield* pathsOf(bytes, payload)
          const hitFolders = places.filter(
            ({ own, table }) => table !== undefined && (isHit(table) || isHit(own) || own[0] >= from),
          )
          // A FIFO or socket whose mode is 0 is a folder by what follows it.
          const mayBeFolder = value === 0 && places.some(({ content, own, table }) => isHit(own) && !content && !table)
          for (const place of places.slice(1)) {
            const { content, own, path, target } = place
            const stop = content?.source === "archive" ? content.range[1] : own[1]
            // What ends beside the damage cannot be told from what reaches into it.
            if (isHit([own[0], stop + 16]) || stop + 16 > end || target !== undefined) continue
            const name = path.slice(path.lastIndexOf("/"))
            const isClear = hitFolders.length === 0 && !mayBeFolder
            assert.isTrue(isClear ? paths.includes(path) : paths.some((other) => other.endsWith(name)), path)
          }
        }),
      { arbitrary: { runs: 150 } },
    )
  }
})

describe("Resync.depthOf", () => {
  const names = (...texts: ReadonlyArray<string | undefined>) =>
    texts.map((text) => (text === undefined ? undefined : Buffer.from(text)))
  it.each([
    ["z", ["b", "three", "x"], 3],
    ["three", ["b", "three", "x"], 1],
    ["u", ["b", "three", "x"], 2],
    ["a", ["b", undefined], 2],
    ["a", ["b", "c"], 2],
  ] as const)("%s behind %s is in folder %i", (name, last, depth) => {
    assert.strictEqual(Resync.depthOf(Buffer.from(name), names(...last)), depth)
  })
})
