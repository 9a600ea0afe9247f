/**
 * A mount through `fuse-native` shows what the golden view says, in every field that its table says it can carry, and
 * reports what it leaves out. All sets are mounted in one process.
 */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as PathText from "../../src/domain/PathText.ts"
import * as FuseNativeView from "../support/FuseNativeView.ts"
import * as Golden from "../support/Golden.ts"
import * as MountedTree from "../support/MountedTree.ts"
import { need } from "../support/Requirements.ts"
import * as SessionsServer from "../support/SessionsServer.ts"

beforeEach(need({ mount: true, root: true, fuseNative: true }))

describe("through fuse-native", () => {
  const shared = SessionsServer.shared(Golden.all.map((golden) => ({ golden, transport: "fuse-native" })))

  for (const [session, golden] of Golden.all.entries()) {
    it.live(`${golden.name} equals its view in what can be carried`, () =>
      Effect.gen(function* () {
        const { mountPoints } = yield* shared
        const seen = MountedTree.comparable(MountedTree.read(mountPoints[session]!), golden.view())
        const expected = MountedTree.byPath(golden.view().flatMap((view) => FuseNativeView.expected(view) ?? []))
        const paths = (tree: ReadonlyArray<MountedTree.Seen>) => tree.map(({ path }) => path.toString())
        assert.deepStrictEqual(paths(seen), paths(expected))
        for (const [index, entry] of expected.entries()) assert.deepStrictEqual(seen[index], entry, String(entry.path))
        // Listings are in the order of the archive, which inode numbers tell.
        const listed = Map.groupBy(MountedTree.read(mountPoints[session]!), ({ path }) =>
          path.subarray(0, path.lastIndexOf("/")).toString("latin1"),
        )
        for (const [folder, children] of listed) {
          const numbers = children.filter(({ path }) => path.length > 1).map(({ ino }) => ino)
          assert.deepStrictEqual(
            numbers,
            numbers.toSorted((a, b) => Number(a - b)),
            folder,
          )
        }
      }),
    )
  }

  it.live("what cannot be carried was reported, and nothing else", () =>
    Effect.gen(function* () {
      const server = yield* shared
      const { code, devices, logs } = yield* server.end
      assert.deepStrictEqual({ code, devices }, { code: 0, devices: 0 })
      for (const [session, golden] of Golden.all.entries()) {
        const expected = golden.view().flatMap((view) => {
          const path = PathText.print(view.path)
          if (!FuseNativeView.isText(view.path)) return [`${path}: not shown: it is not UTF-8`]
          const readable = view.target === undefined || FuseNativeView.isUtf8(view.target)
          return readable ? [] : [`${path}: its target cannot be read: it is not UTF-8`]
        })
        // Of these only the first is told, whichever that is.
        const told = logs[session]!.filter((line) => !/: its (ACL|time) and others/.test(line))
        assert.deepStrictEqual(told.toSorted(), expected.toSorted(), golden.name)
        const moved = golden.view().some(({ mtimeSeconds, path }) => mtimeSeconds < 0n && FuseNativeView.isText(path))
        assert.strictEqual(
          logs[session]!.some((line) => line.includes("its time and others")),
          moved,
          golden.name,
        )
      }
    }),
  )
})
