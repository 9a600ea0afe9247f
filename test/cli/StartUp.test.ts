import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { shell } from "./reading.ts"

/** Seconds of processor time that a run of `pxar-fuse` takes. */
const cpu = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const { code, stdout } = yield* shell('env -u NODE_COMPILE_CACHE "$@" > /dev/null && times', ...args)
  assert.strictEqual(code, 0)
  // The second line is that of the processes which the shell has started: user and system time.
  const [, children = ""] = stdout.toString().split("\n")
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0)
})

describe("pxar-fuse --help", () => {
  it.live("takes less than 150 ms of processor time", () =>
    Effect.gen(function* () {
      // What else runs on the machine makes it longer, never shorter.
      let least = Number.POSITIVE_INFINITY
      for (let turn = 0; turn < 10 && least >= 0.15; turn++) least = Math.min(least, yield* cpu("--help"))
      assert.isBelow(least, 0.15)
    }),
  )
})
