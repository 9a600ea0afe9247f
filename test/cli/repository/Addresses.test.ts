/**
 * What a command takes for an archive: a reference into a datastore, and what is refused, with what to do.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Command from "../../support/Command.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"
import { lines, output, plain, refusal, run } from "./stores.ts"

const head = (...args: ReadonlyArray<string>) =>
  Effect.map(output(["list", ...args]), (text) => lines(text).slice(0, 3))

describe("a reference", () => {
  it.live("latest, a time and the beginning of one mean the same backup", () =>
    Effect.gen(function* () {
      const expected = yield* output(["cat", `${plain}::host/alpha/2024-04-01T03:00:00Z/system.conf`])
      for (const time of ["latest", "2024-04", "2024-04-01T03"])
        assert.strictEqual(yield* output(["cat", `${plain}::host/alpha/${time}/system.conf`]), expected)
    }),
  )

  it.live("leaves the archive out where there is one", () =>
    Effect.gen(function* () {
      const archive = yield* head(`${plain}::host/beta/latest`)
      assert.deepStrictEqual(archive, yield* head(`${plain}::host/beta/latest/synth.pxar`))
      assert.isFalse(archive.some((line) => line.includes("synth.pxar")))
      // Of several each is a folder.
      assert.deepStrictEqual((yield* head(`${plain}::host/alpha/latest`)).slice(0, 2), ["/", "/root.pxar"])
    }),
  )

  it.live("goes on with a path in the archive", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* head(`${plain}::host/alpha/latest/root.pxar/empty`), ["/", "/e1", "/e2"])
    }),
  )

  it.live("finds namespaces in the reference and in --namespace", () =>
    Effect.gen(function* () {
      const expected = yield* output(["list", `${plain}::ns/a/ns/b/host/alpha/latest`])
      assert.strictEqual(yield* output(["list", "--namespace", "a/b", `${plain}::host/alpha/latest`]), expected)
      const twice = ["list", "--namespace", "a", `${plain}::ns/a/ct/100`]
      assert.include(yield* refusal(twice, ExitCode.USAGE), "given twice")
      assert.include(
        yield* refusal(["list", "--namespace", "a//b", `${plain}::host`], ExitCode.USAGE),
        `--namespace: "" is no name of a namespace`,
      )
    }),
  )

  it.live("that is ambiguous is refused with the choices, newest first", () =>
    Effect.gen(function* () {
      const time = yield* refusal(["list", `${plain}::host/beta/2024`], ExitCode.USAGE)
      assert.include(time, "2024 may be any of 2024-01-16T12:30:45Z, 2024-01-15T12:30:45Z")
      const archive = yield* refusal(["info", `${plain}::host/alpha/latest`], ExitCode.USAGE)
      assert.include(archive, "one archive is wanted")
      assert.include(archive, "there is root.pxar, data.pxar")
    }),
  )

  it.live("to what is not there is refused with what is", () =>
    Effect.gen(function* () {
      for (const [reference, said] of [
        ["host/alpha/2023", "there is no backup of 2023; there is 2024-05-01T03:00:00Z"],
        ["host/alpha/latest/no.pxar", "there is no no.pxar in this backup; there is root.pxar, data.pxar, system.conf"],
        ["host/gamma/latest", "host/gamma: there is no backup of this group"],
      ] as const) {
        assert.include(yield* refusal(["list", `${plain}::${reference}`], ExitCode.NO_ENTRY), said)
      }
    }),
  )
})

describe("PBS_REPOSITORY", () => {
  it.live("is the datastore of an address without one", () =>
    Effect.gen(function* () {
      const expected = yield* output(["list", `${plain}::host/beta/latest`])
      assert.strictEqual(yield* output(["list", "::host/beta/latest"], { PBS_REPOSITORY: plain }), expected)
      assert.strictEqual(
        yield* output(["snapshots", "::"], { PBS_REPOSITORY: plain }),
        yield* output(["snapshots", plain]),
      )
    }),
  )

  it.live("that is not set, or not there, is said; a name alone is a datastore of a server on this machine", () =>
    Effect.gen(function* () {
      assert.include(yield* refusal(["list", "::host/elsa"], ExitCode.USAGE), "set PBS_REPOSITORY")
      const server = yield* refusal(["list", "::host/elsa"], ExitCode.NO_ARCHIVE, { PBS_REPOSITORY: "store" })
      // Whether there is a server at all is found out before a password is asked for.
      assert.include(server, "localhost:8007: cannot be reached")
      const gone = ["list", "::host/elsa/latest"]
      assert.include(yield* refusal(gone, ExitCode.NO_ARCHIVE, { PBS_REPOSITORY: "/nonexistent/x" }), "/nonexistent/x")
    }),
  )
})

describe("--path-template", () => {
  beforeEach(need({ mount: true }))

  it.live("says where backups stand in a mount; one that is none, or brings groups together, is refused", () =>
    Effect.gen(function* () {
      const point = yield* Processes.mountPoint()
      const args = ["--path-template", "%ns/%id-%type/%time", "--time-template", "plain"]
      yield* Command.mount(plain, point, args)
      const list = (at: string) => Effect.promise(() => fs.promises.readdir(path.join(point, at)))
      assert.sameMembers(yield* list(""), ["alpha-host", "beta-host", "a"])
      assert.includeMembers(yield* list("beta-host"), ["2024-01-15T123045Z", "latest", "owner"])
      assert.include(yield* list("beta-host/latest"), "synth.pxar")
      const other = path.join(yield* Processes.temporaryFolder, "point")
      fs.mkdirSync(other)
      for (const [address, template, said] of [
        [plain, "%id", "lacks %time"],
        [plain, "%id/%time", "the same place"],
        [`${plain}::host`, "%id/%time", "--path-template is for the mount"],
      ] as const) {
        const ended = yield* run(["mount", address, other, "--path-template", template])
        assert.notStrictEqual(ended.code, 0)
        assert.include(ended.stderr, said)
      }
    }),
  )
})

describe("--time-template", () => {
  beforeEach(need({ mount: true }))

  it.live("names backups in a mount; a template that cannot tell them apart is refused", () =>
    Effect.gen(function* () {
      const names = Effect.fnUntraced(function* (template: string) {
        const point = yield* Processes.mountPoint()
        yield* Command.mount(`${plain}::host/beta`, point, ["--time-template", template])
        return yield* Effect.promise(() => fs.promises.readdir(point))
      })
      assert.includeMembers(yield* names("plain"), ["2024-01-15T123045Z", "latest"])
      assert.includeMembers(yield* names("%Y%m%d-%H%M%S"), ["20240115-123045", "20240116-123045"])
      const point = path.join(yield* Processes.temporaryFolder, "point")
      fs.mkdirSync(point)
      for (const wrong of ["%Q", "a/b", ""])
        assert.include(
          yield* refusal(["mount", plain, point, "--time-template", wrong], ExitCode.USAGE),
          "--time-template",
        )
    }),
  )
})
