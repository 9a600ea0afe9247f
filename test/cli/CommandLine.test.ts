import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as CommandLine from "../../src/cli/CommandLine.ts"

const grammar: CommandLine.Grammar = {
  commands: ["mount", "list"],
  mountFlags: [
    { name: "payload", takesValue: true },
    { name: "link-counts", takesValue: false },
  ],
}

const normalize = (...words: ReadonlyArray<string>) => Result.getOrThrow(CommandLine.normalize(words, grammar))

const refusal = (...words: ReadonlyArray<string>) =>
  Result.getOrThrow(Result.flip(CommandLine.normalize(words, grammar))).message

describe("a first word that is no command", () => {
  it("means mount if it looks like an archive", () => {
    for (const archive of ["/srv/a b.pxar", "./x", "a.pxar", "a.mpxar"]) {
      assert.deepStrictEqual(normalize(archive, "/mnt"), ["mount", archive, "/mnt"])
    }
  })

  it("is left alone otherwise", () => {
    for (const words of [["mound", "a.pxar"], ["--help"], ["-o", "/a"], [], ["list", "/a.pxar", "-o", "x"]]) {
      assert.deepStrictEqual(normalize(...words), words)
    }
  })

  it("takes what mount(8) adds to every line of fstab as nothing said", () => {
    assert.deepStrictEqual(normalize("/a.pxar", "/mnt", "-o", "rw,noexec,dev,suid"), [
      "mount",
      "/a.pxar",
      "/mnt",
      "--options",
      "noexec",
    ])
  })
})

describe("-o of mount", () => {
  it("has every long flag as a word, with - or _", () => {
    assert.deepStrictEqual(
      normalize("mount", "a", "-o", "ro,link_counts,payload=x=y", "b", "--options=link-counts,noexec", "-osuid"),
      [
        ..."mount a --link-counts --payload=x=y b --link-counts".split(" "),
        ..."--options ro --options noexec --options suid".split(" "),
      ],
    )
  })

  it("keeps commas that have a backslash before them", () => {
    assert.deepStrictEqual(normalize("mount", "-o", String.raw`payload=a\,b,fsname=c\,d`), [
      "mount",
      "--payload=a,b",
      "--options",
      String.raw`fsname=c\,d`,
    ])
  })

  it("ends at --", () => {
    assert.deepStrictEqual(normalize("mount", "--", "-o", "x"), ["mount", "--", "-o", "x"])
  })

  it("without a value is left to the parser", () => {
    assert.deepStrictEqual(normalize("mount", "a", "-o"), ["mount", "a", "-o"])
  })

  it("refuses what is unknown, with all that is known", () => {
    const message = refusal("mount", "a", "b", "-o", "compress=1")
    assert.match(message, /^mount option compress=1: unknown; known are ro, .*max_read=, payload, link-counts$/)
  })

  it("refuses a flag without the value it needs", () => {
    assert.strictEqual(refusal("mount", "a", "b", "-o", "payload"), "mount option payload: needs a value")
  })
})
