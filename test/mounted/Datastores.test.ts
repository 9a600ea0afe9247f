/**
 * Datastores in one mount: readers and pruning get along, nothing is written.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Command from "../support/Command.ts"
import * as Datastores from "../support/Datastores.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true }))

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
      fs.rmSync(path.join(store, "host/beta", pruned), { recursive: true })
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
