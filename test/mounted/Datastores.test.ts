/**
 * Datastores in one mount: readers and pruning get along, nothing is written.
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Command from "../support/Command.ts"
import * as Datastores from "../support/Datastores.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true, root: true }))

const mounted = Effect.fnUntraced(function* (store: string, ...args: ReadonlyArray<string>) {
  const mountPoint = yield* Processes.mountPoint()
  const program = yield* Command.mount(store, mountPoint, args)
  return { mountPoint, program }
})

/** A copy of a store, removed at the end. */
const copyOf = (store: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => Datastores.copyOf(store)),
      (copy) => Effect.sync(copy.dispose),
    ),
    (copy) => copy.path,
  )

describe("a mounted datastore", () => {
  it.live("lets what is pruned go and shows what is new, under a reader, and writes nothing", () =>
    Effect.gen(function* () {
      const store = yield* copyOf(Datastores.store("datastore-plain"))
      const { mountPoint } = yield* mounted(store)
      const group = path.join(mountPoint, "host/beta")
      const kept = path.join(group, "2024-01-16T12:30:45Z")
      const pruned = "2024-01-15T12:30:45Z"
      const reader = fs.openSync(path.join(group, pruned, "synth.pxar/files/size-131072"), "r")
      assert.strictEqual(fs.readSync(reader, new Uint8Array(10), 0, 10, 0), 10)
      const before = path.join(yield* Processes.temporaryFolder, "before")
      fs.writeFileSync(before, "")
      fs.cpSync(
        path.join(store, "host/beta/2024-01-16T12:30:45Z"),
        path.join(store, "host/beta/2024-03-01T00:00:00Z"),
        {
          recursive: true,
        },
      )
      const removed = yield* Processes.run("rm", ["-r", path.join(store, "host/beta", pruned)])
      assert.deepStrictEqual([removed.code, removed.stderr], [0, ""])
      yield* Processes.eventually(
        "the group as it is",
        Effect.sync(() => fs.readdirSync(group)),
        (names) => names.includes("2024-03-01T00:00:00Z") && !names.includes(pruned),
      )
      yield* Processes.eventually(
        "the link to the newest",
        Effect.sync(() => fs.readlinkSync(path.join(group, "latest"))),
        (target) => target === "2024-03-01T00:00:00Z",
      )
      // Open files of what was pruned are readable as long as their chunks are.
      assert.strictEqual(fs.readSync(reader, new Uint8Array(10), 0, 10, 100_000), 10)
      fs.closeSync(reader)
      assert.include(fs.readdirSync(kept), "synth.pxar")
      const changed = yield* Processes.run("find", [path.join(store, ".chunks"), "-cnewer", before])
      assert.strictEqual(changed.stdout.toString(), "")
    }),
  )

  it.live("serves eight readers at once, and is walked whole", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* mounted(Datastores.store("datastore-plain"))
      const found = yield* Processes.run("find", [mountPoint])
      assert.strictEqual(found.stderr, "")
      assert.isAbove(found.stdout.toString().split("\n").length, 4000)
      const read = yield* Processes.run("sh", [
        "-c",
        `ls -d "$1"/host/alpha/2024-0[1-4]* "$1"/host/beta/2* "$1"/ns/a/ct/100/2* | xargs -P 8 -I{} sh -c 'tar --warning=no-file-ignored -cf - -C {} . | wc -c'`,
        "sh",
        mountPoint,
      ])
      assert.strictEqual(read.stderr, "")
      assert.strictEqual(read.stdout.toString().trim().split("\n").length, 8)
    }),
  )

  it.live("gives tar a snapshot whole", () =>
    Effect.gen(function* () {
      const { mountPoint, program } = yield* mounted(Datastores.store("datastore-plain"))
      const out = yield* Processes.temporaryFolder
      const snapshot = path.join(mountPoint, "host/alpha/2024-03-01T03:00:00Z")
      const copied = yield* Processes.run("sh", [
        "-c",
        'tar --warning=no-file-ignored -cf - -C "$1" . | tar --warning=no-timestamp -xf - -C "$2" && diff -r --no-dereference "$1" "$2"',
        "sh",
        snapshot,
        out,
      ])
      // What tar leaves out, and diff cannot compare, are sockets, pipes and devices.
      const differences = copied.stdout
        .toString()
        .split("\n")
        .filter((line) => line !== "" && !/sock|fifo|special file/.test(line))
      assert.deepStrictEqual([copied.stderr, differences, program.stderr()], ["", [], ""])
      assert.isAbove(fs.readdirSync(path.join(out, "data.pxar")).length, 3)
    }),
  )

  it.live("goes on where it was after SIGSTOP, and leaves nothing that hangs after SIGKILL", () =>
    Effect.gen(function* () {
      const { mountPoint, program } = yield* mounted(Datastores.store("datastore-plain"))
      const file = path.join(mountPoint, "host/beta/latest/synth.pxar/files/size-131072")
      yield* program.kill("SIGSTOP")
      const reader = yield* Processes.start("sha256sum", [file])
      const state = Effect.sync(
        () => /^State:\s+(\w)/m.exec(fs.readFileSync(`/proc/${reader.pid}/status`, "utf8"))?.[1],
      )
      yield* Processes.eventually("the reader to wait", state, (state) => state === "S" || state === "D")
      assert.strictEqual(reader.stdout().length, 0)
      yield* program.kill("SIGCONT")
      const { code, stdout } = yield* reader.ended
      assert.strictEqual(code, 0)
      assert.match(stdout.toString(), /^[0-9a-f]{64} /)
      yield* program.kill("SIGKILL")
      assert.strictEqual((yield* program.ended).signal, "SIGKILL")
      const after = yield* Processes.run("cat", [path.join(mountPoint, "host/beta/owner")])
      assert.match(after.stderr, /not connected|aborted/)
    }),
  )

  it.live("is read from a read-only disk", () =>
    Effect.gen(function* () {
      const folder = path.join(yield* Processes.temporaryFolder, "disk")
      fs.mkdirSync(folder)
      const { status } = spawnSync("mount", ["--bind", "-o", "ro", Datastores.store("datastore-plain"), folder])
      assert.strictEqual(status, 0)
      yield* Effect.addFinalizer(() => Effect.sync(() => spawnSync("umount", ["-l", folder])))
      assert.throws(() => fs.writeFileSync(path.join(folder, "new"), ""), /EROFS/)
      const { mountPoint, program } = yield* mounted(folder)
      const read = yield* Processes.run("sha256sum", [
        path.join(mountPoint, "host/beta/latest/synth.pxar/files/size-131072"),
      ])
      assert.deepStrictEqual([read.code, read.stderr, program.stderr()], [0, "", ""])
    }),
  )

  it.live("is refused below the datastore itself", () =>
    Effect.gen(function* () {
      const store = yield* copyOf(Datastores.store("datastore-plain"))
      const inside = path.join(store, "host/inside")
      fs.mkdirSync(inside)
      const { code, stderr } = yield* Command.run(["mount", "--foreground", store, inside])
      assert.deepStrictEqual([code, stderr.includes("inside the datastore")], [12, true], stderr)
    }),
  )
})
