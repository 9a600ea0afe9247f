/**
 * A conversation with the kernel: one supervised fiber a request, exactly one reply to each that wants one.
 *
 * Errors of an operation are answered; a defect is answered with EIO and logged; an interrupted request is answered
 * with EINTR. References count when the reply that names the node was delivered, and only then. A lost device and an
 * overforget end the session with that error. When it ends, for whatever reason, every request fiber has ended too.
 *
 * It knows messages and fibers; what the operations do is the bridge's.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Errno from "../../domain/Errno.ts"
import type * as NodeId from "../../domain/pxar/NodeId.ts"
import type * as LookupRegistry from "../../services/LookupRegistry.ts"
import { FOPEN_CACHE_DIR, FOPEN_KEEP_CACHE } from "../wire/Abi.ts"
import * as AtOnce from "../../services/AtOnce.ts"
import * as Bridge from "../bridge/Bridge.ts"
import * as Counters from "./Counters.ts"
import * as FileAttributes from "../wire/FileAttributes.ts"
import { type Delivery, DeviceLost, FuseDevice, type Shape as Device } from "./FuseDevice.ts"
import * as Init from "../wire/Init.ts"
import * as Observer from "./Observer.ts"
import * as Operation from "../wire/Operation.ts"
import * as Reply from "../wire/Reply.ts"
import * as ReplyPool from "../wire/ReplyPool.ts"
import * as Request from "../wire/Request.ts"

/** What ends a session other than unmounting. */
export type SessionError = DeviceLost | LookupRegistry.Overforget

/** One session. */
export interface Shape {
  /** Serves until the file system is unmounted; fails when that is no longer possible. Run it once. */
  readonly serve: Effect.Effect<void, SessionError>
  /** Ends when the kernel has agreed to INIT, so that the file system answers. */
  readonly ready: Effect.Effect<void>
  readonly counters: Effect.Effect<Counters.Counters>
  /** Requests under way. */
  readonly inFlight: Effect.Effect<number>
  /**
   * The requests from now on until the session ends, each when it is over. A reader that is too slow loses the oldest:
   * `Observer.BUFFERED_EVENTS` are kept for it.
   */
  readonly events: Stream.Stream<Observer.RequestEvent>
}

/** How a session differs from the usual. */
export interface Options extends Init.Options {
  /** Told of every request, the first included. */
  readonly observer?: Observer.Observer | undefined
}

/** The session of a program that serves a device. */
export class Session extends Context.Service<Session, Shape>()("pxar-fuse/fuse/Session") {
  /** A session over `FuseDevice` and `Bridge`. It serves nobody before `serve` is run. */
  static readonly layer = (options: Options): Layer.Layer<Session, never, FuseDevice | Bridge.Bridge> =>
    Layer.effect(
      Session,
      Effect.gen(function* () {
        return yield* make(yield* FuseDevice, yield* Bridge.Bridge, options)
      }),
    )
}

/** Interrupts remembered whose request has not come yet. */
const MAX_EARLY_INTERRUPTS = 64

/** Makes a session; closing the scope interrupts all requests and waits for them. */
export const make = Effect.fnUntraced(function* (
  device: Device,
  bridge: Bridge.Shape,
  options: Options,
): Effect.fn.Return<Shape, never, Scope.Scope> {
  const inFlight = yield* FiberMap.make<number, void, SessionError>()
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const counters = new Counters.CounterSet()
  const observers = yield* Observer.make(bridge.pathOf, options.observer)
  const pool = ReplyPool.make()
  const earlyInterrupts = new Set<number>()
  const ready = yield* Deferred.make<void>()
  let agreement: Init.Agreement | undefined

  const send = (unique: number, message: Uint8Array, failed: boolean): Effect.Effect<Delivery, DeviceLost> =>
    AtOnce.flatMap(device.reply(message), (delivery) => {
      if (failed) counters.errors++
      if (observers.isActive()) observers.replied(unique, message, delivery)
      if (delivery === "delivered") counters.delivered++
      else if (delivery === "abandoned") counters.abandoned++
      else if (!failed) {
        // The request would wait for ever.
        return Effect.andThen(
          Effect.logError(`the kernel refused the reply to request ${unique} as malformed; answering EIO`),
          Effect.as(send(unique, Reply.error(unique, Errno.EIO), true), delivery),
        )
      }
      return Effect.succeed(delivery)
    })

  /** Sends the outcome of an operation, a message or an errno. */
  const sendOutcome = (
    unique: number,
    outcome: Exit.Exit<Uint8Array, Errno.Errno>,
    afterwards: (delivery: Delivery, message: Uint8Array) => void,
  ): Effect.Effect<void, DeviceLost> => {
    if (Exit.isSuccess(outcome)) {
      const message = outcome.value
      return AtOnce.map(send(unique, message, false), (delivery) => afterwards(delivery, message))
    }
    const failed = (): Effect.Effect<unknown, DeviceLost> =>
      send(unique, Reply.error(unique, errnoOf(outcome.cause)), true)
    return Effect.asVoid(
      Cause.hasDies(outcome.cause) ? Effect.flatMap(logDefect(unique, outcome.cause), failed) : failed(),
    )
  }

  /**
   * Carries out an operation whose result is a message, and sends that or the errno. An operation that waits can be
   * interrupted; what is done at once is sent in the same turn of the fiber, which must be the request's. Between the reply
   * and what follows from it no other fiber runs: the kernel may at once return what it was given.
   */
  const answerNow = (
    unique: number,
    operation: () => Effect.Effect<Uint8Array, Errno.Errno>,
    afterwards: (delivery: Delivery, message: Uint8Array) => void,
  ): Effect.Effect<void, DeviceLost> => {
    const begun = AtOnce.call(operation)
    if (!AtOnce.hasEnded(begun)) {
      return Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(Effect.exit(restore(begun)), (outcome) =>
          withoutYield(sendOutcome(unique, outcome, afterwards)),
        ),
      )
    }
    const sent = sendOutcome(unique, begun, afterwards)
    return AtOnce.hasEnded(sent) ? sent : Effect.uninterruptible(withoutYield(sent))
  }

  const answer = (
    unique: number,
    operation: () => Effect.Effect<Uint8Array, Errno.Errno>,
    afterwards: (delivery: Delivery, message: Uint8Array) => void = doNothing,
  ): Effect.Effect<void, DeviceLost> => Effect.suspend(() => answerNow(unique, operation, afterwards))

  /** The same for operations that name nodes: the references count when the reply has been delivered. */
  const answerWithNodes = (
    unique: number,
    operation: (lease: LookupRegistry.Lease) => Effect.Effect<Uint8Array, Errno.Errno>,
  ): Effect.Effect<void, DeviceLost> =>
    Effect.suspend(() => {
      const lease = bridge.leaseUnsafe()
      const sent = answerNow(
        unique,
        () => operation(lease),
        (delivery, message) => {
          if (delivery === "delivered") lease.leak()
          pool.giveBack(message)
        },
      )
      return AtOnce.hasEnded(sent) && lease.isEmpty() ? sent : Effect.ensuring(sent, lease.takeBack)
    })

  const readdirplus = (id: NodeId.NodeId, unique: number, offset: number, size: number) =>
    answerWithNodes(unique, (lease) => {
      const listing = new Reply.Listing(pool.take(unique, size))
      const listed = bridge.readdir(id, offset, ({ child, id, mode, name, next }) => {
        const fits = listing.addPlus(name, id, mode, child?.stat, next)
        if (fits && child !== undefined) lease.add(child.node)
        return fits
      })
      return AtOnce.map(listed, () => listing.finish())
    })

  const readdir = (id: NodeId.NodeId, unique: number, offset: number, size: number) => {
    const listing = new Reply.Listing(pool.take(unique, size))
    const listed = bridge.readdir(id, offset, ({ id, mode, name, next }) => listing.add(name, id, mode, next))
    return AtOnce.map(listed, () => listing.finish())
  }

  const read = (id: NodeId.NodeId, unique: number, offset: number, size: number) => {
    let message = Reply.ok(unique)
    const reserve = (length: number): Uint8Array => {
      message = pool.take(unique, length)
      return message.subarray(Reply.bodyOffset)
    }
    return AtOnce.map(bridge.read(id, offset, size, reserve), () => message)
  }

  /** A value for a caller with room for `size` bytes; 0 asks how long it is. */
  const sized = (unique: number, size: number, value: Uint8Array): Effect.Effect<Uint8Array, Errno.Errno> => {
    if (size === 0) return Effect.succeed(Reply.xattrSize(unique, value.length))
    return value.length > size ? Effect.fail(Errno.ERANGE) : Effect.succeed(Reply.bytes(unique, value))
  }

  const init = (unique: number, offer: Init.Offer): Effect.Effect<Uint8Array, Errno.Errno> =>
    Effect.map(Effect.fromResult(Init.negotiate(offer, options)), (agreed) => {
      if (agreed !== "ask again") agreement = agreed
      return Init.reply(unique, offer, agreed, options)
    })

  /** Opening a file or folder: where the kernel can do without, it is told so (fuse-protocol §4). */
  const open = (id: NodeId.NodeId, unique: number, flags: number, withoutServer: boolean, reply: number) =>
    withoutServer ? Effect.fail(Errno.ENOSYS) : AtOnce.map(bridge.open(id, flags), () => Reply.open(unique, reply))

  const handle = ({ body, header }: Request.Request): Effect.Effect<void, SessionError> => {
    const { nodeId: id, unique } = header
    switch (body._tag) {
      case "Lookup":
        return answerWithNodes(unique, (lease) =>
          AtOnce.map(bridge.lookup(id, body.name, lease), (stat) =>
            stat === undefined ? Reply.noEntry(unique) : Reply.entry(unique, stat),
          ),
        )
      case "Readdirplus":
        return readdirplus(id, unique, body.offset, body.size)
      case "Readdir":
        return answer(
          unique,
          () => readdir(id, unique, body.offset, body.size),
          (_, message) => pool.giveBack(message),
        )
      case "Read":
        return answer(
          unique,
          () => read(id, unique, body.offset, body.size),
          (_, message) => pool.giveBack(message),
        )
      case "Getattr":
        return answer(unique, () => AtOnce.map(bridge.getattr(id), (stat) => Reply.attr(unique, stat)))
      case "Readlink":
        return answer(unique, () => AtOnce.map(bridge.readlink(id), (target) => Reply.bytes(unique, target)))
      case "Getxattr":
        return answer(unique, () =>
          AtOnce.flatMap(bridge.getxattr(id, body.name), (value) => sized(unique, body.size, value)),
        )
      case "Listxattr":
        return answer(unique, () => AtOnce.flatMap(bridge.listxattr(id), (names) => sized(unique, body.size, names)))
      case "Ioctl":
        return answer(unique, () =>
          AtOnce.flatMap(bridge.fileAttributes(id), (attributes) => {
            const value = FileAttributes.answer(body.command, body.size, attributes)
            return value === undefined ? Effect.fail(Errno.ENOTTY) : Effect.succeed(Reply.ioctl(unique, value))
          }),
        )
      case "Open":
        return answer(unique, () => open(id, unique, body.flags, agreement?.noOpen === true, FOPEN_KEEP_CACHE))
      case "Opendir":
        return answer(unique, () =>
          open(id, unique, body.flags, agreement?.noOpendir === true, FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR),
        )
      case "Statfs":
        return answer(unique, () => Effect.succeed(Reply.statfs(unique, bridge.size)))
      case "Init":
        return answer(
          unique,
          () => init(unique, body),
          (delivery) => {
            if (delivery === "delivered" && agreement !== undefined) Deferred.doneUnsafe(ready, Effect.void)
          },
        )
      case "Release":
      case "Destroy":
        return answer(unique, () => Effect.succeed(Reply.ok(unique)))
      case "Forget":
        return Effect.forEach(body.forgets, ({ count, nodeId }) => bridge.forget(nodeId, count), { discard: true })
      case "Interrupt":
        return Effect.sync(() => interrupt(body.unique))
      case "Refused":
        return Operation.isAnswered(header.opcode)
          ? answer(unique, () => Effect.fail(body.operation?.refusal ?? Errno.ENOSYS))
          : Effect.void
    }
  }

  const interrupt = (unique: number): void => {
    const request = FiberMap.getUnsafe(inFlight, unique)
    if (Option.isSome(request)) return request.value.interruptUnsafe()
    // Answered already, or not yet come.
    if (earlyInterrupts.size >= MAX_EARLY_INTERRUPTS) earlyInterrupts.clear()
    earlyInterrupts.add(unique)
  }

  const start = (message: Uint8Array): Effect.Effect<void, SessionError> => {
    const decoded = Request.decode(message)
    if (Result.isFailure(decoded)) return refuse(decoded.failure)
    const request = decoded.success
    const { header } = request
    counters.request(header.opcode)
    if (!Operation.isAnswered(header.opcode)) return observed(request, handle(request))
    if (earlyInterrupts.delete(header.unique)) {
      return observed(
        request,
        answer(header.unique, () => Effect.fail(Errno.EINTR)),
      )
    }
    const fiber = fork(observed(request, handle(request)))
    // What has already ended well needs nobody to look after it.
    if (fiber.pollUnsafe()?._tag !== "Success") FiberMap.setUnsafe(inFlight, header.unique, fiber)
    return Effect.void
  }

  const observed = <E>(request: Observer.Observed, handled: Effect.Effect<void, E>): Effect.Effect<void, E> =>
    observers.isActive() ? observers.around(request, handled) : handled

  const refuse = ({ detail, header }: Request.BadMessage): Effect.Effect<void, SessionError> => {
    if (header === undefined) {
      return Effect.fail(new DeviceLost({ operation: "read", errno: 0, detail: `${detail} from the kernel` }))
    }
    const { opcode, unique } = header
    const logged = Effect.logError(`cannot understand request ${unique} (opcode ${opcode}): ${detail}`)
    const refused = Operation.isAnswered(opcode) ? answer(unique, () => Effect.fail(Errno.EIO)) : Effect.void
    return Effect.andThen(logged, observed({ header }, refused))
  }

  const loop = Effect.forever(Effect.flatMap(device.receive, start), { disableYield: true }).pipe(
    Effect.catchIf(Cause.isDone, () => Effect.void),
  )

  return {
    serve: Effect.raceFirst(loop, FiberMap.join(inFlight)).pipe(
      Effect.ensuring(FiberMap.clear(inFlight)),
      Effect.ensuring(observers.end),
    ),
    ready: Deferred.await(ready),
    counters: Effect.sync(() => counters.snapshot()),
    inFlight: FiberMap.size(inFlight),
    events: observers.events,
  }
})

const withoutYield = <A, E>(self: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.provideService(self, Scheduler.PreventSchedulerYield, true)

const doNothing = (): void => {}

/** The errno of a failed operation: what it failed with, EINTR if it was interrupted, EIO for a defect. */
export const errnoOf = (cause: Cause.Cause<Errno.Errno>): Errno.Errno =>
  Cause.hasDies(cause)
    ? Errno.EIO
    : Cause.hasInterruptsOnly(cause)
      ? Errno.EINTR
      : Option.getOrElse(Cause.findErrorOption(cause), () => Errno.EIO)

const logDefect = (unique: number, cause: Cause.Cause<Errno.Errno>): Effect.Effect<void> =>
  Effect.logError(`request ${unique} failed because of a bug in this program; answered EIO`, cause)
