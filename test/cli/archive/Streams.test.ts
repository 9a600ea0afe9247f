/** Archives that come through pipes, and such as stop in their midst. */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Golden from "../../support/Golden.ts"
import { expectRun, writeArchive } from "../reading.ts"

/** A FIFO beside a copy of `bytes`, which somebody writes into it. */
const piped = (bytes: Buffer) =>
  Effect.flatMap(writeArchive({ bytes }), (archive) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => {
          const fifo = `${archive}.fifo`
          childProcess.execFileSync("mkfifo", [fifo])
          return { fifo, writer: childProcess.spawn("sh", ["-c", 'exec cat "$0" >"$1"', archive, fifo]) }
        }),
        ({ writer }) => Effect.sync(() => void writer.kill()),
      ),
      ({ fifo }) => fifo,
    ),
  )

const { bytes } = Golden.load(Golden.treeV1)

describe("an archive that comes through a pipe", () => {
  it.live("is listed as the file is", () =>
    Effect.gen(function* () {
      const whole = yield* expectRun(["list", "-l", Golden.treeV1.archive], 0)
      assert.strictEqual(yield* expectRun(["list", "-l", yield* piped(bytes)], 0), whole)
    }),
  )

  it.live("is extracted as the file is", () =>
    Effect.gen(function* () {
      const fifo = yield* piped(Golden.load(Golden.hardlinkV1).bytes)
      const target = path.join(path.dirname(fifo), "out")
      yield* expectRun(["extract", fifo, "-C", target, "--no-owner"], 0)
      const { ino, nlink } = fs.statSync(path.join(target, "a"))
      assert.strictEqual(nlink, 2)
      assert.strictEqual(fs.statSync(path.join(target, "d/b")).ino, ino)
    }),
  )

  it.live("is verified, its contents too", () =>
    Effect.gen(function* () {
      const output = yield* expectRun(["verify", "--data", yield* piped(bytes)], 0)
      assert.match(output, /^consistent: 626 entries, 3553203 bytes of contents read/)
    }),
  )

  it.live("is counted", () =>
    Effect.gen(function* () {
      assert.match(yield* expectRun(["info", yield* piped(bytes)], 0), /^entries +626$/m)
    }),
  )

  it.live("and ends too early is incomplete, and its end is named", () =>
    Effect.gen(function* () {
      const cut = bytes.subarray(0, 300_000)
      const listed = yield* expectRun(["list", yield* piped(cut)], ExitCode.INCOMPLETE, ["byte 300000"])
      assert.isAbove(listed.split("\n").length, 500)
      const fifo = yield* piped(cut)
      const target = path.join(path.dirname(fifo), "out")
      yield* expectRun(["extract", fifo, "-C", target, "--no-owner"], ExitCode.INCOMPLETE, ["cannot be read"])
      assert.isTrue(fs.existsSync(path.join(target, "hard")))
    }),
  )

  it.live("cannot be used where it takes more than one way through it", () =>
    Effect.gen(function* () {
      yield* expectRun(["cat", yield* piped(bytes), "x"], ExitCode.NO_ARCHIVE, ["is not a regular file"])
    }),
  )
})

describe("an archive file whose end is missing", () => {
  const cut = bytes.subarray(0, 300_000)

  it.live("is listed, counted and extracted as far as it goes, and that is said once", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive({ bytes: cut })
      const said = ["the index at the end is missing; read from the front, up to byte 300000", ", in /sizes/"]
      const listed = yield* expectRun(["list", archive], ExitCode.INCOMPLETE, said)
      assert.isAbove(listed.split("\n").length, 500)
      yield* expectRun(["info", archive], ExitCode.INCOMPLETE, said)
      const target = path.join(path.dirname(archive), "out")
      yield* expectRun(["extract", archive, "-C", target, "--no-owner"], ExitCode.INCOMPLETE, said)
      assert.isTrue(fs.existsSync(path.join(target, "hard")))
    }),
  )
})
