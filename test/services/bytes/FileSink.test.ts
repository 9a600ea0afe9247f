import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import * as FileSink from "../../../src/services/bytes/FileSink.ts"
import * as Processes from "../../support/Processes.ts"

const make = Effect.fnUntraced(function* () {
  const folder = yield* Processes.temporaryFolder
  const path = `${folder}/file`
  const fd = fs.openSync(path, "wx")
  return { path, fd, sink: yield* FileSink.fromDescriptor(path, fd) }
})

describe("a file sink", () => {
  it.effect("appends what it is given", () =>
    Effect.gen(function* () {
      const { path, sink } = yield* make()
      for (const text of ["one ", "", "two ", "three"]) yield* sink.write(Buffer.from(text))
      assert.strictEqual(sink.position(), 13)
      yield* sink.close
      assert.strictEqual(fs.readFileSync(path, "utf8"), "one two three")
    }),
  )

  it.effect("takes nothing more when it is closed", () =>
    Effect.gen(function* () {
      const { sink } = yield* make()
      yield* sink.write(Buffer.alloc(10))
      yield* sink.close
      yield* sink.close
      const error = yield* Effect.flip(sink.write(Buffer.alloc(10)))
      assert.deepStrictEqual([error.code, error.offset], ["EBADF", 10])
    }),
  )

  it.effect("fails with the errno and the position when the disk is full", () =>
    Effect.gen(function* () {
      const sink = yield* FileSink.fromDescriptor("/dev/full", fs.openSync("/dev/full", "w"))
      const error = yield* Effect.flip(sink.write(Buffer.alloc(10)))
      assert.deepStrictEqual([error.code, error.offset, error.sink], ["ENOSPC", 0, "/dev/full"])
    }),
  )

  it.effect("is closed by its scope, also while a write is under way", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const fd = fs.openSync(`${folder}/file`, "wx")
      const scope = yield* Scope.make()
      const sink = yield* Scope.provide(FileSink.fromDescriptor("file", fd), scope)
      const writing = yield* Effect.forkChild(sink.write(Buffer.alloc(20_000_000)), { startImmediately: true })
      yield* Fiber.interrupt(writing)
      yield* Scope.close(scope, Exit.void)
      const { ino } = fs.statSync(`${folder}/file`)
      // Another file may have been opened under the same number meanwhile.
      const isOpen = () => fs.statSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false })?.ino === ino
      while (isOpen()) yield* Effect.yieldNow
      assert.strictEqual(fs.statSync(`${folder}/file`).size, 20_000_000)
    }),
  )
})
