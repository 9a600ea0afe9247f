import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as PathText from "../../../src/domain/PathText.ts"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as ComparedArchive from "../../../src/services/compare/ComparedArchive.ts"
import type { Change } from "../../../src/services/compare/AttributeDiff.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as ContentDiff from "../../../src/services/compare/ContentDiff.ts"
import * as TreeDiff from "../../../src/services/compare/TreeDiff.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { make as makeRandom } from "../../support/Random.ts"
import { absent, open, recorded } from "../archive/helpers.ts"

const textOf = (change: Change): string =>
  change.attribute === "content"
    ? `content@${change.ranges?.map(({ end, start }) => `${start}-${end}`).join(",") ?? change.offset}`
    : `${change.attribute === "xattr" ? `xattr ${PathText.print(change.name)}` : change.attribute} ${change.left}>${change.right}`

const brief = (difference: TreeDiff.Difference): string => {
  const path = PathText.print(difference.path)
  switch (difference._tag) {
    case "Added":
      return `+ ${path}`
    case "Removed":
      return `- ${path}`
    case "Changed":
      return `~ ${path}: ${difference.changes.map(textOf).join(", ")}`
    case "Undecided":
      return `? ${path}`
    case "Unreadable": {
      const { error, side } = difference
      return `! ${side} ${path}: ${error._tag === "ArchiveError" ? error.check : error.code}`
    }
  }
}

type Archive = Pick<B.Built, "bytes"> & Partial<Pick<B.Built, "payload">>

const treeOf = (archive: Archive, version: 1 | 2 = 1) =>
  Effect.flatMap(open(archive.bytes, version === 2 ? archive.payload : undefined), ComparedArchive.make)

const differences = Effect.fnUntraced(function* (
  left: Effect.Effect<ArchiveReader.ArchiveReader, unknown>,
  right: Effect.Effect<ArchiveReader.ArchiveReader, unknown>,
  options?: TreeDiff.Options,
) {
  const ours = yield* ComparedArchive.make(yield* Effect.orDie(left))
  const theirs = yield* ComparedArchive.make(yield* Effect.orDie(right))
  return (yield* Stream.runCollect(TreeDiff.compare(ours, theirs, options))).map(brief)
})

/** Differences between archives with these children in their roots. */
const diff = (left: ReadonlyArray<B.Node>, right: ReadonlyArray<B.Node>, options?: TreeDiff.Options) =>
  differences(open(B.build({ children: left }).bytes), open(B.build({ children: right }).bytes), options)

const fileOf = (...items: ReadonlyArray<Uint8Array>): B.Node => B.raw("x", B.entry(), ...items, B.payload("same"))

describe("the golden archives", () => {
  for (const golden of Golden.all) {
    it.effect(`${golden.name} does not differ from itself`, () =>
      Effect.gen(function* () {
        const { bytes, payload } = Golden.load(golden)
        assert.deepStrictEqual(yield* differences(open(bytes, payload), open(bytes, payload)), [])
      }),
    )
  }

  for (const [left, right] of [
    [Golden.treeV1, Golden.treeV2],
    [Golden.synthV1, Golden.synthV2],
    [Golden.synthV2, Golden.synthV2np],
  ] as const) {
    it.effect(`${left.name} and ${right.name} hold the same`, () =>
      Effect.gen(function* () {
        const [ours, theirs] = [Golden.load(left), Golden.load(right)]
        assert.deepStrictEqual(
          yield* differences(open(ours.bytes, ours.payload), open(theirs.bytes, theirs.payload)),
          [],
        )
      }),
    )
  }
})

describe("what is only in one tree", () => {
  it.effect("is named with everything in it, in order", () =>
    Effect.gen(function* () {
      const folder = B.folder("b", [B.file("x"), B.folder("y", [B.file("z")])])
      assert.deepStrictEqual(yield* diff([B.file("a"), folder, B.file("c")], [B.file("a"), B.file("c"), B.file("d")]), [
        "- /b",
        "- /b/x",
        "- /b/y",
        "- /b/y/z",
        "+ /d",
      ])
    }),
  )

  it.effect("is found wherever its name stands, whatever the order in the archives", () =>
    Effect.gen(function* () {
      const names = ["z", "\u00ff", "A", "a", "aa", "m"]
      const right = [...names.slice(1), "b"].toReversed().map((name) => B.file(name))
      assert.deepStrictEqual(
        yield* diff(
          names.map((name) => B.file(name)),
          right,
        ),
        ["+ /b", "- /z"],
      )
    }),
  )

  it.effect("is all but the kind where a folder became a file", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* diff([B.folder("x", [B.file("y")])], [B.file("x", "content")]), [
        "~ /x: kind directory>file",
        "- /x/y",
      ])
    }),
  )
})

describe("an attribute that differs is named", () => {
  const cases: Readonly<Record<string, readonly [left: B.Node, right: B.Node, change: string]>> = {
    mode: [
      B.file("x", "", { head: B.entry({ mode: 0o100644 }) }),
      B.file("x", "", { head: B.entry({ mode: 0o104755 }) }),
      "mode 0644>4755",
    ],
    "owner and group": [
      B.file("x", "", { head: B.entry({ uid: 1, gid: 2 }) }),
      B.file("x", "", { head: B.entry({ uid: 3, gid: 4 }) }),
      "uid 1>3, gid 2>4",
    ],
    size: [B.file("x", "a"), B.file("x", "ab"), "size 1>2"],
    time: [
      B.file("x", "", { head: B.entry({ seconds: -1, nanos: 5 }) }),
      B.file("x", "", { head: B.entry({ seconds: -1, nanos: 6 }) }),
      "mtime -1.000000005>-1.000000006",
    ],
    target: [
      B.raw("x", B.entry({ mode: 0o120777 }), B.symlink("a")),
      B.raw("x", B.entry({ mode: 0o120777 }), B.symlink(Buffer.from([0xff]))),
      String.raw`target a>\xff`,
    ],
    device: [
      B.raw("x", B.entry({ mode: 0o20600 }), B.device(1, 3)),
      B.raw("x", B.entry({ mode: 0o20600 }), B.device(1, 5)),
      "device 1,3>1,5",
    ],
    "the kind of a device": [
      B.raw("x", B.entry({ mode: 0o20600 }), B.device(1, 3)),
      B.raw("x", B.entry({ mode: 0o60600 }), B.device(1, 3)),
      "kind chardev>blockdev",
    ],
    flags: [
      B.file("x", "", { head: B.entry({ flags: 0n }) }),
      B.file("x", "", { head: B.entry({ flags: 0x10_0000n }) }),
      "flags 0x0>0x100000",
    ],
    "project id": [fileOf(), fileOf(B.item(B.Type.QUOTA_PROJID, B.u64(7))), "quota_project_id undefined>7"],
    "extended attributes": [
      fileOf(B.xattr("user.a", "1"), B.xattr("user.b", "2"), B.xattr("user.same", "3")),
      fileOf(B.xattr("user.same", "3"), B.xattr("user.b", "22"), B.xattr("user.c", "")),
      "xattr user.a 31>undefined, xattr user.b 32>3232, xattr user.c undefined>",
    ],
    capabilities: [fileOf(), fileOf(B.item(B.Type.FCAPS, Buffer.from([1, 2]))), "fcaps undefined>0102"],
    "access ACL": [
      fileOf(),
      fileOf(B.item(B.Type.ACL_GROUP_OBJ, B.u64(5))),
      "acl undefined>0200000001000600ffffffff04000500ffffffff10000400ffffffff20000400ffffffff",
    ],
    "default ACL": [
      B.folder("x", []),
      B.folder("x", [], Buffer.concat([B.entry({ mode: 0o40755 }), B.item(B.Type.ACL_DEFAULT, B.u64(7, 5, 0, -1))])),
      "default_acl undefined>0200000001000700ffffffff04000500ffffffff20000000ffffffff",
    ],
    content: [B.file("x", "abcd"), B.file("x", "abxd"), "content@2"],
    "content far from the beginning": [
      B.file("x", Buffer.alloc(2_500_000)),
      B.file("x", Buffer.concat([Buffer.alloc(2_400_000), Buffer.alloc(100_000, 1)])),
      "content@2400000",
    ],
  }
  for (const [name, [left, right, change]] of Object.entries(cases)) {
    it.effect(name, () =>
      Effect.map(diff([left], [right]), (found) => assert.deepStrictEqual(found, [`~ /x: ${change}`])),
    )
  }

  it.effect("of the root too", () =>
    Effect.gen(function* () {
      const right = B.build({ root: B.entry({ mode: 0o40700 }) })
      assert.deepStrictEqual(yield* differences(open(B.build({}).bytes), open(right.bytes)), ["~ /: mode 0755>0700"])
    }),
  )

  it.effect("but not the order of extended attributes", () =>
    Effect.gen(function* () {
      const [a, b] = [B.xattr("user.a", "1"), B.xattr("user.b", "2")]
      assert.deepStrictEqual(yield* diff([fileOf(a, b)], [fileOf(b, a)]), [])
    }),
  )
})

describe("names of one file", () => {
  it.effect("that are other files in the other tree", () =>
    Effect.gen(function* () {
      const left = [B.file("a", "same"), B.linkTo("b", "a"), B.linkTo("c", "a")]
      const right = [B.file("a", "same"), B.file("b", "same"), B.linkTo("c", "b")]
      assert.deepStrictEqual(yield* diff(left, right), ["~ /b: hardlink /a>undefined", "~ /c: hardlink /a>/b"])
    }),
  )

  it.effect("are the same whichever of them comes first in the archive", () =>
    Effect.gen(function* () {
      const left = [B.file("b", "same"), B.linkTo("a", "b")]
      const right = [B.file("a", "same"), B.linkTo("b", "a")]
      assert.deepStrictEqual(yield* diff(left, right), [])
    }),
  )

  it.effect("have their content compared once", () =>
    Effect.gen(function* () {
      const left = recorded(B.build({ children: [B.file("a", "x".repeat(50_000)), B.linkTo("b", "a")] }).bytes)
      const right = B.build({ children: [B.file("a", "y".repeat(50_000)), B.linkTo("b", "a")] })
      assert.deepStrictEqual(yield* differences(ArchiveReader.make(left, absent), open(right.bytes)), [
        "~ /a: content@0",
      ])
      assert.strictEqual(left.reads.filter(([, length]) => length === 50_000).length, 1)
    }),
  )
})

describe("contents", () => {
  it.effect("are not looked at without being asked for", () =>
    Effect.map(diff([B.file("x", "a")], [B.file("x", "b")], { data: false }), (found) =>
      assert.deepStrictEqual(found, []),
    ),
  )

  it.effect("are told as undecided where they are not to be read", () =>
    Effect.gen(function* () {
      const left = [B.file("a", "1"), B.file("b", "1"), B.file("c", "1"), B.file("empty")]
      const right = [B.file("a", "1"), B.file("b", "22"), B.file("c", "2"), B.file("empty")]
      assert.deepStrictEqual(yield* diff(left, right, { unknown: "tell" }), ["? /a", "~ /b: size 1>2", "? /c"])
    }),
  )

  it.effect("of two sizes differ in what only one has, too, where ranges are told", () =>
    Effect.gen(function* () {
      const [left, right] = [[B.file("x", "abcd")], [B.file("x", "abxd-----")]]
      assert.deepStrictEqual(yield* diff(left, right, { ranges: true }), ["~ /x: size 4>9, content@2-9"])
    }),
  )

  it.effect("differ in the ranges in which their bytes do", () =>
    Effect.gen(function* () {
      const random = makeRandom(1)
      for (let round = 0; round < 30; round++) {
        const ours = Uint8Array.from({ length: 1 + random.below(3000) }, () => random.below(256))
        const theirs = ours.slice(0, random.below(2) === 0 ? ours.length : 1 + random.below(ours.length))
        for (let edit = random.below(5); edit > 0; edit--) theirs[random.below(theirs.length)]! ^= 1 + random.below(255)
        const size = Math.max(ours.length, theirs.length)
        const expected: Array<[start: number, end: number]> = []
        for (let at = 0; at < size; at++) {
          if (ours[at] === theirs[at]) continue
          const last = expected.at(-1)
          if (last !== undefined && at - last[1] <= ContentDiff.GAP) last[1] = at + 1
          else expected.push([at, at + 1])
        }
        const known = random.below(ours.length)
        /** What is known is true: up to a place before the first difference, or from there to the next one. */
        const sameUntil: TreeDiff.SameUntil = (_place, _left, _right, at) => {
          const next = expected.find(([, end]) => end > at)?.[0] ?? size
          return at % 2 === 0 ? Math.max(at, Math.min(next, known)) : at
        }
        const found = yield* diff([B.file("x", ours)], [B.file("x", theirs)], { ranges: true, sameUntil })
        const text = expected.map(([start, end]) => `${start}-${end}`).join(",")
        assert.strictEqual(found[0]?.split("content@")[1] ?? "", text, `round ${round}`)
      }
    }),
  )

  it.effect("that differ everywhere are told by their first ranges", () =>
    Effect.gen(function* () {
      const theirs = Uint8Array.from({ length: 32 * 2000 }, (_, at) => (at % 32 === 0 ? 1 : 0))
      const [left, right] = [
        yield* treeOf(B.build({ children: [B.file("x", new Uint8Array(theirs.length))] })),
        yield* treeOf(B.build({ children: [B.file("x", theirs)] })),
      ]
      const [found] = yield* Stream.runCollect(TreeDiff.compare(left, right, { ranges: true }))
      const change = found?._tag === "Changed" ? found.changes[0] : undefined
      assert.isTrue(change?.attribute === "content" && change.isCut)
      assert.strictEqual(change?.attribute === "content" ? change.ranges?.length : 0, ContentDiff.MAX_RANGES)
    }),
  )

  it.effect("that cannot be read are named, and the rest is compared", () =>
    Effect.gen(function* () {
      const children = [B.file("a", "1"), B.file("b", "2")]
      const left = B.build({ version: 2, children })
      const right = B.build({ version: 2, children: [...children, B.file("c")] })
      assert.deepStrictEqual(yield* differences(open(left.bytes), open(right.bytes, right.payload)), [
        "! left /a: P5",
        "! left /b: P5",
        "+ /c",
      ])
    }),
  )
})

describe("what cannot be read", () => {
  const bad = B.raw("bad", B.entry(), B.item(0x1234n))

  it.effect("is named with its side, and the rest is compared", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* diff([B.file("bad"), B.file("z", "1")], [bad, B.file("z", "2")]), [
        "! right /bad: H4",
        "~ /z: content@0",
      ])
    }),
  )

  it.effect("is named where the other tree has nothing", () =>
    Effect.map(diff([bad], []), (found) => assert.deepStrictEqual(found, ["! left /bad: H4"])),
  )

  it.effect("a folder: what is in it on the other side is not called missing", () =>
    Effect.gen(function* () {
      const children = [B.file("x"), B.file("y"), B.file("z")]
      const { bytes } = B.build({ children: [B.folder("bad", children), B.file("z", "1")] })
      const limits = { ...Limits.defaults, directoryEntries: 2 }
      const limited = ArchiveReader.make(fromBytes(bytes, "limited"), absent, { limits })
      assert.deepStrictEqual(yield* differences(open(bytes), limited), ["! right /bad: D10"])
    }),
  )

  it.effect("a name", () =>
    Effect.gen(function* () {
      const nameless = { ...B.file("n"), filename: B.item(B.Type.FILENAME, Buffer.from("n!")) }
      assert.deepStrictEqual(yield* diff([B.file("a"), nameless], [B.file("a")]), ["! left /: N1"])
    }),
  )

  it.effect("because another of its name hides it is passed over", () =>
    Effect.gen(function* () {
      const twice = [B.file("a", "1"), { ...B.file("a", "2"), key: "second" }]
      const found = yield* diff(twice, [B.file("a", "1")])
      assert.isAtMost(found.length, 1)
      assert.isTrue(found.every((difference) => difference.startsWith("~ /a: content")))
    }),
  )
})

describe("a source that fails", () => {
  it.effect("costs what cannot be read, and nothing else", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.file("a", "x".repeat(50_000)), B.file("b", "1")] })
      const other = B.build({ children: [B.file("a", "x".repeat(50_000)), B.file("b", "2")] })
      const source = recorded(built.bytes)
      const reader = yield* ArchiveReader.make(source, absent)
      source.failOn = (_, length) => length === 50_000
      assert.deepStrictEqual(yield* differences(Effect.succeed(reader), open(other.bytes)), [
        "! left /a: H6",
        "~ /b: content@0",
      ])
    }),
  )
})

describe("an archive with any byte changed", () => {
  for (const golden of [Golden.hardlinkV1, Golden.richV1]) {
    it.effect(`${golden.name} is compared to the end, or cannot be opened`, () =>
      Effect.gen(function* () {
        const { bytes } = Golden.load(golden)
        for (let at = 0; at < bytes.length; at++) {
          const changed = B.splice(bytes, at, Buffer.from([bytes[at]! ^ 0xff]))
          const reader = yield* Effect.option(open(changed))
          if (reader._tag === "Some") yield* differences(open(bytes), Effect.succeed(reader.value))
        }
      }),
    )
  }
})

describe("progress", () => {
  it.effect("is told", () =>
    Effect.gen(function* () {
      const { bytes } = Golden.load(Golden.treeV1)
      const seen: Array<TreeDiff.Progress> = []
      const [left, right] = [yield* treeOf({ bytes: bytes }), yield* treeOf({ bytes: bytes })]
      yield* Stream.runDrain(TreeDiff.compare(left, right, { onProgress: (progress) => seen.push(progress) }))
      assert.strictEqual(seen.at(-1)?.contentBytes, 3_553_203)
      assert.isAbove(seen.at(-1)!.entries, 500)
    }),
  )
})
