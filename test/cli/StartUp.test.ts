import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Command from "../support/Command.ts"
import * as Processes from "../support/Processes.ts"
import { shell } from "./reading.ts"

describe("the process in the background", () => {
  const MARK = "~effect/cli/"
  const folder = path.dirname(Command.MAIN)
  const bundled = (file: string): string => fs.readFileSync(path.join(folder, file), "utf8")

  it("has nothing of the parser of command lines", () => {
    assert.notInclude(bundled("ServerProcess.js"), MARK)
    // The mark is right: others have it.
    assert.isTrue(fs.readdirSync(folder).some((file) => file.endsWith(".js") && bundled(file).includes(MARK)))
  })

  it("is one file, but for the bundler's own and what is loaded when it is used", () =>
    assert.notMatch(bundled("ServerProcess.js"), /from\s*["'`]\.\/(?!rolldown-runtime)/))

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
      return yield* shell(`PATH=${folders} /bin/sh ${folder}/pxar-fuse --version 2>&1`)
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
