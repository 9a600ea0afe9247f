/** Memory of what walks a tree that is as deep as it may be, measured as the largest that a process had. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Command from "../../support/Command.ts"
import * as Processes from "../../support/Processes.ts"
import { isRoot } from "../../support/Requirements.ts"

/** An archive of `depth` folders in one another, whose names have `length` bytes. */
const archiveOf = (depth: number, length: number): Uint8Array => {
  const name = "n".repeat(length)
  const hash = B.sipHash(name)
  const [filename, entry] = [B.filename(name), B.entry({ mode: 0o40755 })]
  const step = filename.length + entry.length
  const parts: Array<Uint8Array> = [entry]
  for (let level = 0; level < depth; level++) parts.push(filename, entry)
  let position = entry.length + depth * step
  for (let level = depth; level >= 0; level--) {
    const nameStart = entry.length + level * step
    const child = { hash, offset: position - nameStart, size: position - nameStart }
    const start = level === 0 ? 0 : nameStart - entry.length
    const table = B.goodbye(level === depth ? [] : [child], position - start)
    parts.push(table)
    position += table.length
  }
  return Buffer.concat(parts)
}

/** Writes the most memory that it had to the file `PEAK`, in KiB. Not `maxRSS`, which begins with that of its parent. */
const REPORT = `data:text/javascript,${encodeURIComponent(
  `const fs = process.getBuiltinModule("fs")
  process.on("exit", () => {
    fs.writeFileSync(process.env.PEAK, /VmHWM:\\s*(\\d+)/.exec(fs.readFileSync("/proc/self/status", "latin1"))[1])
  })`,
)}`

/** The most memory that a Node process had, in MB. */
const peakOf = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const peak = path.join(yield* Processes.temporaryFolder, "peak")
  // The list of a deep tree is long: nobody keeps it.
  const words = ["-c", 'exec "$@" >/dev/null', "sh", process.execPath, `--import=${REPORT}`, ...args]
  const { code, stderr } = yield* Processes.run("/bin/sh", words, { env: { ...process.env, PEAK: peak } })
  assert.strictEqual(code, 0, stderr)
  return (Number(fs.readFileSync(peak, "utf8")) * 1024) / 1e6
})

const LIBRARY = path.join(path.dirname(Command.MAIN), "../index.js")

/** A program over the library. */
const program = (file: string, use: string): ReadonlyArray<string> => [
  "--input-type=module",
  "--eval",
  `import * as Effect from "effect/Effect"
  import * as Stream from "effect/Stream"
  import { Archive, LinkCounts } from ${JSON.stringify(LIBRARY)}
  await Effect.runPromise(Effect.scoped(Effect.flatMap(Archive.open(${JSON.stringify(file)}), (archive) => ${use})))`,
]

describe("below 300 MB", () => {
  for (const [what, depth, length, args] of [
    ["list", 500, 4096, (file: string) => [Command.MAIN, "list", file]],
    ["info", 4000, 4096, (file: string) => [Command.MAIN, "info", file]],
    ["verify", 4000, 4096, (file: string) => [Command.MAIN, "verify", file]],
    [
      "a walk",
      4000,
      4096,
      (file: string) => program(file, `Effect.flatMap(archive.root, (root) => Stream.runDrain(archive.walk(root)))`),
    ],
    ["link counts", 4000, 4096, (file: string) => program(file, `LinkCounts.collect(archive.reader)`)],
    ["diff", 4000, 255, (file: string) => [Command.MAIN, "diff", file, file]],
    [
      "extract",
      4000,
      255,
      (file: string) => [
        Command.MAIN,
        "extract",
        ...(isRoot ? [] : ["--no-owner"]),
        file,
        path.join(path.dirname(file), "target"),
      ],
    ],
  ] as const) {
    it.live(`stays ${what} of ${depth} levels of names of ${length} bytes`, () =>
      Effect.gen(function* () {
        const file = yield* Command.write("deep.pxar", archiveOf(depth, length))
        // Its paths are longer than those that Node can remove.
        const target = path.join(path.dirname(file), "target")
        yield* Effect.addFinalizer(() => Effect.sync(() => execFileSync("rm", ["-rf", target])))
        assert.isBelow(yield* peakOf(args(file)), 300)
      }),
    )
  }
})
