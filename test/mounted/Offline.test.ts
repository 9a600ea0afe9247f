/**
 * A mount of a datastore far away whose line is cut: what is cached stays readable, the rest fails in time, and all works
 * again when the line is back. The mount is served by the compiled command, so that this process can wait for it.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Command from "../support/Command.ts"
import * as Datastores from "../support/Datastores.ts"
import * as Nginx from "../support/Nginx.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"
import * as SlowLine from "../support/SlowLine.ts"

beforeEach(need({ mount: true, root: true, tools: ["nginx"] }))

const SNAPSHOT = "host/data/2025-06-15T15:06:50Z"

/** A copy that nginx may read. */
const store = Effect.acquireRelease(
  Effect.sync(() => {
    const copy = Datastores.copyOf(Datastores.realStore())
    fs.chmodSync(path.dirname(copy.path), 0o755)
    return copy
  }),
  ({ dispose }) => Effect.sync(dispose),
)

/** Files of a mount, largest first; not those whose names are no text. */
const filesIn = Effect.fnUntraced(function* (root: string) {
  const { stdout } = yield* Processes.run("find", [
    root,
    "-type",
    "f",
    "-size",
    "-512k",
    "-size",
    "+8k",
    "-printf",
    "%s %p\\n",
  ])
  return stdout
    .toString()
    .split("\n")
    .flatMap((line) => /^(\d+) ([\w./-]+)$/.exec(line)?.slice(1) ?? [])
    .flatMap((text, i, all) => (i % 2 === 0 ? [{ size: Number(text), file: all[i + 1] ?? "" }] : []))
    .toSorted((a, b) => b.size - a.size)
    .map(({ file }) => file)
})

/** The code of the error that reading a file ends with; `undefined` if it can be read. */
const failure = (file: string): Promise<string | undefined> =>
  fs.promises.readFile(file).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  )

describe.each(["stall", "cut"] as const)("a line that is gone (%s)", (how) => {
  it.live(
    "costs what is not cached, in time, and nothing once it is back",
    () =>
      Effect.gen(function* () {
        const { port } = yield* Nginx.make((yield* store).path)
        const line = yield* SlowLine.make(port)
        const mountPoint = yield* Processes.temporaryFolder
        const cache = path.join(yield* Processes.temporaryFolder, "cache")
        const address = `http://127.0.0.1:${line.port}/::${SNAPSHOT}/tree.pxar`
        // All is kept on the disk, by another process.
        const extracted = yield* Processes.temporaryFolder
        const kept = yield* Command.run([
          "extract",
          "--quiet",
          "--cache-dir",
          cache,
          address,
          path.join(extracted, "all"),
        ])
        assert.strictEqual(kept.code, 0, kept.stderr)
        // Memory for the folders alone.
        const args = ["--timeout", "2s", "--cache-dir", cache, "--chunk-cache", "300K"]
        yield* Command.mount(address, mountPoint, args)
        // No file is read twice while the line is gone: the kernel keeps what it has read.
        const [first = "", second = "", third = ""] = yield* filesIn(mountPoint)

        line[how]()
        assert.isUndefined(yield* Effect.promise(() => failure(first)))
        yield* Command.run(["cache", "clear", "--cache-dir", cache])
        const begin = performance.now()
        assert.strictEqual(yield* Effect.promise(() => failure(second)), "EIO")
        assert.isBelow(performance.now() - begin, 20_000)

        line.restore()
        assert.isUndefined(yield* Effect.promise(() => failure(second)))
        assert.isUndefined(yield* Effect.promise(() => failure(third)))
      }),
    120_000,
  )
})
