import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import * as PathText from "../../../src/domain/PathText.ts"
import * as Query from "../../../src/services/tree/Query.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as ByteSource from "../../../src/services/bytes/ByteSource.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as MemoryArchive from "../../../src/testing/MemoryArchive.ts"

const tree: MemoryArchive.Tree = {
  etc: {
    fstab: MemoryArchive.file("x".repeat(100), { mtime: new Date("2024-02-01"), uid: 1 }),
    "Letter.TXT": MemoryArchive.file("y", { mtime: new Date("2024-03-01") }),
    "not-\\xff": MemoryArchive.file("", { mtime: new Date(0) }),
  },
  link: MemoryArchive.symlink("etc/fstab"),
}

const matching = Effect.fnUntraced(function* (query: Partial<Query.Query>) {
  const source = ByteSource.fromBytes(yield* MemoryArchive.bytes(tree), "memory.pxar")
  const archive = Archive.fromReader(yield* ArchiveReader.make(source, { _tag: "Absent", expected: undefined }))
  const test = Result.getOrThrow(Query.compile({ patterns: [], manner: "name", ignoreCase: false, ...query }))
  const paths: Array<string> = []
  yield* Stream.runForEach(archive.walk(yield* archive.root), (item) =>
    Effect.sync(() => {
      if (item._tag === "Found" && test(item)) paths.push(PathText.print(item.path))
    }),
  )
  return paths
})

describe("Query", () => {
  it.effect.each([
    ["a part of a name", { patterns: ["sta"] }, ["/etc/fstab"]],
    ["a part of a name, not of the path", { patterns: ["etc"] }, ["/etc"]],
    ["a pattern for the whole name", { patterns: ["*.TXT"] }, ["/etc/Letter.TXT"]],
    ["a pattern that fits in part", { patterns: ["f*a"] }, []],
    ["any of several", { patterns: ["sta", "Let"] }, ["/etc/fstab", "/etc/Letter.TXT"]],
    ["letters of either size", { patterns: ["LETTER"], ignoreCase: true }, ["/etc/Letter.TXT"]],
    ["a part of the path", { patterns: ["c/f"], manner: "path" }, ["/etc/fstab"]],
    [
      "a pattern for the path",
      { patterns: ["/etc/*"], manner: "path" },
      ["/etc/fstab", "/etc/Letter.TXT", "/etc/not-\\xff"],
    ],
    ["an expression", { patterns: ["^/etc/f.t"], manner: "regex" }, ["/etc/fstab"]],
    ["letters in order", { patterns: ["eftb"], manner: "fuzzy" }, ["/etc/fstab"]],
    ["a size at least", { minSize: 100, kinds: ["file"] }, ["/etc/fstab"]],
    ["a size at most", { maxSize: 1, kinds: ["file"] }, ["/etc/Letter.TXT", "/etc/not-\\xff"]],
    ["a time after", { newer: Date.parse("2024-02-15") / 1000, kinds: ["file"] }, ["/etc/Letter.TXT"]],
    ["a time before", { older: Date.parse("2024-01-01") / 1000, kinds: ["file"] }, ["/etc/not-\\xff"]],
    ["a kind", { kinds: ["symlink"] }, ["/link"]],
    ["an owner", { uid: 1 }, ["/etc/fstab"]],
    ["a name that is not UTF-8", { patterns: ["not-"] }, ["/etc/not-\\xff"]],
  ] as const satisfies ReadonlyArray<readonly [string, Partial<Query.Query>, ReadonlyArray<string>]>)(
    "finds by %s",
    ([, query, expected]) =>
      Effect.gen(function* () {
        assert.sameMembers(yield* matching(query), [...expected])
      }),
  )

  it("says what is wrong with an expression", () => {
    const made = Query.compile({ patterns: ["("], manner: "regex", ignoreCase: false })
    assert.isTrue(Result.isFailure(made) && made.failure.startsWith("(: is no regular expression"))
  })
})
