/**
 * The golden archives, walked through the services without a mount, against what the reference implementation's data
 * says of them.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import * as crypto from "node:crypto"
import * as NodeId from "../../../src/domain/pxar/NodeId.ts"
import * as Stat from "../../../src/domain/pxar/Stat.ts"
import * as XattrList from "../../../src/domain/pxar/XattrList.ts"
import type { ArchiveError } from "../../../src/services/archive/ArchiveError.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import type { Found } from "../../../src/services/archive/ArchiveTree.ts"
import * as FileSource from "../../../src/services/bytes/FileSource.ts"
import * as ArchiveBytes from "../../../src/services/bytes/ArchiveBytes.ts"
import * as Golden from "../../support/Golden.ts"
import { children, contentOf, open, type Reader } from "./helpers.ts"

interface Seen extends Pick<Found, "node" | "entry" | "link" | "name"> {
  readonly path: Buffer
  readonly stat: Stat.Stat
}

const seen = (path: Buffer, found: Pick<Found, "node" | "entry" | "link" | "name">): Seen => ({
  ...found,
  path,
  stat: Stat.fromEntry(found.entry, found.node.id),
})

/** Everything in an archive, in the order of `paths`: golden data are in that of the slots, listings in the archive's. */
const walk = (
  reader: Reader,
  paths: ReadonlyArray<{ readonly path: Buffer }>,
): Effect.Effect<ReadonlyArray<Seen>, ArchiveError> =>
  Effect.gen(function* () {
    const root = { node: reader.root, entry: yield* reader.entry(reader.root), link: undefined, name: Buffer.alloc(0) }
    const all: Array<Seen> = [seen(Buffer.from("/"), root)]
    const visit = (directory: Seen): Effect.Effect<void, ArchiveError> =>
      Effect.gen(function* () {
        const slash = directory.path.length > 1 ? "/" : ""
        for (const child of yield* children(reader, directory.node)) {
          const next = seen(Buffer.concat([directory.path, Buffer.from(slash), child.name]), child)
          all.push(next)
          if (child.entry.body._tag === "Directory") yield* visit(next)
        }
      })
    yield* visit(all[0]!)
    const byPath = new Map(all.map((found) => [hex(found.path), found]))
    assert.strictEqual(byPath.size, all.length)
    assert.strictEqual(all.length, paths.length)
    return paths.map(({ path }) => byPath.get(hex(path)) ?? assert.fail(`${path} was not listed`))
  })

/** An archive opened from its files, and what a walk saw in it. */
class Opened extends Context.Service<Opened, { readonly reader: Reader; readonly all: ReadonlyArray<Seen> }>()(
  "test/Opened",
) {}

const payloadLayer = (golden: Golden.Golden) =>
  golden.payload === undefined
    ? Layer.empty
    : Layer.effect(
        ArchiveBytes.PayloadSource,
        Effect.map(FileSource.open(golden.payload), (source): ArchiveBytes.Payload => ({ _tag: "Present", source })),
      )

const openedLayer = (golden: Golden.Golden) =>
  Layer.effect(
    Opened,
    Effect.gen(function* () {
      const reader = yield* ArchiveReader.ArchiveReader
      return { reader, all: yield* walk(reader, golden.view()) }
    }),
  ).pipe(Layer.provide(ArchiveReader.layer), Layer.provide([FileSource.layer(golden.archive), payloadLayer(golden)]))

const kindOf = ({ entry }: Seen): Golden.Kind => {
  switch (entry.body._tag) {
    case "Directory":
      return "directory"
    case "File":
      return "file"
    case "Symlink":
      return "symlink"
    case "Fifo":
      return "fifo"
    case "Socket":
      return "socket"
    case "Device":
      return (entry.mode & 0o170000) === 0o60000 ? "blockdev" : "chardev"
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const packed = (rdev: readonly [major: number, minor: number]): number =>
  (rdev[1] % 256) + rdev[0] * 256 + Math.floor(rdev[1] / 256) * 2 ** 20

describe.each(Golden.all)("$name", (golden) => {
  layer(openedLayer(golden))((it) => {
    /** A test that both sides give the same for each path. */
    const same = <A>(
      name: string,
      ofArchive: (entry: Seen, reader: Reader) => A | Effect.Effect<A, ArchiveError>,
      ofView: (view: Golden.View) => A,
    ) =>
      it.effect(name, () =>
        Effect.gen(function* () {
          const { all, reader } = yield* Opened
          for (const [index, view] of golden.view().entries()) {
            const entry = all[index]
            if (entry === undefined) return assert.fail(`${String(view.path)} is missing`)
            const value = ofArchive(entry, reader)
            const actual = Effect.isEffect(value) ? yield* value : value
            assert.deepStrictEqual(actual, ofView(view), String(view.path))
          }
        }),
      )

    it.effect("has the same paths, in slot order", () =>
      Effect.map(Opened, ({ all }) => {
        assert.deepStrictEqual(
          all.map((entry) => hex(entry.path)),
          golden.view().map((view) => hex(view.path)),
        )
      }),
    )

    same("has the same kinds", kindOf, (view) => view.kind)
    same(
      "has the same hard links",
      (entry) => entry.link !== undefined,
      (view) => view.hardlink,
    )
    same(
      "has the same inode numbers",
      (entry) => NodeId.toBigInt(entry.stat.id),
      (view) => view.ino,
    )
    same(
      "has the same modes",
      (entry) => entry.stat.mode,
      (view) => view.mode,
    )
    same(
      "has the same link counts",
      (entry) => entry.stat.nlink,
      (view) => view.nlink,
    )
    same(
      "has the same owners",
      (entry) => [entry.stat.uid, entry.stat.gid],
      (view) => [view.uid, view.gid],
    )
    same(
      "has the same sizes",
      (entry) => entry.stat.size,
      (view) => view.size,
    )
    same(
      "has the same blocks",
      (entry) => entry.stat.blocks,
      (view) => view.blocks,
    )
    same(
      "has the same times",
      (entry) => [entry.stat.mtimeSeconds, entry.stat.mtimeNanos],
      (view) => [view.mtimeSeconds, view.mtimeNanos],
    )
    same(
      "has the same devices",
      ({ entry, stat }) =>
        entry.body._tag === "Device" ? [Number(entry.body.major), Number(entry.body.minor), stat.rdev] : [stat.rdev],
      ({ rdev }) => (rdev === undefined ? [0] : [...rdev, packed(rdev)]),
    )
    same(
      "has the same symlink targets",
      ({ entry }) => (entry.body._tag === "Symlink" ? hex(entry.body.target) : undefined),
      (view) => view.target?.toString("hex"),
    )
    same(
      "has the same contents, read in pieces",
      (entry, reader) =>
        entry.entry.body._tag === "File"
          ? Effect.map(contentOf(reader, { ...entry, _tag: "Found", nameStart: 0 }, 65_521), (content) =>
              crypto.createHash("sha256").update(content).digest("hex"),
            )
          : Effect.undefined,
      (view) => view.sha256,
    )
    same(
      "has the same extended attributes",
      ({ entry }) =>
        Object.fromEntries(XattrList.fromEntry(entry).xattrs.map(({ name, value }) => [hex(name), hex(value)])),
      (view) => view.xattrs,
    )

    it.effect("decodes each entry again from its node alone", () =>
      Effect.gen(function* () {
        const { all, reader } = yield* Opened
        for (const { entry, node, path } of all) {
          assert.deepStrictEqual(yield* reader.entry(node), entry, String(path))
        }
      }),
    )

    it.effect("finds the name of each node that is no hard link", () =>
      Effect.gen(function* () {
        const { all, reader } = yield* Opened
        for (const { link, name, node } of all) {
          if (link === undefined) assert.strictEqual(hex(yield* reader.name(node)), hex(name))
        }
      }),
    )

    it.effect("finds each name by looking it up in its folder", () =>
      Effect.gen(function* () {
        const { all, reader } = yield* Opened
        const folders = new Map(all.map((entry) => [entry.node.id, entry]))
        for (const { link, name, node, path } of all.slice(1)) {
          const folder = folders.get(node.parent)!
          const found = yield* reader.lookup(folder.node, name)
          assert.deepStrictEqual([found?.node, found?.link], [node, link], String(path))
        }
      }),
    )

    it.effect("finds no name that is not there", () =>
      Effect.gen(function* () {
        const { all, reader } = yield* Opened
        const paths = new Set(all.map((entry) => hex(entry.path)))
        for (const { entry, node, path } of all) {
          if (entry.body._tag !== "Directory") continue
          const slash = Buffer.from(path.length > 1 ? "/" : "")
          const names = all.filter((child) => child.node.parent === node.id).map((child) => Buffer.from(child.name))
          const absent = [
            ...["", ".", "..", "nothing", "\0"].map((name) => Buffer.from(name)),
            ...names.flatMap((name) => [name.subarray(0, -1), Buffer.concat([name, Buffer.from("x")])]),
          ].filter((name) => !paths.has(hex(Buffer.concat([path, slash, name]))))
          for (const name of absent) assert.isUndefined(yield* reader.lookup(node, name), `${path}/${name}`)
        }
      }),
    )

    it.effect("has the version and size of its files", () =>
      Effect.map(Opened, ({ reader }) => {
        const { bytes, payload } = Golden.load(golden)
        assert.strictEqual(reader.version, golden.version)
        assert.strictEqual(reader.size, bytes.length + (payload?.length ?? 0))
        assert.strictEqual(reader.archive, golden.archive)
      }),
    )
  })
})

describe.each(Golden.dumped)("$name, as the reference's reader decodes it", (golden) => {
  const opened = Effect.gen(function* () {
    const { bytes, payload } = Golden.load(golden)
    return yield* walk(yield* open(bytes, payload), Golden.dump(golden))
  })

  it.effect("has the same positions", () =>
    Effect.map(opened, (all) => {
      for (const [index, dump] of Golden.dump(golden).entries()) {
        const { entry, link, node } = all[index]!
        const path = String(dump.path)
        if (link !== undefined) {
          assert.strictEqual(link.start, dump.entryStart, path)
          continue
        }
        assert.deepStrictEqual([node.nameStart, node.start], [dump.nameStart ?? 0, dump.entryStart], path)
        const byReference = entry.body._tag === "File" && entry.body.content.source === "payload"
        if (!byReference) assert.strictEqual(node.bound, dump.entryEnd, path)
      }
    }),
  )

  it.effect("has the same flags, quota ids and stored attributes", () =>
    Effect.map(opened, (all) => {
      for (const [index, dump] of Golden.dump(golden).entries()) {
        const { entry, link } = all[index]!
        if (link !== undefined) continue
        const stored = entry.attributes.xattrs.map(({ name, value }) => [hex(name), hex(value)])
        assert.deepStrictEqual(
          [entry.flags, entry.attributes.quotaProjectId, stored],
          [dump.flags, dump.quotaProjectId, dump.xattrs.map((xattr) => [...xattr])],
          String(dump.path),
        )
      }
    }),
  )
})

describe("collisions-v1", () => {
  const reader = Effect.suspend(() => open(Golden.load(Golden.collisionsV1).bytes))

  it.effect("does not take a name for its twin of the same hash", () =>
    Effect.gen(function* () {
      const opened = yield* reader
      const one = yield* opened.lookup(opened.root, Buffer.from("one"))
      assert.isDefined(yield* opened.lookup(one!.node, Buffer.from("4c882e7c61e1107d")))
      assert.isUndefined(yield* opened.lookup(one!.node, Buffer.from("af5371ac03436a4a")))
    }),
  )
})

describe("synth-v1", () => {
  it.effect("looks the same through the smallest blocks and without tables kept", () =>
    Effect.gen(function* () {
      const { bytes } = Golden.load(Golden.synthV1)
      const small = { blocks: { blockSize: 32, capacity: 32 }, tableCapacity: 0 }
      const view = Golden.synthV1.view()
      assert.deepStrictEqual(
        yield* walk(yield* open(bytes, undefined, small), view),
        yield* walk(yield* open(bytes), view),
      )
    }),
  )
})

describe("preludes", () => {
  it.effect("are read as the bytes they are", () =>
    Effect.gen(function* () {
      const { bytes, payload } = Golden.load(Golden.synthV2)
      const reader = yield* open(bytes, payload)
      const stored = bytes.subarray(40, 24 + Number(bytes.readBigUInt64LE(32)))
      assert.strictEqual(hex((yield* reader.prelude)!), hex(stored))
      assert.isAbove(stored.length, 0)
    }),
  )

  it.effect("are absent in an archive without one", () =>
    Effect.gen(function* () {
      const { bytes, payload } = Golden.load(Golden.synthV2np)
      assert.isUndefined(yield* (yield* open(bytes, payload)).prelude)
    }),
  )
})
