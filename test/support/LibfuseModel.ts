/**
 * A libfuse 2 for tests: it asks for operations by path, keeps files open, and knows for each answer what it must be. The
 * server under test is the real session of `fuse-native`, with the real bridge, registry and reader.
 *
 * As in `KernelModel` the archive's bytes come when the test says so. After each step `check` compares what the registry
 * holds with what open files and operations under way account for.
 */
import { assert } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import type * as Errno from "../../src/domain/Errno.ts"
import * as NodeId from "../../src/domain/pxar/NodeId.ts"
import type * as Stat from "../../src/domain/pxar/Stat.ts"
import * as Bridge from "../../src/fuse/bridge/Bridge.ts"
import type { Reply } from "../../src/fuse/native/NativeLibrary.ts"
import * as NativeSession from "../../src/fuse/native/NativeSession.ts"
import * as ArchiveReader from "../../src/services/archive/ArchiveReader.ts"
import * as LookupRegistry from "../../src/services/LookupRegistry.ts"
import type { Kernel } from "./KernelModel.ts"
import { at } from "./KernelRequests.ts"
import * as KernelTree from "./KernelTree.ts"
import * as Paths from "./LibfusePaths.ts"
import * as ManualSource from "./ManualSource.ts"
import * as Wire from "./Wire.ts"

/** A thread of libfuse that waits for its answer. */
interface Pending {
  readonly what: string
  /** The open file that it uses. */
  readonly handle: number | undefined
}

/** How a run can end. */
export const ends = ["everything is released", "an unmount in the middle", "an overforget", "a closed scope"]

export const make = Effect.fnUntraced(function* (): Effect.fn.Return<Kernel, never, Scope.Scope> {
  const story: Array<string> = []
  const tell = () => story.join("\n")
  const reads = ManualSource.make(Paths.tree.bytes, story)
  const pending = new Map<number, Pending>()
  /** By handle: the nodes on its path. */
  const open = new Map<number, ReadonlyArray<bigint>>()
  /** Memory that was given back to libfuse, and what was in it then. */
  const returned: Array<readonly [memory: Uint8Array, content: Uint8Array]> = []
  /** What was wrong with answers: a throw would end in the session. */
  const wrong: Array<unknown> = []
  const noting = (judge: () => void): void => {
    try {
      judge()
    } catch (error) {
      wrong.push(error)
    }
  }
  let ending = false
  let disagree = false
  let operations = 0

  const scope = yield* Scope.fork(yield* Effect.scope)
  const reader = yield* Effect.orDie(
    ArchiveReader.make(
      reads.source,
      { _tag: "Absent", expected: undefined },
      { blocks: { blockSize: 256, capacity: 256 } },
    ),
  )
  const registry = yield* Scope.provide(LookupRegistry.make(reader.root), scope)
  const bridge = Bridge.make(reader, registry)
  const disagreeing: Bridge.Bridge = {
    ...bridge,
    forget: (id, count) => Effect.suspend(() => bridge.forget(id, disagree ? count + 1000 : count)),
  }
  const session = yield* Scope.provide(NativeSession.make(disagreeing), scope)
  reads.hold()

  /** An operation that must be answered once: with this errno, or with a value that is right. */
  const ask = <A>(
    what: string,
    errno: number,
    isRight: (value: A) => void,
    send: (reply: Reply<A>) => void,
    handle?: number,
    memory?: Uint8Array,
  ): void => {
    const id = ++operations
    pending.set(id, { what, handle })
    story.push(`${id}: ${what}`)
    const settle = (outcome: string): void => {
      if (!pending.delete(id)) assert.fail(`a second answer to ${id} ${what}\n${tell()}`)
      story.push(`  answer to ${id} ${what}: ${outcome}`)
      if (memory !== undefined) returned.push([memory, memory.slice()])
    }
    send({
      succeed: (value) =>
        noting(() => {
          settle("success")
          if (errno !== 0) assert.fail(`${what} has to fail with ${errno}\n${tell()}`)
          isRight(value)
        }),
      fail: ({ code }: Errno.Errno) =>
        noting(() => {
          settle(`errno ${code}`)
          const excused =
            (code === Wire.Errno.EIO && (reads.failures() > 0 || ending)) || (code === Wire.Errno.EINTR && ending)
          if (!excused) assert.strictEqual(code, errno, `${what}\n${tell()}`)
        }),
    })
  }
  const equal =
    <A>(expected: A) =>
    (actual: A): void =>
      assert.deepStrictEqual(actual, expected, tell())

  const getattr = (path: string): void => {
    const found = Paths.resolve(path)
    ask(
      `getattr ${path}`,
      found.errno,
      (stat: Stat.Stat) => equal(Paths.statOf(Paths.nodeOf(found)))(stat),
      (reply) => session.operations.getattr(path, reply),
    )
  }

  const readdir = (path: string): void => {
    const found = Paths.resolve(path)
    const children = found.errno === 0 ? Paths.known(Paths.nodeOf(found)).children : undefined
    const names = [...(children ?? []).map(({ name }) => name), ".", ".."]
    const errno = found.errno === 0 && children === undefined ? Wire.Errno.ENOTDIR : found.errno
    ask(
      `readdir ${path}`,
      errno,
      (listed: ReadonlyArray<{ readonly name: string }>) => equal(names)(listed.map(({ name }) => name)),
      (reply) => session.operations.readdir(path, reply),
    )
  }

  const readlink = (path: string): void => {
    const found = Paths.resolve(path)
    const target = found.errno === 0 ? Paths.known(Paths.nodeOf(found)).target : undefined
    const errno = found.errno === 0 && target === undefined ? Wire.Errno.EINVAL : found.errno
    ask(`readlink ${path}`, errno, equal(target), (reply) => session.operations.readlink(path, reply))
  }

  /** Bytes for a caller with room for `size` of them. */
  const fill = (
    what: string,
    found: Paths.Resolved,
    value: Buffer | undefined,
    size: number,
    send: (target: Uint8Array, reply: Reply<number>) => void,
  ): void => {
    const target = new Uint8Array(size).fill(0xaa)
    const errno =
      found.errno !== 0
        ? found.errno
        : value === undefined
          ? Wire.Errno.ENODATA
          : size > 0 && value.length > size
            ? Wire.Errno.ERANGE
            : 0
    const isRight = (length: number): void => {
      assert.strictEqual(length, value?.length, tell())
      if (size > 0) assert.deepStrictEqual(Buffer.from(target.subarray(0, length)), value, tell())
    }
    ask(`${what} ${size}`, errno, isRight, (reply) => send(target, reply), undefined, target)
  }

  const attribute = (path: string, b: number, c: number): void => {
    const found = Paths.resolve(path)
    const node = found.errno === 0 ? Paths.known(Paths.nodeOf(found)) : undefined
    if (b % 2 === 0) {
      const name = at(["user.one", "user.longer", "user.none", "user.absent"], c)
      const size = at([0, 1, 299, 300, 4096], c >> 2)
      return fill(`getxattr ${path} ${name}`, found, node?.xattrs.get(name), size, (target, reply) =>
        session.operations.getxattr(path, name, target, reply),
      )
    }
    const list = node === undefined ? Buffer.alloc(0) : KernelTree.xattrList(node)
    const size = at([0, Math.max(0, list.length - 1), list.length, 4096], c)
    fill(`listxattr ${path}`, found, list, size, (target, reply) => session.operations.listxattr(path, target, reply))
  }

  const openFile = (path: string, flags: number): void => {
    const found = Paths.resolve(path)
    const errno = found.errno === 0 && flags !== 0 ? Wire.Errno.EROFS : found.errno
    ask(
      `open ${path} ${flags}`,
      errno,
      (handle: number) => {
        assert.isAbove(handle, 0)
        assert.isFalse(open.has(handle), `handle ${handle} is in use\n${tell()}`)
        open.set(handle, found.nodes)
      },
      (reply) => session.operations.open(path, flags, reply),
    )
  }

  const read = (handle: number, offset: number, size: number): void => {
    const node = Paths.known(open.get(handle)?.at(-1) ?? Paths.ROOT)
    const errno = node.children !== undefined ? Wire.Errno.EISDIR : node.content === undefined ? Wire.Errno.EBADF : 0
    const expected = node.content?.subarray(offset, offset + size) ?? Buffer.alloc(0)
    const target = new Uint8Array(size).fill(0xaa)
    const isRight = (length: number): void => {
      assert.strictEqual(length, expected.length, tell())
      assert.deepStrictEqual(Buffer.from(target.subarray(0, length)), expected, tell())
    }
    ask(
      `read ${handle} ${offset} ${size}`,
      errno,
      isRight,
      (reply) => session.operations.read(handle, offset, target, reply),
      handle,
      target,
    )
  }

  /** Files that may be released: libfuse does so when nobody uses them. */
  const idle = (): ReadonlyArray<number> => {
    const used = new Set([...pending.values()].map(({ handle }) => handle))
    return [...open.keys()].filter((handle) => !used.has(handle))
  }
  const release = (handle: number): void => {
    open.delete(handle)
    ask(`release ${handle}`, 0, equal(undefined as void), (reply) => session.operations.release(handle, reply))
  }

  const step = (kind: number, a: number, b: number, c: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const path = at(Paths.all, a)
      const handles = [...open.keys()]
      switch (kind) {
        case 0:
        case 1:
          return Effect.sync(() => getattr(path))
        case 2:
        case 3:
          return Effect.sync(() => readdir(path))
        case 4:
          return Effect.sync(() => readlink(path))
        case 5:
        case 6:
          if (handles.length === 0) return Effect.sync(() => openFile(path, 0))
          return Effect.sync(() =>
            read(at(handles, a), at([0, 1, 100, 4096, 4999, 5000, 9000], b), at([0, 1, 100, 4096, 131_072], c)),
          )
        case 7:
        case 8:
          return Effect.sync(() => attribute(path, b, c))
        case 9:
        case 10:
          return Effect.sync(() => openFile(path, c % 8 === 0 ? 1 : 0))
        case 11:
        case 12:
          return Effect.sync(() => {
            const free = idle()
            if (free.length > 0) release(at(free, a))
          })
        case 13:
          return Effect.sync(() =>
            ask("statfs", 0, equal({ size: Paths.tree.bytes.length, nameMax: 255 }), session.operations.statfs),
          )
        case 14:
          return Effect.sync(() => reads.answer(a, b % 5 === 0))
        case 15:
          return quiet(() => reads.answer(a, false))
        default:
          return Effect.sync(() => reads.answer(a, false))
      }
    })

  /** Goes on until whatever is left waits for the test. */
  const quiet = (also?: () => void): Effect.Effect<void> =>
    reads.quiet(
      () => pending.size === reads.waiting(),
      () => `${pending.size} operations, but ${reads.waiting()} reads wait:\n${tell()}`,
      also,
    )

  const complain = Effect.sync(() => {
    for (const error of wrong) throw error
  })

  const check = Effect.gen(function* () {
    yield* quiet()
    yield* complain
    assert.strictEqual(yield* session.inFlight, pending.size, `operations under way\n${tell()}`)
    const expected = new Map<bigint, number>()
    for (const nodes of open.values()) for (const node of nodes) expected.set(node, (expected.get(node) ?? 0) + 1)
    for (const [ino, { path }] of Paths.tree.nodes) {
      if (ino === Paths.ROOT) continue
      const count = yield* registry.count(Paths.statOf(ino).id)
      const least = expected.get(ino) ?? 0
      // Operations under way hold what they have walked through.
      if (count < least || (pending.size === 0 && count !== least)) {
        assert.strictEqual(count, least, `references to ${path}\n${tell()}`)
      }
    }
    if (pending.size === 0) assert.strictEqual((yield* registry.held).length, expected.size + 1, tell())
    for (const [memory, content] of returned) {
      if (Buffer.compare(memory, content) !== 0) assert.fail(`memory was written to after the answer\n${tell()}`)
    }
  })

  const ended = Effect.gen(function* () {
    assert.strictEqual(pending.size, 0, `all is answered at the end\n${tell()}`)
    assert.strictEqual(yield* session.inFlight, 0, "no operation is under way after the end")
    assert.strictEqual(reads.waiting(), 0, "no read waits after the end")
    reads.scribble()
    for (const [memory, content] of returned) {
      if (Buffer.compare(memory, content) !== 0) assert.fail(`memory was written to after the end\n${tell()}`)
    }
    yield* Scope.close(scope, Exit.void)
    assert.deepStrictEqual(yield* registry.held, [], "nothing is held after the end")
    // What libfuse asks then is answered too.
    ask(
      "getattr after the end",
      Wire.Errno.EIO,
      () => assert.fail("an answer"),
      (reply: Reply<Stat.Stat>) => session.operations.getattr("/f", reply),
    )
    assert.strictEqual(pending.size, 0)
    yield* complain
  })

  const finish = (kind: number): Effect.Effect<void> =>
    Effect.gen(function* () {
      story.push(`end: ${ends[kind]}`)
      const outcome = yield* Effect.forkIn(session.failed, scope, { startImmediately: true })
      switch (kind) {
        case 0:
          yield* quiet(() => reads.answer(0, false))
          for (const handle of open.keys()) release(handle)
          yield* check
          assert.deepStrictEqual(yield* registry.held, [NodeId.ROOT])
          break
        case 1:
          ending = true
          yield* session.settle
          break
        case 2: {
          disagree = true
          yield* quiet(() => reads.answer(0, false))
          // The root is not counted: one name further there is something to give back.
          getattr("/f")
          yield* quiet(() => reads.answer(0, false))
          yield* Effect.yieldNow
          const exit = outcome.pollUnsafe() ?? assert.fail(`the session has not failed\n${tell()}`)
          assert.isTrue(Exit.isFailure(exit) && exit.cause.reasons.some((r) => r._tag === "Fail"), tell())
          ending = true
          yield* Scope.close(scope, Exit.void)
          return yield* complain
        }
        default:
          ending = true
          yield* Scope.close(scope, Exit.void)
          return yield* ended
      }
      assert.isUndefined(outcome.pollUnsafe(), `the session has failed\n${tell()}`)
      ending = true
      yield* ended
    })

  return { nodes: () => [Paths.ROOT], step, check, finish, story }
})
