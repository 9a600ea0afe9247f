/**
 * Completion in the shells themselves, typed at on a terminal.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Command from "../../support/Command.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import * as PseudoTerminal from "../../support/PseudoTerminal.ts"
import { need } from "../../support/Requirements.ts"
import { expectRun } from "../reading.ts"

const archive = B.build({
  children: [
    B.folder("etc", [
      B.folder("ssh", [B.file("sshd_config")]),
      B.file("a name: with $odd 'quotes'"),
      B.file("motd"),
      B.file("motd.old"),
    ]),
    B.file("etcetera"),
  ],
})

/** A folder to complete in, with an archive, and a `pxar-fuse` that prints the arguments it gets. */
const workFolder = Effect.gen(function* () {
  const folder = yield* Processes.temporaryFolder
  fs.mkdirSync(path.join(folder, "bin"))
  fs.mkdirSync(path.join(folder, "my backups"))
  fs.writeFileSync(path.join(folder, "my backups", "root.pxar"), archive.bytes)
  fs.symlinkSync(Datastores.store("datastore-plain"), path.join(folder, "store"))
  const real = `exec '${process.execPath}' '${Command.MAIN}' "$@"`
  fs.writeFileSync(
    path.join(folder, "bin", "pxar-fuse"),
    `#!/bin/sh\ncase "$1" in comp*) ${real};; esac\nprintf '[%s]' "$@"; echo .\n`,
    { mode: 0o755 },
  )
  return folder
})

/** Starts a shell that has loaded its script. */
const shell = Effect.fnUntraced(function* (words: ReadonlyArray<string>, load: string) {
  const cwd = yield* workFolder
  const env = {
    ...process.env,
    HOME: cwd,
    PATH: `${cwd}/bin:${process.env["PATH"]}`,
    PS1: "> ",
    TERM: "dumb",
    HISTFILE: "",
  }
  const terminal = yield* PseudoTerminal.start(words, { cwd, env, columns: 300 })
  yield* terminal.type(`PS1='ready> '; ${load}; pxar-fuse loaded\n`)
  yield* terminal.shows("[loaded].")
  return terminal
})

/** What is typed, and the arguments that the command gets then. */
const typed = [
  ["pxar-fuse ext\t", ["extract"]],
  ["pxar-fuse cat my\troo\tetc/ss\tss\t", ["cat", "my backups/root.pxar", "etc/ssh/sshd_config"]],
  ["pxar-fuse list -l --payload x my\\ backups/root.pxar /etc/a\t", ["/etc/a name: with $odd 'quotes'"]],
  ["pxar-fuse extract 'my backups/root.pxar' bi\tx etce\t", ["extract", "my backups/root.pxar", "bin/x", "etcetera"]],
  ["pxar-fuse cat ~/my\\ backups/root.pxar etc/mo\t.o\t", ["etc/motd.old"]],
  ["pxar-fuse mount my\\ backups/root.pxar --subdir etc/ss\t", ["--subdir", "etc/ssh/"]],
  ["pxar-fuse mount -o ro,allow_r\tx\t", ["mount", "-o", "ro,allow_root", "x"]],
  ["pxar-fuse list store::ho\tal\tlat\troo\tx", ["list", "store::host/alpha/latest/root.pxar", "x"]],
  ["pxar-fuse verify --da\tmy\troo\t", ["verify", "--data", "my backups/root.pxar"]],
] as const

const completes = Effect.fnUntraced(function* (words: ReadonlyArray<string>, load: string) {
  const terminal = yield* shell(words, load)
  for (const [keys, args] of typed) {
    yield* terminal.type(`${keys}\n`)
    yield* terminal.shows(`${args.map((word) => `[${word}]`).join("")}.`)
  }
})

describe("completion in bash", () => {
  beforeEach(need({ tools: ["bash", "script"] }))

  it.live("completes commands, flags, files and paths in archives", () =>
    completes(["bash", "--norc", "-i"], "source <(pxar-fuse completions bash)"),
  )
})

describe("completion in zsh", () => {
  beforeEach(need({ tools: ["zsh", "script"] }))

  it.live("completes commands, flags, files and paths in archives", () =>
    completes(["zsh", "-f", "-i"], "autoload -Uz compinit && compinit -u -D; source <(pxar-fuse completions zsh)"),
  )
})

describe("completion in fish", () => {
  beforeEach(need({ tools: ["fish"] }))

  it.live("completes commands, flags, files and paths in archives", () =>
    Effect.gen(function* () {
      const cwd = yield* workFolder
      const env = { ...process.env, HOME: cwd, PATH: `${cwd}/bin:${process.env["PATH"]}` }
      const lines = [
        "ext",
        "cat my",
        "cat my\\ backups/root.pxar etc/m",
        "list --payload x ~/my\\ backups/root.pxar e",
        "list store::host/a",
        "mount -o ro,allow_",
      ]
      const script = [
        "pxar-fuse completions fish | source",
        ...lines.map((line) => `complete -C 'pxar-fuse ${line.replaceAll("\\", "\\\\")}'; echo .`),
      ].join("\n")
      const { stderr, stdout } = yield* Processes.run("fish", ["--no-config", "-c", script], { cwd, env })
      assert.strictEqual(stderr, "")
      assert.deepStrictEqual(
        stdout
          .toString()
          .split(".\n")
          .map((part) => part.replace(/\t.*/g, "").trim().split("\n")),
        [
          ["extract"],
          ["my backups/"],
          ["etc/motd", "etc/motd.old"],
          ["etc/", "etcetera"],
          ["store::host/alpha/"],
          ["ro,allow_other", "ro,allow_root"],
          [""],
        ],
      )
    }),
  )
})

describe("a mount point", () => {
  beforeEach(need({ mount: true, tools: ["bash", "script"] }))

  it.live("is completed for what ends its mount", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint("a mount")
      yield* Command.mountInBackground(Golden.helloV1.archive, mountPoint)
      const terminal = yield* shell(["bash", "--norc", "-i"], "source <(pxar-fuse completions bash)")
      yield* terminal.type(`pxar-fuse umount ${mountPoint.slice(0, -6)}\t\n`)
      yield* terminal.shows(`[umount][${mountPoint}].`)
    }),
  )
})

describe("complete-word", () => {
  const address = (reference: string) =>
    Effect.map(
      expectRun(["complete-word", "--", "address", `${Datastores.store("datastore-plain")}::${reference}`], 0),
      (text) =>
        text
          .split("\n")
          .slice(0, -1)
          .map((word) => word.slice(word.indexOf("::") + 2)),
    )

  it.live("lists one level of a datastore", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* address(""), ["host/", "ns/"])
      assert.deepStrictEqual(yield* address("ns/"), ["ns/a/", "ns/empty/"])
      assert.deepStrictEqual(yield* address("host/b"), ["host/beta/"])
      const times = yield* address("host/alpha/2")
      assert.isAbove(times.length, 0)
      assert.isTrue(times.every((time) => /^host\/alpha\/[-0-9]{10}T[:0-9]{8}Z\/$/.test(time)))
      assert.include(yield* address("host/alpha/2024-02-01T03:00:00Z/"), "host/alpha/2024-02-01T03:00:00Z/root.pxar")
      assert.deepStrictEqual(yield* address("host/nobody/"), [])
    }),
  )
})

describe("complete-path", () => {
  it.live("looks into the folder in question only", () =>
    Effect.gen(function* () {
      const file = path.join(yield* Processes.temporaryFolder, "broken.pxar")
      // What is in etc/ssh cannot be read.
      fs.writeFileSync(file, B.poke(archive.bytes, archive.at("etc/ssh").end - 24, 0))
      assert.strictEqual(yield* expectRun(["complete-path", file, "/etc/s"], 0), "/etc/ssh/\n")
    }),
  )

  it.live("fails, for a script to ignore, where there is nothing", () =>
    expectRun(["complete-path", Golden.helloV1.archive, "not/there"], ExitCode.NO_ENTRY, ["no such file or folder"]),
  )
})
