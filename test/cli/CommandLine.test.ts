import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as CommandLine from "../../src/cli/CommandLine.ts"
import type { Grammar } from "../../src/cli/Grammar.ts"

const grammar: Grammar = [
  {
    names: ["mount"],
    flags: [
      { name: "payload", aliases: ["contents"], takesValue: true },
      { name: "link-counts", aliases: [], takesValue: false },
      { name: "options", aliases: ["o"], takesValue: true },
      { name: "foreground", aliases: ["f"], takesValue: false },
    ],
  },
  {
    names: ["list", "ls"],
    flags: [
      { name: "long", aliases: ["l"], takesValue: false },
      { name: "human-readable", aliases: ["h"], takesValue: false },
      { name: "json", aliases: [], takesValue: false },
      { name: "null", aliases: ["0"], takesValue: false },
    ],
  },
  { names: ["extract"], flags: [{ name: "directory", aliases: ["C"], takesValue: true }] },
]

const normalize = (...words: ReadonlyArray<string>) => Result.getOrThrow(CommandLine.normalize(words, grammar))

const refusal = (...words: ReadonlyArray<string>) =>
  Result.getOrThrow(Result.flip(CommandLine.normalize(words, grammar))).message

describe("a first word that is no command", () => {
  it("means mount if it looks like an archive", () => {
    for (const archive of ["/srv/a b.pxar", "./x", "a.pxar", "a.mpxar"]) {
      assert.deepStrictEqual(normalize(archive, "/mnt"), ["mount", archive, "/mnt"])
    }
  })

  it("is refused otherwise, with the command that was meant", () => {
    const refusals: ReadonlyArray<readonly [string, string]> = [
      ["mound a.pxar", 'unknown command "mound". Did you mean "mount"? (see pxar-fuse --help)'],
      ["mnt a.pxar", 'unknown command "mnt". Did you mean "mount"? (see pxar-fuse --help)'],
      ["lsit a.pxar", 'unknown command "lsit". Did you mean "list"? (see pxar-fuse --help)'],
      ["restore a.pxar", 'unknown command "restore". Did you mean "extract"? (see pxar-fuse --help)'],
      ["quux a.pxar", 'unknown command "quux" (see pxar-fuse --help)'],
      ["xvf a.pxar", 'unknown command "xvf". Did you mean "extract"? (see pxar-fuse --help)'],
      ["-xvf a.pxar", 'the command comes first, and -xvf is none. Did you mean "extract"? (see pxar-fuse --help)'],
      ["-tf a.pxar", 'the command comes first, and -tf is none. Did you mean "list"? (see pxar-fuse --help)'],
      ["-l list a.pxar", "the command comes first, and -l is none (see pxar-fuse --help)"],
      ["--json list a.pxar", "the command comes first, and --json is none (see pxar-fuse --help)"],
      ["-o /a", "the command comes first, and -o is none (see pxar-fuse --help)"],
    ]
    for (const [line, message] of refusals) assert.strictEqual(refusal(...line.split(" ")), message)
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

describe("flags", () => {
  it("may be written together, the value of the last one too", () => {
    assert.deepStrictEqual(normalize("ls", "-lh", "a"), ["ls", "--long=true", "--human-readable=true", "a"])
    for (const words of [["-C/x"], ["-C=/x"], ["--directory=/x"]]) {
      assert.deepStrictEqual(normalize("extract", "a", ...words), ["extract", "a", "--directory=/x"])
    }
    assert.deepStrictEqual(normalize("extract", "-C", "/x", "a"), ["extract", "--directory", "/x", "a"])
    assert.deepStrictEqual(
      normalize("mount", "-fosuid", "a", "b"),
      "mount --foreground=true a b --options suid".split(" "),
    )
  })

  it("that take no value leave the next word alone", () => {
    for (const word of ["no", "yes", "1", "0", "true", "off"]) {
      assert.deepStrictEqual(normalize("list", "--json", word), ["list", "--json=true", word])
      assert.deepStrictEqual(normalize("list", "-l", word), ["list", "--long=true", word])
    }
  })

  it("may be a digit; words that end with a letter of one are words", () => {
    assert.deepStrictEqual(normalize("list", "-0", "-1", "al", "l"), ["list", "--null=true", "-1", "al", "l"])
  })

  it("that are unknown are refused, also within others, and are never taken for help or version", () => {
    assert.strictEqual(
      refusal("extract", "-xvf", "a"),
      "unknown flag -x (in -xvf) of extract (see pxar-fuse extract --help)",
    )
    for (const cluster of ["-Ch", "-hC", "-V", "-Vh", "-h", "-hh", "-?"]) {
      if (cluster === "-Ch") assert.deepStrictEqual(normalize("extract", cluster), ["extract", "--directory=h"])
      else assert.match(refusal("extract", cluster, "a"), /^unknown flag -/)
    }
    assert.match(refusal("extract", "a", "-h"), /the help is `pxar-fuse extract --help`$/)
    assert.match(refusal("list", "a", "--version"), /goes with nothing else/)
  })

  it("are no flags where they are names", () => {
    for (const words of [
      ["list", "-"],
      ["list", "-1"],
      ["list", "--", "-lh", "--version"],
    ]) {
      assert.deepStrictEqual(normalize(...words), words)
    }
  })
})

describe("help and version", () => {
  it("are given to those who ask for nothing else", () => {
    for (const words of [["-V"], ["--version"]]) assert.deepStrictEqual(normalize(...words), ["--version"])
    for (const words of [["-h"], ["--help"]]) assert.deepStrictEqual(normalize(...words), ["--help"])
    assert.deepStrictEqual(normalize("extract", "-h"), ["extract", "--help"])
    assert.deepStrictEqual(normalize("ls", "-h"), ["ls", "--help"])
    assert.deepStrictEqual(normalize("extract", "a", "--help"), ["extract", "a", "--help"])
    assert.deepStrictEqual(normalize("--help", "list"), ["list", "--help"])
  })

  it("are not what -v means", () => {
    assert.match(refusal("-v"), /-V shows the version/)
    assert.deepStrictEqual(normalize(), [])
    assert.match(refusal("-V", "list"), /nothing else/)
    assert.match(refusal("--help", "lits"), /Did you mean "list"/)
  })
})

describe("-o of mount", () => {
  it("has every long flag as a word, with - or _", () => {
    assert.deepStrictEqual(
      normalize(
        "mount",
        "a",
        "-o",
        "ro,link_counts,payload=x=y",
        "b",
        "--options=link-counts,noexec,contents=z",
        "-osuid",
      ),
      [
        ..."mount a --link-counts=true --payload=x=y b --link-counts=true --contents=z".split(" "),
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
    assert.deepStrictEqual(normalize("mount", "a", "-o"), ["mount", "a", "--options"])
  })

  it("refuses what is unknown, with all that is known", () => {
    const message = refusal("mount", "a", "b", "-o", "compress=1")
    assert.match(
      message,
      /^mount option compress=1: unknown; known are ro, .*max_read=, payload, contents, link-counts, fore/,
    )
  })

  it("refuses a flag without the value it needs", () => {
    assert.strictEqual(refusal("mount", "a", "b", "-o", "payload"), "mount option payload: needs a value")
  })
})
