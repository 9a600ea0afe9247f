/**
 * Serving libfuse: one supervised fiber an operation, exactly one answer to each.
 *
 * As in the kernel's session: errors of an operation are answered, a defect is answered with EIO and logged, an
 * interrupted operation is answered with EINTR, an overforget ends the session. libfuse's own requests to interrupt
 * do not come through fuse-native, so operations are interrupted at the end only.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Bytes from "../../domain/Bytes.ts"
import * as Errno from "../../domain/Errno.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type * as LookupRegistry from "../../services/LookupRegistry.ts"
import { OPCODE } from "../wire/Abi.ts"
import type * as Bridge from "../bridge/Bridge.ts"
import * as Counters from "../session/Counters.ts"
import * as Observer from "../session/Observer.ts"
import type * as Request from "../wire/Request.ts"
import * as Session from "../session/Session.ts"
import type { Operations, Reply } from "./NativeLibrary.ts"
import * as PathFiles from "./PathFiles.ts"

export interface NativeSession {
  /** What libfuse calls. */
  readonly operations: Operations
  /** Ends when the file system answers. */
  readonly ready: Effect.Effect<void>
  /** Interrupts and answers all operations; those that come later are answered with EIO. */
  readonly settle: Effect.Effect<void>
  /** Fails when registry and operations disagree. */
  readonly failed: Effect.Effect<never, LookupRegistry.Overforget>
  readonly counters: Effect.Effect<Counters.Counters>
  /** Operations under way. */
  readonly inFlight: Effect.Effect<number>
  /** The operations from now on until the session ends, as of the kernel's session. */
  readonly events: Stream.Stream<Observer.RequestEvent>
}

/** `statfs` says so of names, though longer ones can be opened. */
const NAME_MAX = 255

/** Makes a session; closing the scope interrupts and answers all operations, and releases all files. */
export const make = Effect.fnUntraced(function* (
  bridge: Bridge.Bridge,
  observer?: Observer.Observer | undefined,
): Effect.fn.Return<NativeSession, never, Scope.Scope> {
  const failed = yield* Deferred.make<never, LookupRegistry.Overforget>()
  const files = yield* PathFiles.make(bridge, (id) =>
    Effect.catch(bridge.forget(id, 1), (error) => Effect.sync(() => Deferred.doneUnsafe(failed, Effect.fail(error)))),
  )
  const inFlight = yield* FiberSet.make<void>()
  const run = yield* FiberSet.runtime(inFlight)()
  const counters = new Counters.CounterSet()
  const observers = yield* Observer.make(bridge.pathOf, observer)
  let unique = 0
  const ready = yield* Deferred.make<void>()
  let closed = false
  const settle = Effect.suspend(() => {
    closed = true
    return Effect.andThen(FiberSet.clear(inFlight), observers.end)
  })
  yield* Effect.addFinalizer(() => settle)

  /** Carries out an operation and answers. `bytes` is how many a successful answer has, for observers. */
  const serve = <A>(
    asked: Asked,
    operation: Effect.Effect<A, Errno.Errno>,
    reply: Reply<A>,
    bytes: (value: A) => number = () => 0,
  ): void => {
    counters.request(OPCODE[asked.name])
    if (closed) return reply.fail(Errno.EIO)
    const id = ++unique
    const answered = (errno: number, bytes: number): void => {
      counters.delivered++
      counters.reply(errno)
      if (observers.isActive()) observers.answered(id, { errno, bytes, delivery: "delivered" })
    }
    const handled = Effect.uninterruptibleMask((restore) =>
      Effect.matchCauseEffect(restore(operation), {
        onSuccess: (value) =>
          Effect.sync(() => {
            answered(0, bytes(value))
            reply.succeed(value)
          }),
        onFailure: (cause) =>
          Effect.andThen(
            logDefect(asked.name, cause),
            Effect.sync(() => {
              const errno = Session.errnoOf(cause)
              answered(errno.code, 0)
              reply.fail(errno)
            }),
          ),
      }),
    )
    run(observers.isActive() ? observers.around(observed(asked, id), handled) : handled)
  }

  return {
    operations: {
      init: (reply) =>
        serve({ name: "INIT" }, Effect.sync(() => Deferred.doneUnsafe(ready, Effect.void)).pipe(Effect.asVoid), reply),
      statfs: (reply) => serve({ name: "STATFS" }, Effect.succeed({ size: bridge.size, nameMax: NAME_MAX }), reply),
      getattr: (path, reply) => serve({ name: "GETATTR", path }, files.getattr(path), reply),
      readdir: (path, reply) => serve({ name: "READDIR", path }, files.readdir(path), reply),
      readlink: (path, reply) => serve({ name: "READLINK", path }, files.readlink(path), reply),
      open: (path, flags, reply) => serve({ name: "OPEN", path }, files.open(path, flags), reply),
      read: (handle, offset, target, reply) =>
        serve(
          { name: "READ", path: files.pathOf(handle), body: { _tag: "Read", offset, size: target.length } },
          files.read(handle, offset, target),
          reply,
          Number,
        ),
      release: (handle, reply) => serve({ name: "RELEASE", path: files.pathOf(handle) }, files.release(handle), reply),
      getxattr: (path, name, target, reply) =>
        serve(
          { name: "GETXATTR", path, body: { _tag: "Getxattr", name: Bytes.fromText(name), size: target.length } },
          files.getxattr(path, name, target),
          reply,
          Number,
        ),
      listxattr: (path, target, reply) =>
        serve(
          { name: "LISTXATTR", path, body: { _tag: "Listxattr", size: target.length } },
          files.listxattr(path, target),
          reply,
          Number,
        ),
    },
    ready: Deferred.await(ready),
    settle,
    failed: Deferred.await(failed),
    counters: Effect.sync(() => counters.snapshot()),
    inFlight: FiberSet.size(inFlight),
    events: observers.events,
  }
})

/** An operation of libfuse. */
interface Asked {
  readonly name: keyof typeof OPCODE
  /** Absent for what concerns no file. */
  readonly path?: string | undefined
  readonly body?: Request.Body
}

/** An operation for observers. Who asks is not known: fuse-native does not tell. */
const observed = ({ body, name, path = "" }: Asked, unique: number): Observer.Observed => ({
  header: {
    opcode: OPCODE[name],
    unique,
    nodeId: path === "" ? 0 : NodeId.UNKNOWN,
    uid: 0,
    gid: 0,
    pid: 0,
  },
  path: Effect.succeed(Bytes.fromText(path)),
  ...(body && { body }),
})

const logDefect = (name: string, cause: Cause.Cause<Errno.Errno>): Effect.Effect<void> =>
  Cause.hasDies(cause)
    ? Effect.logError(`${name} failed because of a bug in this program; answered EIO`, cause)
    : Effect.void
