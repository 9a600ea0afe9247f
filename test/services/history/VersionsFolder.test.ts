/** The folder of versions, against what every backup has. */
import * as crypto from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Bytes from "../../../src/domain/Bytes.ts"
import * as Stat from "../../../src/domain/pxar/Stat.ts"
import * as EntryIdentity from "../../../src/services/history/EntryIdentity.ts"
import * as IndexFile from "../../../src/services/index/IndexFile.ts"
import * as VersionsFolder from "../../../src/services/history/VersionsFolder.ts"
import type { Repository } from "../../../src/services/repository/Repository.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import type * as TreeWalk from "../../../src/services/tree/TreeWalk.ts"
import * as RepositoryTree from "../../../src/services/virtual/RepositoryTree.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as stores from "../repository/stores.ts"
import * as backups from "./backups.ts"
import * as indexes from "./indexes.ts"

const treeOf = (repository: Repository, options?: VersionsFolder.Options) =>
  Effect.gen(function* () {
    const besideBackups = yield* VersionsFolder.make(repository, options)
    const shown = { uid: 1, gid: 2, mtimeSeconds: 1_700_000_000, besideBackups }
    return Archive.fromReader(yield* RepositoryTree.make(repository, shown))
  })

type Tree = Effect.Success<ReturnType<typeof treeOf>>

/** Everything below a path but folders, by its path there, with what is known of it. */
const below = Effect.fnUntraced(function* (tree: Tree, where: string) {
  const found = new Map<string, string>()
  const root = yield* tree.find(Bytes.fromText(where))
  for (const item of yield* Stream.runCollect(tree.walk(root))) {
    assert.strictEqual(item._tag, "Found")
    if (item._tag !== "Found" || item.entry.body._tag === "Directory") continue
    found.set(Bytes.toText(item.path).slice(where.length), yield* stateOf(tree, item))
  }
  return found
})

/** All that can be told of an entry, as a text. */
const stateOf = Effect.fnUntraced(function* (tree: Tree, item: TreeWalk.Found) {
  const hash = crypto.createHash("sha256")
  if (item.entry.body._tag === "File") {
    let size = 0
    yield* Stream.runForEach(tree.content(item), (part) =>
      Effect.sync(() => {
        size += part.length
        hash.update(part)
      }),
    )
    assert.strictEqual(size, Stat.sizeOf(item.entry))
  }
  return `${EntryIdentity.metadata(item.entry)} ${hash.digest("hex")}`
})

/** The versions of all that is not a folder in an archive, from what is mounted of each backup. */
const expected = Effect.fnUntraced(function* (
  tree: Tree,
  group: string,
  times: ReadonlyArray<string>,
  archive: string,
) {
  const versions = new Map<string, string>()
  let last = new Map<string, string>()
  for (const time of times) {
    const there = yield* Effect.catchTag(below(tree, `${group}/${time}/${archive}`), "PathError", () =>
      Effect.succeed(new Map<string, string>()),
    )
    for (const [path, state] of there) {
      const extension = /[^/](\.[^./]*)$/.exec(path)?.[1] ?? ""
      if (last.get(path) !== state) versions.set(`${path}/${time}${extension}`, state)
    }
    last = there
  }
  return versions
})

describe("VersionsFolder", () => {
  it.live("has every version of every file of backups that are made up, and nothing else", () =>
    Effect.gen(function* () {
      let versions = 0
      for (let seed = 1; seed <= 6; seed++) {
        const made = yield* backups.make(seed, { unseen: true })
        const tree = yield* treeOf(made.repository)
        const times = made.backups.map(({ id }) => id.time)
        const found = yield* below(tree, "/host/elsa/versions/root.pxar")
        assert.deepStrictEqual(
          [...found].toSorted(),
          [...(yield* expected(tree, "/host/elsa", times, "root.pxar"))].toSorted(),
          `seed ${seed}`,
        )
        versions += found.size
      }
      assert.isAbove(versions, 12)
    }),
  )

  it.live("has the same with an index of all backups, of some, and with one that fails", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 4; seed++) {
        const made = yield* backups.make(seed, { days: 8, unseen: seed % 2 === 0 })
        const within = { namespace: [], type: "host", id: "elsa", time: "2024-01-03" } as const
        const expected = yield* below(yield* treeOf(made.repository), "/host/elsa/versions")
        const [whole, half] = [yield* indexes.of(made.repository), yield* indexes.of(made.repository, { within })]
        const failing = { ...whole, below: () => Effect.fail(IndexFile.failed("here", "it is gone")) }
        for (const index of [whole, half, failing]) {
          const tree = yield* treeOf(made.repository, { index: Effect.succeed(index) })
          assert.deepStrictEqual([...(yield* below(tree, "/host/elsa/versions"))], [...expected], `seed ${seed}`)
        }
      }
    }),
  )

  it.live("opens no archive to show a folder that the index knows", () =>
    Effect.gen(function* () {
      const made = yield* backups.make(2, { days: 8, split: true })
      const index = Effect.succeed(yield* indexes.of(made.repository))
      const tree = yield* treeOf(made.repository, { index })
      const chunks = () => made.counts.blobs.filter((name) => name.includes(".chunks")).length
      const before = chunks()
      const folder = yield* tree.find(Bytes.fromText("/host/elsa/versions/root.pxar/d/e"))
      assert.isAbove((yield* Stream.runCollect(tree.list(folder))).length, 0)
      assert.strictEqual(chunks(), before)
    }),
  )

  it.live("has every version of every file of a store", () =>
    Effect.gen(function* () {
      const repository = yield* stores.at(Datastores.store("datastore-plain"))
      const tree = yield* treeOf(repository)
      const group = { namespace: [], type: "host", id: "alpha" } as const
      const times: Array<string> = []
      for (const id of yield* repository.snapshots(group)) if (yield* repository.isFinished(id)) times.push(id.time)
      const folders = ["acl", "hard", "names", "sizes", "special", "sym", "xattr"].map((name) => `root.pxar/${name}`)
      for (const archive of [...folders, "data.pxar/sizes"]) {
        const found = yield* below(tree, `/host/alpha/versions/${archive}`)
        assert.isAbove(found.size, 4)
        assert.deepStrictEqual(
          [...found].toSorted(),
          [...(yield* expected(tree, "/host/alpha", times, archive))].toSorted(),
        )
      }
    }),
  )

  it.live("opens nothing before somebody looks into it, and nothing again as long as there are no other backups", () =>
    Effect.gen(function* () {
      const made = yield* backups.make(2)
      const tree = yield* treeOf(made.repository)
      const names = (where: string) =>
        Effect.flatMap(tree.find(Bytes.fromText(where)), (found) =>
          Effect.map(Stream.runCollect(tree.list(found)), (all) => all.map(({ name }) => Bytes.toText(name))),
        )
      const chunks = () => made.counts.blobs.filter((name) => name.includes(".chunks")).length
      assert.include(yield* names("/host/elsa"), "versions")
      assert.deepStrictEqual(yield* names("/host/elsa/versions"), ["root.pxar"])
      assert.strictEqual(chunks(), 0)
      const first = yield* names("/host/elsa/versions/root.pxar")
      const read = chunks()
      assert.isAbove(read, 0)
      assert.deepStrictEqual(yield* names("/host/elsa/versions/root.pxar"), first)
      assert.strictEqual(chunks(), read)
    }),
  )

  it.live("is not there unless it is asked for", () =>
    Effect.gen(function* () {
      const made = yield* backups.make(2)
      const tree = Archive.fromReader(
        yield* RepositoryTree.make(made.repository, { uid: 1, gid: 2, mtimeSeconds: 1_700_000_000 }),
      )
      const failure = yield* Effect.flip(tree.find(Bytes.fromText("/host/elsa/versions")))
      assert.strictEqual(failure._tag, "PathError")
    }),
  )
})
