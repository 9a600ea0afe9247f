/** What the page makes of paths: fragments of addresses, and command lines to copy. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as CommandLine from "../../src/web/page/CommandLine.ts"
import * as Format from "../../src/web/page/Format.ts"
import * as Route from "../../src/web/page/Route.ts"

describe("a fragment", () => {
  const Name = Schema.String.check(Schema.isMinLength(1), Schema.isPattern(/^[^/\0]+$/u))
  it.prop("is read as it was written, whatever names there are", [Schema.Array(Name), Name], ([names, repository]) => {
    const route = { repository, path: `/${names.join("/")}` }
    if (![repository, ...names].every((name) => name.isWellFormed())) return
    assert.deepStrictEqual(Route.parse(Route.format(route)), route)
  })

  it("that somebody typed is read as far as it can be", () => {
    assert.deepStrictEqual(Route.parse("#/a//b/%zz/"), { repository: "a", path: "/b/%zz" })
    assert.deepStrictEqual(Route.parse(""), { repository: "", path: "/" })
  })
})

describe("a link", () => {
  it.each([
    ["/a/b", "c", "/a/b/c"],
    ["/a/b", "../c", "/a/c"],
    ["/a/b", "/c/./d", "/c/d"],
    ["/", "../../c", "/c"],
  ])("in %s to %s leads to %s", (folder, target, expected) =>
    assert.strictEqual(Route.resolve(folder, target), expected),
  )
})

describe("a command line", () => {
  const T = "2024-01-01T00:00:00Z"
  it.each([
    [["root.pxar", false, "/", [], undefined], "pxar-fuse list -l root.pxar"],
    [["root.pxar", false, "/etc", [], "/etc/fstab"], "pxar-fuse cat root.pxar etc/fstab"],
    [
      ["/mnt/store", true, `/host/elsa/${T}/root.pxar/etc`, [], undefined],
      `pxar-fuse list -l /mnt/store::host/elsa/${T}/root.pxar etc`,
    ],
    [["/mnt/store::host/elsa", true, `/${T}`, [], undefined], `pxar-fuse list -l /mnt/store::host/elsa/${T}`],
    [
      ["a b.pxar", false, "/it's", ["x y", "$(rm)"], undefined],
      String.raw`pxar-fuse extract 'a b.pxar' restored 'it'\''s/x y' 'it'\''s/$(rm)'`,
    ],
  ] as const)("of %j can be typed", ([address, isDatastore, folder, selected, file], expected) =>
    assert.strictEqual(CommandLine.make(address, isDatastore, folder, selected, file), expected),
  )
})

describe("figures", () => {
  it("are as people read them", () => {
    assert.deepStrictEqual([0, 999, 1000, 1_048_576, 123_456_789].map(Format.size), [
      "0 B",
      "999 B",
      "1.0 kB",
      "1.0 MB",
      "123 MB",
    ])
    assert.strictEqual(Format.mode("directory", 0o41755), "drwxr-xr-t")
    assert.strictEqual(Format.mode("file", 0o104644), "-rwSr--r--")
    assert.strictEqual(Format.ago("2024-01-01T00:00:00Z", Date.parse("2024-01-04T01:00:00Z")), "3 days ago")
  })
})
