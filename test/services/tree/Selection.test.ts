import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import * as PathText from "../../../src/domain/PathText.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as Selection from "../../../src/services/tree/Selection.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { open } from "../archive/helpers.ts"

const { bytes } = B.build({
  children: [
    B.file("!odd"),
    B.file("*.c"),
    B.file("a.c"),
    B.folder("etc", [B.file("a.conf"), B.folder("ssh", [B.file("b.conf"), B.file("key")])]),
    B.folder("src", [B.file("a.c"), B.file("a.o"), B.folder("etc", [B.file("x")])]),
  ],
})

/** The selected paths with their levels, and the patterns that selected nothing. */
const select = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const archive = Archive.fromReader(yield* open(bytes))
  const selection = yield* Selection.make(
    archive,
    args.map((argument) => PathText.parse(argument)),
  )
  const met = yield* Stream.runCollect(Selection.walk(archive, selection, "given"))
  const selected = met.flatMap(({ item, level }) => (level < 0 ? [] : [`${level} ${PathText.print(item.path)}`]))
  return { selected, unmatched: selection.unmatched().map(PathText.print) }
})

const cases: Readonly<
  Record<string, { readonly args: ReadonlyArray<string>; readonly selected: ReadonlyArray<string> }>
> = {
  "a path: the entry and all below": {
    args: ["etc/ssh"],
    selected: ["0 /etc/ssh", "1 /etc/ssh/b.conf", "1 /etc/ssh/key"],
  },
  "a path with slashes around it": { args: ["/etc/ssh/key"], selected: ["0 /etc/ssh/key"] },
  "paths in the order given": { args: ["src/a.o", "a.c"], selected: ["0 /src/a.o", "0 /a.c"] },
  "a path that looks like a pattern": { args: ["*.c"], selected: ["0 /*.c"] },
  "a path that looks like an exception": { args: ["!odd"], selected: ["0 /!odd"] },
  "a pattern at any depth": { args: ["[a-z].c"], selected: ["0 /a.c", "0 /src/a.c"] },
  "a pattern from the root on": { args: ["/[a-z].c"], selected: ["0 /a.c"] },
  "a pattern for folders": {
    args: ["et[c]/"],
    selected: [
      "0 /etc",
      "1 /etc/a.conf",
      "1 /etc/ssh",
      "2 /etc/ssh/b.conf",
      "2 /etc/ssh/key",
      "0 /src/etc",
      "1 /src/etc/x",
    ],
  },
  "an exception below a path": {
    args: ["etc", "!*.conf"],
    selected: ["0 /etc", "1 /etc/ssh", "2 /etc/ssh/key"],
  },
  "only an exception: all the rest": {
    args: ["!/etc", "!?.[co]"],
    selected: ["0 /", "1 /!odd", "1 /src", "2 /src/etc", "3 /src/etc/x"],
  },
  "a path and a pattern, in the order of the archive": {
    args: ["src/a.o", "[a-z].c"],
    selected: ["0 /a.c", "0 /src/a.c", "0 /src/a.o"],
  },
}

describe("what is selected by", () => {
  for (const [name, { args, selected }] of Object.entries(cases)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* select(...args), { selected: [...selected], unmatched: [] })
      }),
    )
  }

  it.effect("nothing: everything", () =>
    Effect.map(select(), ({ selected }) => {
      assert.strictEqual(selected.length, 14)
      assert.deepStrictEqual(selected.slice(0, 2), ["0 /", "1 /!odd"])
    }),
  )
})

describe("an argument that is no path", () => {
  it.effect("and matches nothing is named", () =>
    Effect.map(select("[a-z].c", "none*", "!never"), ({ unmatched }) => assert.deepStrictEqual(unmatched, ["none*"])),
  )

  it.effect("and no pattern either is refused", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(select("a["))
      assert.strictEqual(error._tag, "SelectionError")
      assert.include(error.message, "a[: no such path in the archive")
    }),
  )
})

describe("the rest of a folder that cannot be read", () => {
  it.effect("goes with the folder", () =>
    Effect.gen(function* () {
      const large = ["x", "y", "z"].map((name) => B.file(name))
      const { bytes } = B.build({ children: [B.folder("bad", large), B.folder("other", [])] })
      const limits = { ...Limits.defaults, directoryEntries: 2 }
      const archive = Archive.fromReader(yield* open(bytes, undefined, { limits }))
      const selection = yield* Selection.make(archive, [PathText.parse("ba?/")])
      const met = yield* Stream.runCollect(Selection.walk(archive, selection))
      assert.deepStrictEqual(
        met.map(({ item, level }) => [item._tag, PathText.print(item.path), level]),
        [
          ["Found", "/", -1],
          ["Found", "/bad", 0],
          ["Unreadable", "/bad", 0],
          ["Found", "/other", -1],
        ],
      )
    }),
  )
})
