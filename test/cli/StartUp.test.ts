import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Command from "../support/Command.ts"
import * as Golden from "../support/Golden.ts"
import * as Processes from "../support/Processes.ts"
import { shell } from "./reading.ts"

/** Where the command is. */
const folder = path.dirname(Command.MAIN)

describe("the process in the background", () => {
  const MARK = "~effect/cli/"
  const bundled = (file: string): string => fs.readFileSync(path.join(folder, file), "utf8")

  it("has nothing of the parser of command lines", () => {
    assert.notInclude(bundled("ServerProcess.js"), MARK)
    // The mark is right: others have it.
    assert.isTrue(fs.readdirSync(folder).some((file) => file.endsWith(".js") && bundled(file).includes(MARK)))
  })

  it("begins without a client of HTTP", () => {
    const UNDICI = "undici:request:create"
    assert.notInclude(bundled("ServerProcess.js"), UNDICI)
    assert.isTrue(fs.readdirSync(folder).some((file) => file.endsWith(".js") && bundled(file).includes(UNDICI)))
  })

  it("begins without the page", () => {
    const WEB = "pxar_fuse_web_sent_bytes"
    assert.notInclude(bundled("ServerProcess.js"), WEB)
    assert.isTrue(fs.readdirSync(folder).some((file) => file.endsWith(".js") && bundled(file).includes(WEB)))
  })
})

/** A program to be loaded before another: writes which files of the command that reads, but for V8's caches. */
const observer = `
  const fs = process.getBuiltinModule("fs")
  const read = fs.readFileSync
  const seen = new Map()
  fs.readFileSync = (file, ...rest) => {
    const content = read(file, ...rest)
    if (String(file).startsWith(${JSON.stringify(folder)})) seen.set(String(file), content.length)
    return content
  }
  process.on("exit", () => {
    const rows = [...seen].filter(([file]) => !file.includes("/cache/"))
    fs.writeFileSync(process.env.OBSERVED + "-" + process.pid, JSON.stringify(rows))
  })
`

/** Runs a command without what this process has inherited itself: a mount would take care of it. */
const CLOSED = [
  "bash",
  "-c",
  'for fd in /proc/$$/fd/*; do n=${fd##*/}; ((n > 2)) && eval "exec $n>&-"; done; exec "$@"',
  "bash",
]

/** What each process of a command line reads of the command, by name, with its bytes. */
const reads = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const place = yield* Processes.temporaryFolder
  const preload = path.join(place, "observer.cjs")
  fs.writeFileSync(preload, observer)
  const env = { ...process.env, NODE_OPTIONS: `--require=${preload}`, OBSERVED: path.join(place, "seen") }
  const { code, stderr } = yield* Command.run(args, { env, wrapper: CLOSED })
  return {
    code,
    stderr,
    processes: fs
      .readdirSync(place)
      .filter((name) => name.startsWith("seen-"))
      .map((name) => JSON.parse(fs.readFileSync(path.join(place, name), "utf8")) as ReadonlyArray<[string, number]>),
  }
})

describe("a common command line", () => {
  const archive = Golden.path("tiny/hello-v1.pxar")
  const own = fs.statSync(Command.MAIN).size

  it("begins with a small file", () => assert.isBelow(own, 12_000))

  for (const [what, args, files, bytes] of [
    ["--version", ["--version"], 2, 40_000],
    ["--help", ["--help"], 3, 50_000],
    ["the help of a command", ["mount", "--help"], 3, 50_000],
    ["list", ["list", archive], 5, 440_000],
    ["cat", ["cat", archive, "hello"], 5, 440_000],
    ["info", ["info", archive], 5, 440_000],
    // The library of command lines is not worth more than this.
    ["list with words that are not common", ["list", "--", archive], 8, 660_000],
  ] as const) {
    it.live(`loads, for ${what}, ${files} files and ${bytes / 1000} kB at most`, () =>
      Effect.gen(function* () {
        const { code, processes, stderr } = yield* reads(...args)
        assert.strictEqual(code, 0, stderr)
        const [read = []] = processes
        assert.strictEqual(processes.length, 1)
        assert.isAtMost(read.length, files, read.join("\n"))
        const total = read.reduce((sum, [, size]) => sum + size, 0)
        assert.isAtMost(total, bytes, read.join("\n"))
      }),
    )
  }

  it.live("of mount loads the table in one process, and what serves in the other", () =>
    Effect.gen(function* () {
      const place = yield* Processes.temporaryFolder
      const { code, processes } = yield* reads("mount", archive, path.join(place, "missing"))
      assert.strictEqual(code, 10)
      const names = processes.map((read) => read.map(([file]) => path.basename(file)))
      const parent = names.find((files) => files.includes("table.json")) ?? []
      const server = processes.find((read) => read.some(([file]) => file.endsWith("ServerProcess.js"))) ?? []
      assert.deepStrictEqual(parent, ["main.js", "table.json"])
      assert.isAtMost(server.length, 3, server.join("\n"))
      assert.isAtMost(
        server.reduce((sum, [, size]) => sum + size, 0),
        370_000,
      )
    }),
  )
})

describe("V8's code caches", () => {
  /** The command in a folder of its own, and what `list` says there. */
  const copied = Effect.gen(function* () {
    const place = path.join(yield* Processes.temporaryFolder, "pxar-fuse")
    fs.cpSync(path.dirname(folder), place, { recursive: true, preserveTimestamps: true })
    fs.symlinkSync(path.join(import.meta.dirname, "../../node_modules"), path.join(place, "node_modules"))
    const main = path.join(place, "cli/main.js")
    const list = (node = process.execPath) => Processes.run(node, [main, "list", Golden.path("tiny/hello-v1.pxar")])
    const files = (name: RegExp) =>
      fs.readdirSync(path.join(place, "cli"), { recursive: true, encoding: "utf8" }).filter((file) => name.test(file))
    return { files, list, place: path.join(place, "cli") }
  })
  const LISTED = "/\n/hello\n/link\n"

  it.live("are not needed, and harmless where they are empty, cut short or something else", () =>
    Effect.gen(function* () {
      const { files, list, place } = yield* copied
      const caches = files(/^cache\/./)
      assert.isAbove(caches.length, 4)
      const whole = caches.map((name) => fs.readFileSync(path.join(place, name)))
      for (const content of [(cache: Buffer) => cache.subarray(0, -100), () => "", () => "no cache"]) {
        for (const [index, name] of caches.entries()) fs.writeFileSync(path.join(place, name), content(whole[index]!))
        assert.deepInclude(yield* list(), { code: 0, stderr: "" })
      }
      fs.rmSync(path.join(place, "cache"), { recursive: true })
      assert.strictEqual((yield* list()).stdout.toString(), LISTED)
    }),
  )

  it.live("are of a file as it was: one that is changed is run as it is", () =>
    Effect.gen(function* () {
      const { files, list, place } = yield* copied
      const [name = ""] = files(/^FastProcess\.js$/)
      const file = path.join(place, name)
      const text = fs.readFileSync(file, "utf8")
      const changed = text.replace(/"use strict";/, "console.log();")
      assert.notStrictEqual(changed, text)
      fs.writeFileSync(file, changed.replace(/;$/, ""))
      const { mtimeMs } = fs.statSync(file)
      fs.utimesSync(file, mtimeMs / 1000 + 5, mtimeMs / 1000 + 5)
      assert.strictEqual((yield* list()).stdout.toString(), `\n${LISTED}`)
    }),
  )
})

describe("an old Node", () => {
  const pretend = (version: string) =>
    `data:text/javascript,${encodeURIComponent(
      `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`,
    )}`

  for (const [version, code] of [
    ["20.20.2", 5],
    ["22.18.0", 5],
    ["22.19.0", 0],
  ] as const) {
    it.live(`${version} is ${code === 0 ? "new enough" : "refused, with what is needed"}`, () =>
      Effect.gen(function* () {
        const script = `NODE_OPTIONS='--import=${pretend(version)}' "$@" 2>&1`
        const ended = yield* shell(script, "--version")
        assert.strictEqual(ended.code, code)
        if (code !== 0)
          assert.match(
            ended.stdout.toString(),
            /^pxar-fuse: needs Node 22\.19 or newer, and this is v.*: https:\/\/nodejs\.org/,
          )
      }),
    )
  }
})

describe("without Node", () => {
  /** Runs the command by its name, as a link of npm, with only these folders on PATH. */
  const run = (folders: string) =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      fs.symlinkSync(Command.MAIN, path.join(folder, "pxar-fuse"))
      return yield* shell(`PATH='${folders}' /bin/sh ${folder}/pxar-fuse --version 2>&1`)
    })

  it.live("the message says so, and how to get one", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run("/nowhere")
      assert.strictEqual(code, 5)
      assert.match(
        stdout.toString(),
        /^pxar-fuse: needs Node 22\.19 or newer, .*https:\/\/nodejs\.org.*sudo env PATH="\$PATH"/,
      )
    }),
  )

  it.live("on PATH it is the first that is found", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run(path.dirname(process.execPath))
      assert.strictEqual(code, 0)
      assert.match(stdout.toString(), /\d+\.\d+\.\d+/)
    }),
  )
})
