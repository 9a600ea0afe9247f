import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as PathTemplate from "../../../src/domain/datastore/PathTemplate.ts"
import type { ArchiveTree } from "../../../src/services/archive/ArchiveTree.ts"
import { fromMap } from "../../../src/services/blobs/BlobStore.ts"
import * as RepositoryTree from "../../../src/services/virtual/RepositoryTree.ts"
import * as H from "../archive/helpers.ts"
import * as stores from "../repository/stores.ts"

const BACKUPS = [
  "host/web/2026-01-01T00:00:00Z",
  "host/web/2026-02-01T00:00:00Z",
  "host/mail/2026-01-01T00:00:00Z",
  "vm/100/2026-01-01T00:00:00Z",
  "ns/a/host/web/2026-01-01T00:00:00Z",
  "ns/a/ns/b/ct/7/2026-03-01T00:00:00Z",
]

/** A datastore with these backups, none of which is read. */
const store = (backups: ReadonlyArray<string> = BACKUPS): Map<string, Uint8Array> =>
  new Map([".chunks/0000/x", ...backups.map((at) => `${at}/index.json.blob`)].map((name) => [name, new Uint8Array()]))

const open = Effect.fnUntraced(function* (
  template: string,
  blobs = store(),
  options: Partial<RepositoryTree.Options> = {},
) {
  return yield* RepositoryTree.make(yield* stores.over(fromMap(blobs)), {
    uid: 0,
    gid: 0,
    mtimeSeconds: 0,
    fresh: 0,
    pathTemplate: Result.getOrThrow(PathTemplate.parse(template)),
    ...options,
  })
})

/** All paths above the folders of backups, and those. */
const paths = (tree: ArchiveTree, depth: number) => {
  const found: Array<string> = []
  const visit = (node: ArchiveTree["root"], at: string, left: number): Effect.Effect<void, unknown> =>
    Effect.gen(function* () {
      for (const child of yield* H.listed(tree, node)) {
        if (child._tag === "Unreadable") continue
        const path = `${at}/${Buffer.from(child.name).toString()}`
        found.push(path)
        if (child._tag === "Unopened" && left > 1) yield* visit(child.node, path, left - 1)
      }
    })
  return Effect.map(visit(tree.root, "", depth), () => found.filter((path) => !path.endsWith("/latest")).toSorted())
}

describe("the folders that a path template makes", () => {
  it.live("are those of the group, then the backup", () =>
    Effect.gen(function* () {
      const tree = yield* open("by-host/%ns/%type-%id/%time")
      assert.deepStrictEqual(yield* paths(tree, 1), ["/by-host"])
      assert.deepStrictEqual(yield* paths(tree, 3), [
        "/by-host",
        "/by-host/a",
        "/by-host/a/b",
        "/by-host/a/host-web",
        "/by-host/host-mail",
        "/by-host/host-mail/2026-01-01T00:00:00Z",
        "/by-host/host-web",
        "/by-host/host-web/2026-01-01T00:00:00Z",
        "/by-host/host-web/2026-02-01T00:00:00Z",
        "/by-host/vm-100",
        "/by-host/vm-100/2026-01-01T00:00:00Z",
      ])
      const { entry } = yield* H.find(tree, "by-host/host-web/latest")
      assert.deepStrictEqual(entry.body, { _tag: "Symlink", target: Buffer.from("2026-02-01T00:00:00Z") as never })
    }),
  )

  it.live("can begin with the time, which brings together what was made at once", () =>
    Effect.gen(function* () {
      const tree = yield* open("%time/%type/%id", store(BACKUPS.slice(0, 4)), { timeTemplate: "%Y-%m-%d" })
      assert.deepStrictEqual(yield* paths(tree, 3), [
        "/2026-01-01",
        "/2026-01-01/host",
        "/2026-01-01/host/mail",
        "/2026-01-01/host/web",
        "/2026-01-01/vm",
        "/2026-01-01/vm/100",
        "/2026-02-01",
        "/2026-02-01/host",
        "/2026-02-01/host/web",
      ])
    }),
  )

  it.live("are of one namespace where that is mounted, and follow what comes and goes", () =>
    Effect.gen(function* () {
      const blobs = store()
      const root = { namespace: ["a"], type: undefined, id: undefined }
      const tree = yield* open("%ns/%id/%time", blobs, { root })
      assert.deepStrictEqual(yield* paths(tree, 2), ["/b", "/b/7", "/web", "/web/2026-01-01T00:00:00Z"])
      blobs.set("ns/a/host/new/2026-01-01T00:00:00Z/index.json.blob", new Uint8Array())
      blobs.delete("ns/a/ns/b/ct/7/2026-03-01T00:00:00Z/index.json.blob")
      assert.deepStrictEqual(yield* paths(tree, 2), [
        "/new",
        "/new/2026-01-01T00:00:00Z",
        "/web",
        "/web/2026-01-01T00:00:00Z",
      ])
    }),
  )

  it.live("are refused where two groups would be one, with both; later that costs the folder", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(open("%type/%id/%time"))
      assert.strictEqual(error._tag, "RepositoryError")
      assert.include(error.message, "backups of host/web and of ns/a/host/web the same place")
      const blobs = store(BACKUPS.slice(0, 4))
      const tree = yield* open("%id/%time", blobs)
      blobs.set("ct/web/2026-01-01T00:00:00Z/index.json.blob", new Uint8Array())
      const { node } = yield* H.find(tree, "web")
      const found = yield* Effect.flip(H.listed(tree, node))
      assert.include(found.message, "would both be 2026-01-01T00:00:00Z, by the path template %id/%time")
      assert.include(yield* paths(tree, 1), "/mail")
    }),
  )
})
