import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Scope } from "effect"
import koffi from "koffi"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as nodePath from "node:path"
import { ByteSource } from "../../../src/services/bytes/ByteSource.ts"
import * as FileSource from "../../../src/services/bytes/FileSource.ts"
import * as Preadv2 from "../../../src/services/posix/Preadv2.ts"
import * as Descriptors from "../../support/Descriptors.ts"
import * as Processes from "../../support/Processes.ts"
import { isRoot, NOBODY } from "../../support/Requirements.ts"

const readCached = Preadv2.make()

/** A file of its own with this content. */
const file = (content: Uint8Array) =>
  Effect.map(Processes.temporaryFolder, (path) => {
    const name = nodePath.join(path, "x.pxar")
    fs.writeFileSync(name, content)
    return name
  })

const pattern = (size: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 31) % 251))

/** Writes a file back and drops it from the page cache, where its file system has it on a disk. */
const uncache = (path: string) => {
  const DONTNEED = 4
  const fd = fs.openSync(path, "r+")
  fs.fsyncSync(fd)
  koffi.load(null).func("int posix_fadvise(int, int64_t, int64_t, int)")(fd, 0, 0, DONTNEED)
  fs.closeSync(fd)
}

/** Ends when `condition` holds, after as many turns of the event loop as that takes. */
const eventually = (condition: () => boolean): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const turn = (): void => void (condition() ? resume(Effect.void) : setImmediate(turn))
    turn()
  })

describe("FileSource", () => {
  it.effect("has the path for a name, and the file's size", () =>
    Effect.gen(function* () {
      const path = yield* file(pattern(12_345))
      const source = yield* FileSource.open(path)
      assert.deepStrictEqual([source.name, source.size], [path, 12_345])
    }),
  )

  it.effect("opens an empty file", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* FileSource.open(yield* file(Buffer.alloc(0)))).size, 0)
    }),
  )

  it.live.each([
    ["all of it", 0, 300_000],
    ["its first byte", 0, 1],
    ["its last byte", 299_999, 1],
    ["a part across pages", 4000, 70_001],
    ["nothing at its start", 0, 0],
    ["nothing at its end", 300_000, 0],
  ] as const)("reads %s, cached and uncached", ([, offset, length]) =>
    Effect.gen(function* () {
      const content = pattern(300_000)
      const path = yield* file(content)
      const source = yield* FileSource.open(path)
      for (const prepare of [() => {}, () => uncache(path)]) {
        prepare()
        const target = Buffer.alloc(length)
        yield* source.read(target, offset)
        assert.strictEqual(Buffer.compare(target, content.subarray(offset, offset + length)), 0)
      }
    }),
  )

  it.live("reads what is long on a thread, also where the page cache has it", () =>
    Effect.gen(function* () {
      const content = pattern(1024 * 1024 + 2)
      const source = yield* FileSource.open(yield* file(content))
      const buffer = new Uint8Array(content.length - 1)
      const reading = source.read(buffer, 1)
      assert.isFalse(Exit.isExit(reading))
      yield* reading
      assert.isTrue(content.subarray(1).equals(buffer))
    }),
  )

  it.live("fills the part of a buffer that it is given, and nothing around it", () =>
    Effect.gen(function* () {
      const source = yield* FileSource.open(yield* file(Buffer.from("abcdef")))
      const whole = Buffer.from("..........")
      yield* source.read(whole.subarray(3, 6), 1)
      assert.strictEqual(whole.toString(), "...bcd....")
    }),
  )

  it.live("reads many places at once", () =>
    Effect.gen(function* () {
      const content = pattern(1_000_000)
      const path = yield* file(content)
      const source = yield* FileSource.open(path)
      uncache(path)
      const offsets = Array.from({ length: 50 }, (_, index) => index * 19_000)
      yield* Effect.forEach(
        offsets,
        (offset) => {
          const target = Buffer.alloc(20_000)
          return Effect.map(source.read(target, offset), () => {
            assert.strictEqual(Buffer.compare(target, content.subarray(offset, offset + 20_000)), 0)
          })
        },
        { concurrency: "unbounded" },
      )
    }),
  )

  it.live("fails when the file has become shorter, and says where it ends (H6)", () =>
    Effect.gen(function* () {
      const path = yield* file(pattern(10_000))
      const source = yield* FileSource.open(path)
      fs.truncateSync(path, 6000)
      const error = yield* Effect.flip(source.read(new Uint8Array(3000), 4000))
      assert.deepStrictEqual([error._tag, error.source, error.offset], ["SourceError", path, 6000])
      assert.include(error.message, "ends early")
    }),
  )

  it.live("still reads what is left of a file that has become shorter", () =>
    Effect.gen(function* () {
      const content = pattern(10_000)
      const path = yield* file(content)
      const source = yield* FileSource.open(path)
      fs.truncateSync(path, 6000)
      const target = Buffer.alloc(6000)
      yield* source.read(target, 0)
      assert.strictEqual(Buffer.compare(target, content.subarray(0, 6000)), 0)
    }),
  )

  it.effect("is served by its layer", () =>
    Effect.gen(function* () {
      const path = yield* file(Buffer.from("abc"))
      const source = yield* Effect.provide(ByteSource, FileSource.layer(path))
      assert.deepStrictEqual([source.name, source.size], [path, 3])
    }),
  )
})

describe("FileSource.open", () => {
  const refused = (path: string, code: string) =>
    Effect.gen(function* () {
      const before = Descriptors.on(path)
      const error = yield* Effect.flip(FileSource.open(path))
      assert.deepStrictEqual([error._tag, error.path, error.code], ["OpenError", path, code])
      assert.isTrue(error.message.startsWith(`${path}: `), error.message)
      assert.strictEqual(Descriptors.on(path), before)
      return error
    })

  it.effect("fails with ENOENT for a file that is not there", () =>
    Effect.gen(function* () {
      const error = yield* refused(nodePath.join(yield* Processes.temporaryFolder, "none"), "ENOENT")
      assert.include(error.message, "no such file")
    }),
  )

  it.effect("fails with ENOTDIR below a file", () =>
    Effect.gen(function* () {
      yield* refused(nodePath.join(yield* file(Buffer.alloc(1)), "x"), "ENOTDIR")
    }),
  )

  it.effect("fails with EISDIR for a folder", () =>
    Effect.gen(function* () {
      yield* refused(yield* Processes.temporaryFolder, "EISDIR")
    }),
  )

  it.effect("fails with EINVAL for a character device", () => refused("/dev/null", "EINVAL"))

  it.effect("fails with EINVAL for a FIFO, without waiting for a writer", () =>
    Effect.gen(function* () {
      const path = nodePath.join(yield* Processes.temporaryFolder, "fifo")
      execFileSync("mkfifo", [path])
      yield* refused(path, "EINVAL")
    }),
  )

  it.live("fails for a socket", () =>
    Effect.gen(function* () {
      const path = nodePath.join(yield* Processes.temporaryFolder, "socket")
      yield* Effect.acquireRelease(
        Effect.callback<net.Server>((resume) => {
          const server = net.createServer().listen(path, () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => void server.close()),
      )
      yield* refused(path, "ENXIO")
    }),
  )

  it.effect("fails with EACCES for a file that may not be read", () =>
    Effect.gen(function* () {
      const path = yield* file(Buffer.alloc(1))
      fs.chmodSync(path, 0)
      const attempt = refused(path, "EACCES")
      // Root may read everything, so it becomes somebody else for the attempt.
      const error = yield* isRoot
        ? Effect.acquireUseRelease(
            Effect.sync(() => process.seteuid!(NOBODY)),
            () => attempt,
            () => Effect.sync(() => process.seteuid!(0)),
          )
        : attempt
      assert.include(error.message, "permission denied")
    }),
  )
})

describe("FileSource's descriptor", () => {
  it.live("is closed when the scope is", () =>
    Effect.gen(function* () {
      const path = yield* file(pattern(10))
      const scope = yield* Scope.make()
      yield* Scope.provide(FileSource.open(path), scope)
      assert.strictEqual(Descriptors.on(path), 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(Descriptors.on(path), 0)
    }),
  )

  it.live("is closed when its layer is", () =>
    Effect.gen(function* () {
      const path = yield* file(pattern(10))
      const scope = yield* Scope.make()
      yield* Scope.provide(Layer.build(FileSource.layer(path)), scope)
      assert.strictEqual(Descriptors.on(path), 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(Descriptors.on(path), 0)
    }),
  )

  it.live("outlives a read in flight that is interrupted, and is closed when that has come back", () =>
    Effect.gen(function* () {
      const path = yield* file(pattern(8192))
      const scope = yield* Scope.make()
      const source = yield* Scope.provide(FileSource.open(path), scope)
      // What is beyond the end is in no cache: the read goes to a thread.
      fs.truncateSync(path, 4096)
      const fiber = yield* Effect.forkChild(source.read(new Uint8Array(8192), 0), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(Descriptors.on(path), 1)
      yield* eventually(() => Descriptors.on(path) === 0)
    }),
  )

  it.live("is closed after several reads in flight have come back", () =>
    Effect.gen(function* () {
      const path = yield* file(pattern(8192))
      const scope = yield* Scope.make()
      const source = yield* Scope.provide(FileSource.open(path), scope)
      fs.truncateSync(path, 4096)
      const reads = [0, 1000, 2000, 3000].map((offset) => source.read(new Uint8Array(5000), offset))
      const fiber = yield* Effect.forkChild(Effect.all(reads, { concurrency: "unbounded" }), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      yield* Scope.close(scope, Exit.void)
      yield* eventually(() => Descriptors.on(path) === 0)
    }),
  )
})

describe("readCached", () => {
  const cached = (size: number, offset: number, length: number) =>
    Effect.gen(function* () {
      const content = pattern(size)
      const path = yield* file(content)
      const fd = yield* Effect.acquireRelease(
        Effect.sync(() => fs.openSync(path, "r")),
        (fd) => Effect.sync(() => fs.closeSync(fd)),
      )
      const target = Buffer.alloc(length)
      const count = readCached(fd, target, offset)
      if (count > 0) {
        assert.strictEqual(Buffer.compare(target.subarray(0, count), content.subarray(offset, offset + count)), 0)
      }
      return count
    })

  // A file system that cannot tell what is cached answers -1 to everything, which is fine too.
  it.effect("reads a file that was just written, or cannot tell", () =>
    Effect.gen(function* () {
      assert.include([-1, 5000], yield* cached(10_000, 100, 5000))
    }),
  )

  it.effect("reads no further than the end", () =>
    Effect.gen(function* () {
      assert.include([-1, 100], yield* cached(10_000, 9900, 5000))
    }),
  )

  it.effect("reads nothing beyond the end", () =>
    Effect.gen(function* () {
      assert.include([-1, 0], yield* cached(10_000, 10_000, 10))
    }),
  )

  it("answers EBADF for a descriptor that is not open", () => {
    assert.strictEqual(readCached(1_000_000, Buffer.alloc(10), 0), -9)
  })
})

describe("a file of a file system in memory", () => {
  it.effect("is read at once", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => fs.mkdtempSync("/dev/shm/pxar-fuse-")),
        (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true })),
      )
      const content = pattern(10_000)
      fs.writeFileSync(`${folder}/file`, content)
      const source = yield* FileSource.open(`${folder}/file`)
      const target = new Uint8Array(5000)
      assert.isTrue(Exit.isExit(source.read(target, 100)))
      assert.strictEqual(Buffer.compare(target, content.subarray(100, 5100)), 0)
    }),
  )
})
