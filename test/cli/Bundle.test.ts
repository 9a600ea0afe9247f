/** What the built command loads. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Libc from "../../src/services/posix/Libc.ts"
import manifest from "../../package.json" with { type: "json" }
import * as Golden from "../support/Golden.ts"
import { shell } from "./reading.ts"

/** Modules of Node's, and packages, that a run has loaded when it ends. */
const loaded = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const report = `process.on("exit", () => {
    const own = process.moduleLoadList.filter((name) => /^NativeModule [a-z0-9_]+$/.test(name))
    const maps = process.getBuiltinModule("fs").readFileSync("/proc/self/maps", "latin1").match(/koffi\\.node/)
    process.getBuiltinModule("fs").writeSync(2, [...own.map((name) => name.slice(13)), ...(maps ?? [])].join("\\n"))
  })`
  // To a file: for a pipe Node loads more.
  const script = `report=$(mktemp); NODE_OPTIONS='--import=data:text/javascript,${encodeURIComponent(report).replaceAll("'", "%27")}' "$@" 2>"$report" >/dev/null; code=$?; cat "$report"; rm "$report"; exit $code`
  const { code, stdout } = yield* shell(script, ...args)
  assert.strictEqual(code, 0, stdout.toString())
  return new Set(stdout.toString().split("\n"))
})

const heavy = ["crypto", "net", "child_process", "zlib", "http", "https", "tls", "dgram", "worker_threads"]

describe("of Node's own modules, those that take milliseconds", () => {
  for (const [what, ...args] of [
    ["--help", "--help"],
    ["list", "list", Golden.path("tiny/hello-v1.pxar")],
    ["verify", "verify", Golden.path("tiny/hello-v1.pxar")],
    ["info", "info", Golden.path("tiny/hello-v1.pxar")],
  ] as const) {
    it.live(`are not loaded for ${what}`, () =>
      Effect.gen(function* () {
        const names = yield* loaded(...args)
        assert.isTrue(names.has("fs"))
        assert.deepStrictEqual(
          heavy.filter((name) => names.has(name)),
          [],
        )
      }),
    )
  }
})

describe("koffi", () => {
  it("is the version whose types are known", () => {
    const { devDependencies, optionalDependencies } = manifest
    const binaries = Object.entries(optionalDependencies)
    assert.isNotEmpty(binaries)
    for (const [name, version] of binaries) assert.strictEqual(version, devDependencies.koffi, name)
    assert.strictEqual(Libc.koffi().version, devDependencies.koffi)
  })

  it.live("is not loaded where nothing of this machine is read", () =>
    Effect.gen(function* () {
      assert.isFalse((yield* loaded("--help")).has("koffi.node"))
      assert.isTrue((yield* loaded("list", Golden.path("tiny/hello-v1.pxar"))).has("koffi.node"))
    }),
  )
})
