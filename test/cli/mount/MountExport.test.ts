/** `-o nfs_export`: what an NFS server does with a mount. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Command from "../../support/Command.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"

/** Takes handles of paths, has the kernel forget what it can, and opens the handles; `forged` are numbers to try too. */
const handles = `
import ctypes, json, os, struct, sys
c = ctypes.CDLL(None, use_errno=True)
class H(ctypes.Structure): _fields_ = [("n", ctypes.c_uint), ("t", ctypes.c_int), ("b", ctypes.c_ubyte * 128)]
mount, paths, forged = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
def handle(p):
    h = H(); h.n = 128
    if c.name_to_handle_at(-100, p.encode(), ctypes.byref(h), ctypes.byref(ctypes.c_int()), 0): return None
    return h
root = os.open(mount, os.O_RDONLY)
def opens(h, path):
    fd = c.open_by_handle_at(root, ctypes.byref(h), 0)
    if fd < 0: return os.strerror(ctypes.get_errno())
    found = os.readlink("/proc/self/fd/%d" % fd); os.close(fd); return "opened"
hs = [(p, handle(mount + p)) for p in paths]
if any(h is None for p, h in hs): print("no handles"); sys.exit(0)
for i in range(3): open("/proc/sys/vm/drop_caches", "w").write("2")
print(json.dumps([opens(h, p) for p, h in hs]))
results = []
for number in forged:
    h = hs[-1][1]; copy = H.from_buffer_copy(h)
    raw = bytearray(copy.b); half = struct.pack("<II", (number >> 32) & 0xffffffff, number & 0xffffffff)
    raw[0:8] = half
    for i, b in enumerate(raw): copy.b[i] = b
    results.append(opens(copy, "?"))
print(json.dumps(results))
`

describe("-o nfs_export", () => {
  beforeEach(need({ mount: true, root: true, tools: ["python3"] }))

  const run = Effect.fnUntraced(function* (options: ReadonlyArray<string>, forged: ReadonlyArray<number>) {
    const mountPoint = yield* Processes.mountPoint()
    yield* Command.mountInBackground(Golden.helloV1.archive, mountPoint, options)
    const paths = JSON.stringify(["/hello"])
    const args = ["-c", handles, mountPoint, paths, JSON.stringify(forged)]
    const { code, stderr, stdout } = yield* Processes.run("python3", args)
    assert.strictEqual(code, 0, stderr)
    return stdout.toString().trim().split("\n")
  })

  it.live("a handle outlives the kernel's memory, and made-up numbers open nothing", () =>
    Effect.gen(function* () {
      const [own, forged] = yield* run(["-o", "nfs_export"], [2, 77, 79, 2 ** 40])
      assert.strictEqual(own, '["opened"]')
      assert.deepStrictEqual([...new Set(JSON.parse(forged ?? "[]") as Array<string>)], ["Stale file handle"])
    }),
  )

  it.live("is off unless it is asked for: no handles, or such as go stale", () =>
    Effect.gen(function* () {
      const [own] = yield* run([], [])
      assert.include(["no handles", '["Stale file handle"]'], own)
    }),
  )

  it.live("is refused for several archives, and through libfuse 2", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { archive } = Golden.helloV1
      for (const words of [
        [archive, Golden.treeV1.archive, mountPoint],
        ["--transport", "fuse-native", archive, mountPoint],
      ]) {
        const { code, stderr } = yield* Command.run(["mount", "-o", "nfs_export", ...words])
        assert.strictEqual(code, ExitCode.USAGE, stderr)
        assert.match(stderr, /mount option nfs_export: goes with/)
      }
    }),
  )
})
