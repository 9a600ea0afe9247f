/**
 * Datastores in one mount: damage costs what it touches, readers and pruning get along, nothing is written.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Command from "../support/Command.ts"
import * as Datastores from "../support/Datastores.ts"
import * as Golden from "../support/Golden.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true }))

const sha256 = (bytes: Uint8Array) => crypto.createHash("sha256").update(bytes).digest("hex")

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

/** Bytes of a file where they can be read, by pieces of a page; `undefined` for a piece that gives EIO. */
const pieces = (file: string): ReadonlyArray<Uint8Array | undefined> => {
  const fd = fs.openSync(file, "r")
  try {
    const { size } = fs.fstatSync(fd)
    return Array.from({ length: Math.ceil(size / 4096) }, (_, page) => {
      const target = new Uint8Array(Math.min(4096, size - page * 4096))
      try {
        fs.readSync(fd, target, 0, target.length, page * 4096)
        return target
      } catch (error) {
        assert.strictEqual((error as NodeJS.ErrnoException).code, "EIO")
        return undefined
      }
    })
  } finally {
    fs.closeSync(fd)
  }
}

describe("a datastore with 74 damaged snapshots", () => {
  it.live(
    "shows everything outside of the damage byte for byte",
    () =>
      Effect.gen(function* () {
        const key = Datastores.keyFile("key1-none.json")
        const { mountPoint } = yield* mounted(Datastores.store("datastore-damaged"), "--key-file", key)
        let damaged = 0
        for (const row of Datastores.expected.stores["datastore-damaged"].snapshots) {
          for (const { damaged_file_hex: lost, error, name, pxar } of row.files) {
            if (pxar?.kind !== "single" || pxar.view === undefined) continue
            if (error !== undefined && lost === undefined) continue
            const root = path.join(mountPoint, row.snapshot, name.replace(/\.didx$/, ""))
            const golden = Golden.all.find(({ name }) => `${name}.view.jsonl` === pxar.view) as Golden.Golden
            for (const view of golden.view()) {
              if (view.sha256 === undefined) continue
              const hex = view.path.toString("hex")
              const file = path.join(root, view.path.toString("latin1"))
              // Names that are no text are for the tests of archives.
              if (!/^[ -~]+$/.test(view.path.toString("latin1"))) continue
              if (
                lost !== undefined &&
                Buffer.from(lost, "hex").toString("latin1").replace(/^\/?/, "/") === view.path.toString("latin1")
              ) {
                const read = pieces(file)
                assert.include(read, undefined, file)
                assert.isTrue(
                  read.some((piece) => piece !== undefined),
                  file,
                )
                damaged++
                continue
              }
              const wanted = pxar.changes?.[hex]?.["sha256"] ?? view.sha256
              assert.strictEqual(sha256(fs.readFileSync(file)), wanted as string, file)
            }
          }
        }
        assert.strictEqual(damaged, 30)
      }),
    120_000,
  )

  it.live("is extracted but for the damage, file by file", () =>
    Effect.gen(function* () {
      const store = Datastores.store("datastore-damaged")
      const folder = yield* Processes.temporaryFolder
      const target = path.join(folder, "out")
      const address = `${store}::host/chunk-crc-field/latest/root.pxar`
      const { code, stderr } = yield* Command.run(["extract", address, target])
      assert.notStrictEqual(code, 0)
      assert.include(stderr, "size-131072")
      for (const view of Golden.all.find(({ name }) => name === "synth-v1")!.view()) {
        const name = view.path.toString("latin1")
        if (view.sha256 === undefined || !/^[ -~]+$/.test(name) || name.endsWith("size-131072")) continue
        assert.strictEqual(sha256(fs.readFileSync(path.join(target, name))), view.sha256, name)
      }
    }),
  )
})

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
