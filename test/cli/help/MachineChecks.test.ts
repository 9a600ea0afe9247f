import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as MachineChecks from "../../../src/cli/help/MachineChecks.ts"
import * as Processes from "../../support/Processes.ts"

/** A machine as it should be, for an ordinary user. */
const healthy: Readonly<Record<string, string>> = {
  "proc/self/mountinfo": "",
  "proc/self/uid_map": "         0          0 4294967295\n",
  "proc/self/limits": "Max open files            20000                20000                files\n",
  "dev/fuse": "",
  "etc/fuse.conf": "# comment\nuser_allow_other\n",
  "usr/bin/fusermount3": "",
}

const machine = Effect.fnUntraced(function* (files: Readonly<Record<string, string | undefined>> = {}) {
  const root = yield* Processes.temporaryFolder
  for (const [name, content] of Object.entries({ ...healthy, ...files })) {
    if (content === undefined) continue
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
    fs.writeFileSync(path.join(root, name), content)
    if (name.endsWith("fusermount3")) fs.chmodSync(path.join(root, name), 0o4755)
  }
  return { root, nodeVersion: "24.21.0", uid: 0, path: ["/usr/bin"], loadLibc: () => {} }
})

const states = (found: MachineChecks.Machine): ReadonlyArray<string> =>
  MachineChecks.all(found)
    .filter(({ state }) => state !== "ok")
    .map(({ check, state }) => `${check} ${state}`)

describe("MachineChecks", () => {
  it.effect("finds nothing wrong with a machine as it should be", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(states(yield* machine()), [])
    }),
  )

  it.effect.each([
    ["no /dev/fuse", { "dev/fuse": undefined }, {}, ["device fail"]],
    [
      "no /proc",
      { "proc/self/mountinfo": undefined, "proc/self/limits": undefined, "proc/self/uid_map": undefined },
      {},
      ["proc fail"],
    ],
    ["no fusermount3, for root", { "usr/bin/fusermount3": undefined }, {}, []],
    ["no fusermount3", { "usr/bin/fusermount3": undefined }, { uid: 1000 }, ["fusermount3 fail"]],
    [
      "no user_allow_other",
      { "etc/fuse.conf": "#user_allow_other\n" },
      { uid: 1000, path: [] },
      ["fusermount3 fail", "allow_other warn"],
    ],
    ["a user namespace", { "proc/self/uid_map": "0 100000 65536\n" }, {}, ["namespace warn"]],
    ["few open files", { "proc/self/limits": "Max open files  256  256  files\n" }, {}, ["open-files warn"]],
    ["an older Node", {}, { nodeVersion: "22.19.0" }, ["node warn"]],
    [
      "no koffi",
      {},
      {
        loadLibc: () => {
          throw new Error("cannot find koffi.node")
        },
      },
      ["libc fail"],
    ],
  ] as const)("says what is the matter with %s", ([, files, changes, expected]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(states({ ...(yield* machine(files)), ...changes }), [...expected])
    }),
  )

  it.effect("gives advice with whatever is wrong", () =>
    Effect.gen(function* () {
      const bad = { ...(yield* machine({ "dev/fuse": undefined, "usr/bin/fusermount3": undefined })), uid: 1000 }
      for (const { advice, state } of MachineChecks.all(bad)) assert.strictEqual(advice !== undefined, state !== "ok")
    }),
  )
})
