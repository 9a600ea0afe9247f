/**
 * Paths that are not UTF-8 as operands of `mount`, `status` and `unmount`, and what `unmount` of several says.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Command from "../../support/Command.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import { need, NOBODY } from "../../support/Requirements.ts"

const { archive: helloV1 } = Golden.helloV1

/** Runs a script in `cwd`, in which `x` is the command and `$at` a name that is not UTF-8. */
const run = (script: string, cwd: string, options: Processes.Options = {}) =>
  Processes.run("sh", ["-c", `x() { "$NODE" "$MAIN" "$@"; }; at=$(printf 'm\\377 \\n\\\\x'); set -e; ${script}`], {
    ...options,
    cwd,
    env: { PATH: process.env["PATH"], NODE: process.execPath, MAIN: Command.MAIN, A: helloV1 },
  })

describe("a mount point that is not UTF-8", () => {
  beforeEach(need({ mount: true, otherUsers: true, tools: ["fusermount3"] }))

  for (const [who, user] of [
    ["its user", undefined],
    ["another user than root", NOBODY],
  ] as const) {
    it.live(`is mounted on, shown and unmounted by ${who}`, () =>
      Effect.gen(function* () {
        const folder = path.dirname(yield* Processes.mountPoint("unused", user))
        if (user !== undefined) fs.chownSync(folder, user, user)
        const script = `
          mkdir "$at"
          x mount "$A" "$at" --pid-file "$at.pid" --log-file "$at.log"
          trap 'x unmount "$at" 2>/dev/null' EXIT
          ls "$at"; ls -bd -- *; x status "$at" | head -1
          x unmount "$at"; x status "$at" && exit 1; rmdir "$at"; trap - EXIT`
        const options = user === undefined ? {} : { uid: user, gid: user }
        const { code, stderr, stdout } = yield* run(script, folder, options)
        assert.strictEqual(code, 0, stderr)
        const name = String.raw`m\377\ \n\\x`
        const shown = String.raw`'${folder}/m\xff \x0a\\x'`
        assert.deepStrictEqual(stdout.toString().split("\n"), [
          "hello",
          "link",
          name,
          `${name}.log`,
          `${name}.pid`,
          "unused",
          `${shown}: ${helloV1}`,
          "",
        ])
        assert.include(stderr, String.raw`nothing is mounted on 'm\xff \x0a\x'`)
      }),
    )
  }

  it.live("is created and removed again, also in a folder that is none either", () =>
    Effect.gen(function* () {
      const script = `
        mkdir "$at"; cd "$at"
        x mount --auto-mountpoint "$A" "new/$at"
        trap 'x unmount "new/$at" 2>/dev/null' EXIT
        ls "new/$at"; x unmount "new/$at"; trap - EXIT; ls`
      const { code, stderr, stdout } = yield* run(script, yield* Processes.temporaryFolder)
      assert.deepStrictEqual([code, stdout.toString()], [0, "hello\nlink\n"], stderr)
    }),
  )
})

describe("a mount point that is empty", () => {
  it.live.each(["mount", "unmount", "status"])("is not the folder one is in: %s", (command) =>
    Effect.gen(function* () {
      const words = command === "mount" ? ["mount", helloV1, ""] : [command, ""]
      const { code, stderr } = yield* Command.run(words, { cwd: yield* Processes.temporaryFolder })
      assert.strictEqual(code, ExitCode.USAGE, stderr)
      assert.include(stderr, "is a variable not set?")
    }),
  )
})

describe("unmount of several", () => {
  beforeEach(need({ mount: true }))

  it.live("says what became of each, and ends with the code of the worst", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      yield* Command.mountInBackground(helloV1, mountPoint)
      const { code, stderr } = yield* Command.run(["unmount", "/nowhere", mountPoint, "/proc"])
      assert.strictEqual(code, ExitCode.NOT_MOUNTED)
      assert.deepStrictEqual(stderr.split("\n"), [
        "pxar-fuse: nothing is mounted on /nowhere [PXF-NOT-MOUNTED]",
        `pxar-fuse: ${mountPoint} is unmounted`,
        "pxar-fuse: not an archive but proc is mounted on /proc [PXF-NOT-MOUNTED]",
        "",
      ])
    }),
  )

  it.live("takes one that stays for worse than one that is not there", (context) =>
    Effect.gen(function* () {
      need({ root: true, otherUsers: true, tools: ["fusermount3"] })(context)
      const mountPoint = yield* Processes.mountPoint()
      yield* Command.mountInBackground(helloV1, mountPoint)
      const options = { uid: NOBODY, gid: NOBODY, cwd: "/" }
      const { code } = yield* Command.run(["unmount", "/nowhere", mountPoint], options)
      assert.strictEqual(code, ExitCode.NOT_PERMITTED)
    }),
  )
})
