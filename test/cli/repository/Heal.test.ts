/**
 * `--also` and `heal` over the compiled command: a damaged datastore beside a good one reads as if nothing had happened, and
 * becomes equal to it; killed at any moment, or on a full disk, it is never worse.
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Command from "../../support/Command.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as FolderState from "../../support/FolderState.ts"
import * as Processes from "../../support/Processes.ts"
import { make as makeRandom } from "../../support/Random.ts"
import { isRoot, need } from "../../support/Requirements.ts"
import * as JsonSchemas from "../archive/JsonSchemas.ts"
import { output, plain, run } from "./stores.ts"

/** Kills of `heal`; more by hand: `HEAL_KILLS=100 npx vitest run test/cli/repository/Heal.test.ts`. */
const KILLS = Number(process.env["HEAL_KILLS"] ?? 6)

const isChunk = (name: string): boolean => /^[0-9a-f]{64}$/.test(path.basename(name))

/** A copy of the good store in which two of three chunks and some indexes and blobs are missing or damaged. */
const damaged = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => Datastores.copyOf(plain)),
    ({ dispose }) => Effect.sync(dispose),
  ),
  ({ path: root }) => {
    // As on a server, so that what is written has an owner to get.
    if (isRoot) spawnSync("chown", ["-R", "34:34", root])
    const hit: Array<string> = []
    const good = FolderState.read(root)
    for (const [at, [name]] of [...good].entries()) {
      const file = path.join(root, name)
      if (!isChunk(name) && !/\.(?:didx|fidx|conf\.blob)$/.test(name)) continue
      if (!isChunk(name) && (name.includes("2024-05-01") || at % 2 === 0)) continue
      if (at % 3 === 0) continue
      hit.push(name)
      if (at % 3 === 1) fs.rmSync(file)
      else fs.writeFileSync(file, fs.readFileSync(file).subarray(1))
    }
    return { root, hit, good }
  },
)

const json = (text: string) => JsonSchemas.parse("heal", text)

describe("--also", () => {
  it.live(
    "everything of a damaged datastore is extracted as if nothing had happened",
    () =>
      Effect.gen(function* () {
        const { root } = yield* damaged
        const [whole, healed] = yield* Effect.forEach([plain, root], (store) =>
          Effect.gen(function* () {
            const target = path.join(yield* Processes.temporaryFolder, "out")
            const { code, stderr } = yield* run(["extract", store, target, "--also", plain])
            return { code, state: FolderState.read(target), stderr }
          }),
        )
        assert.deepStrictEqual(healed?.state, whole?.state)
        assert.strictEqual(healed?.code, whole?.code)
        // Files are said one by one, of the chunks the first.
        assert.include(healed?.stderr, `; healed from ${plain}`)
        assert.strictEqual(healed?.stderr.match(/verify --also tells which/g)?.length, 1)
      }),
    60_000,
  )

  it.live("verify says what could be healed, and from where", () =>
    Effect.gen(function* () {
      const { hit, root } = yield* damaged
      const { code, stdout } = yield* run(["verify", "--json", root, "--also", plain])
      assert.strictEqual(code, ExitCode.DAMAGED)
      const lines = JsonSchemas.parse("datastore", stdout)
      const errors = lines.flatMap((line) => ("severity" in line && line.severity === "error" ? [line] : []))
      assert.isTrue(errors.every(({ healable_from = "" }) => healable_from.startsWith(plain)))
      const verdict = lines.at(-1)
      assert.isTrue(verdict !== undefined && "healable" in verdict && verdict.healable === verdict.errors)
      for (const name of hit) assert.include(stdout, path.basename(name))
    }),
  )
})

describe("mount --also", () => {
  beforeEach(need({ mount: true }))

  it.live(
    "shows everything of a damaged datastore as if nothing had happened",
    () =>
      Effect.gen(function* () {
        const { root } = yield* damaged
        const states = yield* Effect.forEach([plain, root], (store) =>
          Effect.gen(function* () {
            const mountPoint = yield* Processes.mountPoint()
            yield* Command.mount(store, mountPoint, ["--also", plain])
            return FolderState.read(mountPoint)
          }),
        )
        assert.isAbove(states[0]?.size ?? 0, 1000)
        assert.deepStrictEqual(states[1], states[0])
      }),
    60_000,
  )
})

describe("heal", () => {
  it.live("makes the datastore equal to the good one, and nothing else", () =>
    Effect.gen(function* () {
      const { good, hit, root } = yield* damaged
      const aside = path.join(root, `${hit.find(isChunk)}.0.bad`)
      fs.writeFileSync(aside, "found damaged")
      const before = FolderState.read(root)
      const dry = yield* run(["heal", "--json", "--dry-run", root, "--from", plain])
      assert.deepStrictEqual([dry.code, FolderState.read(root)], [ExitCode.SUCCESS, before], dry.stderr)
      const { code, stderr, stdout } = yield* run(["heal", "--json", root, "--from", plain])
      assert.deepStrictEqual([code, stderr], [ExitCode.SUCCESS, ""])
      const after = new Map(FolderState.read(root))
      assert.isTrue(after.delete(path.relative(root, aside)))
      assert.deepStrictEqual(after, good)
      const healed = json(stdout).flatMap((line) => ("blob" in line ? [line.blob] : []))
      assert.sameMembers(healed, hit)
      assert.sameMembers(
        json(dry.stdout).flatMap((line) => ("blob" in line ? [line.blob] : [])),
        hit,
      )
      const again = json(yield* output(["heal", "--json", root, "--from", plain]))
      assert.deepInclude(again, { ...again[0], verdict: "sound", healed: 0 } as (typeof again)[0])
    }),
  )

  it.live("ends with the code for damage if something is in no copy, and heals the rest", () =>
    Effect.gen(function* () {
      const { good, hit, root } = yield* damaged
      const other = yield* Effect.acquireRelease(
        Effect.sync(() => Datastores.copyOf(plain)),
        ({ dispose }) => Effect.sync(dispose),
      )
      const lost = hit.find(isChunk) as string
      fs.rmSync(path.join(other.path, lost))
      const { code, stdout } = yield* run(["heal", root, "--from", other.path])
      assert.strictEqual(code, ExitCode.DAMAGED)
      assert.include(stdout, `lost   ${lost}`)
      const after = FolderState.read(root)
      for (const name of hit) if (name !== lost) assert.strictEqual(after.get(name), good.get(name), name)
    }),
  )

  it.live("refuses what is no datastore, and a copy that is none", () =>
    Effect.gen(function* () {
      const empty = yield* Processes.temporaryFolder
      assert.strictEqual((yield* run(["heal", plain, "--from", empty])).code, ExitCode.USAGE)
      assert.strictEqual((yield* run(["heal", empty, "--from", plain])).code, ExitCode.USAGE)
      assert.strictEqual((yield* run(["heal", plain])).code, ExitCode.USAGE)
    }),
  )

  it.live(
    `killed at ${KILLS} moments, it leaves nothing half written, and the next run completes`,
    () =>
      Effect.gen(function* () {
        const random = makeRandom(KILLS)
        const first = yield* damaged
        const [whole] = yield* Effect.timed(run(["heal", first.root, "--from", plain]))
        const length = Duration.toMillis(whole)
        const { good, root } = yield* damaged
        let interrupted = 0
        for (let kill = 0; kill < KILLS; kill++) {
          const before = FolderState.read(root)
          const program = yield* Command.start(["heal", root, "--from", plain])
          // From before the first file is written until after the last.
          yield* Effect.sleep(length * (0.2 + random.below(1000) / 1000))
          yield* program.kill("SIGKILL")
          yield* program.ended
          const after = FolderState.read(root)
          const isWhole = [...good].every(([name, state]) => after.get(name) === state)
          if (isWhole) for (const name of first.hit) fs.rmSync(path.join(root, name))
          else if ([...after].some(([name, state]) => before.get(name) !== state)) interrupted++
          for (const [name, state] of after) {
            if (name.endsWith(".tmp_healed")) continue
            assert.include([before.get(name), good.get(name)], state, name)
          }
        }
        const { code, stderr } = yield* run(["heal", root, "--from", plain])
        assert.deepStrictEqual([code, stderr], [ExitCode.SUCCESS, ""])
        const left = new Map([...FolderState.read(root)].filter(([name]) => !name.endsWith(".tmp_healed")))
        assert.deepStrictEqual(left, good)
        if (KILLS >= 100) yield* Effect.logInfo(`${interrupted} of ${KILLS} kills came while files were written`)
      }),
    60_000 + KILLS * 2000,
  )
})

describe("heal on a small disk", () => {
  beforeEach(need({ root: true, tools: ["mount", "umount"] }))

  it.live("says that the disk is full, and leaves nothing worse", () =>
    Effect.gen(function* () {
      const disk = yield* Processes.temporaryFolder
      const ended = yield* Processes.run("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", disk])
      assert.strictEqual(ended.code, 0, ended.stderr)
      yield* Effect.addFinalizer(() => Effect.asVoid(Processes.run("umount", [disk])))
      const { good, root: source } = yield* damaged
      const root = path.join(disk, "store")
      fs.cpSync(source, root, { recursive: true })
      // A small file may find room before a large one does not: it gets the owner of its neighbours, as before.
      spawnSync("chown", ["-R", "34:34", root])
      // Fills what is left but for a few pages.
      const { bavail, bsize } = fs.statfsSync(disk)
      fs.writeFileSync(path.join(disk, "full"), new Uint8Array((bavail - 12) * bsize))
      const before = FolderState.read(root)
      const { code, stderr } = yield* run(["heal", root, "--from", plain])
      assert.strictEqual(code, ExitCode.TARGET, stderr)
      assert.include(stderr, "the disk is full")
      assert.include(stderr, "PXF-HEAL-WRITE")
      const after = FolderState.read(root)
      for (const [name, state] of after) assert.include([before.get(name), good.get(name)], state, name)
      for (const name of before.keys()) assert.isTrue(after.has(name), name)
      fs.rmSync(path.join(disk, "full"))
      assert.strictEqual((yield* run(["heal", root, "--from", plain])).code, ExitCode.SUCCESS)
    }),
  )
})
