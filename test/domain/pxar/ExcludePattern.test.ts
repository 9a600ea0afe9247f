import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Result, Schema } from "effect"
import * as ExcludePattern from "../../../src/domain/pxar/ExcludePattern.ts"
import * as ExcludeCases from "../../support/ExcludeCases.ts"

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1")

const parse = (text: string): ExcludePattern.Pattern => Result.getOrThrow(ExcludePattern.parse(bytes(text)))

const matches = (pattern: string, path: string, isFolder = false): boolean =>
  ExcludePattern.matches(parse(pattern), bytes(path), 0, path.length, isFolder)

/** Whether an entry is left out. */
const isExcluded = (...args: Parameters<typeof ExcludePattern.deciding>): boolean =>
  ExcludePattern.deciding(...args)?.excludes === true

describe("the reference's runs", () => {
  interface Folder {
    readonly [name: string]: Folder | string
  }
  const build = (files: Readonly<Record<string, string>>): Folder => {
    const root: Record<string, unknown> = {}
    for (const path of [...ExcludeCases.tree, ...Object.keys(files)]) {
      let folder = root
      const parts = path.split("/")
      const last = parts.pop() as string
      for (const part of parts) folder = (folder[part] ??= {}) as Record<string, unknown>
      if (last !== "") folder[last] = files[path] ?? ""
    }
    return root as Folder
  }

  /** What stays of a tree, as a walker uses the module. */
  const walk = (
    folder: Folder,
    prefix: string,
    outer: ExcludePattern.Patterns | undefined,
    found: Array<string>,
  ): Array<string> => {
    const own = folder[".pxarexclude"]
    let patterns = outer
    if (typeof own === "string") {
      const parsed = ExcludePattern.parseFile(bytes(own))
      assert.deepStrictEqual(parsed.errors, [])
      patterns = { patterns: parsed.patterns, base: prefix.length, outer }
    }
    for (const [name, child] of Object.entries(folder)) {
      const path = prefix + name
      const isFolder = typeof child !== "string"
      if (isExcluded(patterns, bytes(path), path.length, isFolder)) continue
      found.push(`/${path}`)
      if (isFolder) walk(child, `${path}/`, patterns, found)
    }
    return found
  }

  for (const run of ExcludeCases.cases) {
    it(run.name, () => {
      const cli = { patterns: run.cli.map(parse), base: 0, outer: undefined }
      const found = walk(build(run.files), "", cli, [])
      assert.deepStrictEqual(
        found.toSorted(),
        run.entries.filter((path) => path !== "/.pxarexclude-cli"),
      )
      if (run.recorded !== undefined) {
        assert.strictEqual(Buffer.from(ExcludePattern.record(run.cli.map(bytes))).toString("latin1"), run.recorded)
      }
      if (run.prelude !== undefined) {
        const prelude = Result.getOrThrow(ExcludePattern.recordAsPrelude(run.cli.map(bytes)))
        assert.strictEqual(Buffer.from(prelude).toString(), run.prelude)
      }
    })
  }

  it("are 35", () => assert.strictEqual(ExcludeCases.cases.length, 35))
})

describe("patterns", () => {
  const cases: ReadonlyArray<
    readonly [pattern: string, matched: ReadonlyArray<string>, others: ReadonlyArray<string>]
  > = [
    ["a", ["a", "x/a", "x/y/a"], ["ab", "ba", "a/b", "x/ba"]],
    ["/a", ["a"], ["x/a", "a/b"]],
    ["a/b", ["a/b", "x/a/b"], ["xa/b", "a/b/c", "a/x/b"]],
    ["/a/b", ["a/b"], ["x/a/b"]],
    ["*", ["a", "x/y", ".a"], []],
    ["/*", ["a", ".a"], ["x/y"]],
    ["a*b*c", ["abc", "axbxc", "a--bc--bc", "z/abbcc"], ["ab/c", "acb", "abcd"]],
    ["/**/a", ["a", "x/a", "x/y/a"], ["xa", "a/x"]],
    ["/a/**", ["a/b", "a/b/c"], ["a", "b/a", "ab"]],
    ["/a/**/b/**/c", ["a/b/c", "a/x/b/y/z/c", "a/b/b/c/c"], ["a/c/b", "a/xb/c"]],
    ["/a**b", ["ab", "a/b", "ax/y/zb"], ["a", "ba", "ab/"]],
    ["/a***b", ["ab", "a/x/b"], []],
    ["/**b/*c", ["b/c", "x/yb/zc"], ["b/x/c"]],
    ["?", ["a", "x/\u00ff"], ["aa", "x/yy"]],
    ["a?b", ["axb"], ["a/b", "ab"]],
    ["[a-c]x", ["ax", "bx", "cx"], ["dx", "/x", "x"]],
    ["a[/]b", [], ["a/b"]],
    ["a[!x]b", ["ayb", "a!b"], ["axb", "a/b", "ab"]],
    ["[]]", ["]"], ["a"]],
    ["[!]]", ["a"], ["]"]],
    ["[a-]", ["a", "-"], ["b"]],
    ["[-a]", ["a", "-"], ["b"]],
    ["[\\]x]", ["]", "x"], ["\\"]],
    ["[\u0080-\u00ff]", ["\u00fe", "\u0080"], ["a"]],
    ["\\*", ["*", "a/*"], ["a"]],
    ["\\!a", ["!a"], ["a"]],
    ["\\a", ["a"], ["\\a"]],
    ["a\n", ["a\n"], ["a"]],
  ]
  for (const [pattern, matched, others] of cases) {
    it(JSON.stringify(pattern), () => {
      for (const path of matched) assert.isTrue(matches(pattern, path), path)
      for (const path of others) assert.isFalse(matches(pattern, path), path)
    })
  }

  it("end in a slash to match folders only", () => {
    for (const pattern of ["a/", "/a/", "*/"]) {
      assert.isTrue(matches(pattern, "a", true))
      assert.isFalse(matches(pattern, "a", false))
    }
    assert.isTrue(matches("a", "a", true))
  })

  it("include with `!`", () => {
    assert.isFalse(parse("!a").excludes)
    assert.isTrue(parse("a").excludes)
    assert.isTrue(parse("\\!a").excludes)
    assert.isTrue(matches("!/a/", "a", true))
  })

  it("that are none are refused", () => {
    for (const text of ["", "!", "/", "!/", "[", "a[b", "[!", "[]", "[a-", "[z-a]", "a\\", "[\\"]) {
      assert.isTrue(Result.isFailure(ExcludePattern.parse(bytes(text))), text)
    }
  })

  it("match a part of a buffer", () => {
    const path = bytes("one/two/three")
    assert.isTrue(ExcludePattern.matches(parse("/two"), path, 4, 7, false))
    assert.isFalse(ExcludePattern.matches(parse("/two"), path, 4, 13, false))
    assert.isFalse(ExcludePattern.matches(parse("one"), path, 4, 7, false))
  })

  it("of many stars take no time to speak of", () => {
    const start = performance.now()
    assert.isFalse(matches(`${"*a".repeat(60)}*b`, "a".repeat(255)))
    assert.isFalse(matches(`/${"**/*a".repeat(30)}/b`, "a/".repeat(2000) + "a"))
    assert.isBelow(performance.now() - start, 2000)
  })
})

/** The language by definition: every way to spend the wildcards is tried. */
const naive = (pattern: string, path: string, anchored = pattern.startsWith("/")): boolean => {
  if (!anchored) return naive(`/**/${pattern}`, path, true) || naive(`/${pattern}`, path, true)
  const tokens = [...pattern.slice(1).matchAll(/\*\*+|./gs)].map(([token]) => token)
  const from = (token: number, rest: string): boolean => {
    const wanted = tokens[token]
    if (wanted === undefined) return rest === ""
    const startsName = token === 0 || tokens[token - 1] === "/"
    if (wanted.startsWith("**") && startsName && tokens[token + 1] === "/") {
      if (from(token + 2, rest)) return true
      return [...rest.split("").keys()].some((at) => rest[at] === "/" && from(token + 2, rest.slice(at + 1)))
    }
    if (wanted.startsWith("**"))
      return [...rest.split("").keys(), rest.length].some((at) => from(token + 1, rest.slice(at)))
    if (wanted === "*") {
      for (let at = 0; ; at++) {
        if (from(token + 1, rest.slice(at))) return true
        if (at >= rest.length || rest[at] === "/") return false
      }
    }
    return rest !== "" && (wanted === "?" ? rest[0] !== "/" : wanted === rest[0]) && from(token + 1, rest.slice(1))
  }
  return from(0, path)
}

describe("any pattern", () => {
  const text = (alphabet: ReadonlyArray<string>, maxLength: number) =>
    Arbitrary.map(Arbitrary.array(Arbitrary.schema(Schema.Literals(alphabet)), { minLength: 1, maxLength }), (parts) =>
      parts.join(""),
    )
  it.effect.prop(
    "matches as defined",
    [text(["a", "b", "/", "*", "**", "?", "/**/", "*a"], 8), text(["a", "b", "ab", "/"], 12)],
    ([pattern, path]) =>
      Effect.sync(() => {
        const cleaned = pattern.replace(/\/\/+/g, "/").replace(/\/$/, "")
        const name = path.replace(/\/\/+/g, "/").replace(/^\/|\/$/g, "")
        if (cleaned === "" || name === "") return
        assert.strictEqual(matches(cleaned, name), naive(cleaned, name), `${cleaned} ${name}`)
      }),
    { arbitrary: { runs: 20_000, size: 12 } },
  )
})

describe("pattern files", () => {
  it("skip comments and empty lines, trim blanks, name bad lines", () => {
    const { errors, patterns } = ExcludePattern.parseFile(bytes("# a\n\n  b \t\r\n[\n!c\n \n\\#d\n/"))
    assert.strictEqual(patterns.length, 3)
    assert.deepStrictEqual(
      errors.map(({ line, error }) => [line, Buffer.from(error.pattern).toString()]),
      [
        [4, "["],
        [8, "/"],
      ],
    )
  })

  it("of any bytes are read", () => {
    const { patterns } = ExcludePattern.parseFile(Buffer.from([0xff, 0xfe, 0x0a, 0x00]))
    assert.isTrue(ExcludePattern.matches(patterns[0] as ExcludePattern.Pattern, Buffer.from([0xff, 0xfe]), 0, 2, false))
    assert.strictEqual(patterns.length, 2)
  })

  it("count from their folder, and the deepest match decides", () => {
    const rule = (text: string) => ExcludePattern.parseFile(bytes(text)).patterns
    const outer = { patterns: rule("*.o\n/sub/x"), base: 0, outer: undefined }
    const inner = { patterns: rule("!keep.o\n/x"), base: 4, outer }
    const excluded = (path: string) => isExcluded(inner, bytes(path), path.length, false)
    assert.isFalse(excluded("sub/keep.o"))
    assert.isTrue(excluded("sub/drop.o"))
    assert.isTrue(excluded("sub/x"))
    assert.isFalse(excluded("sub/y/x"))
    assert.isFalse(isExcluded(undefined, bytes("a"), 1, false))
  })
})

describe("the record", () => {
  it("in a prelude must be UTF-8", () => {
    assert.isTrue(Result.isFailure(ExcludePattern.recordAsPrelude([Buffer.from([0xff])])))
    assert.deepStrictEqual(Buffer.from(ExcludePattern.record([Buffer.from([0xff])])), Buffer.from([0xff, 0x0a]))
  })
})
