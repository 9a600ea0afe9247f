/**
 * A conversation with the kernel: exactly one reply to each request that wants one. What is answered at once is answered in
 * the fiber that serves, most of it on the lean path (`bridge/Lean.ts`); a request that waits has a supervised fiber of its own.
 *
 * Errors of an operation are answered; a defect is answered with EIO and logged; an interrupted request is answered
 * with EINTR. References count when the reply that names the node was delivered, and only then. A lost device and an
 * overforget end the session with that error. When it ends, for whatever reason, every request fiber has ended too.
 *
 * It knows messages and fibers; what is answered is in `Answers`, what the operations do is the bridge's. Requests run in
 * the context of `serve`: its log annotations, spans and loggers are theirs.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Errno from "../../domain/Errno.ts"
import type * as LookupRegistry from "../../services/LookupRegistry.ts"
import * as AtOnce from "../../services/AtOnce.ts"
import * as Bridge from "../bridge/Bridge.ts"
import type * as Lean from "../bridge/Lean.ts"
import * as Answers from "./Answers.ts"
import * as Counters from "./Counters.ts"
import { type Delivery, DeviceLost, FuseDevice } from "./FuseDevice.ts"
import type * as Init from "../wire/Init.ts"
import * as Observer from "./Observer.ts"
import * as Operation from "../wire/Operation.ts"
import type * as PageStore from "./PageStore.ts"
import * as Reply from "../wire/Reply.ts"
import * as ReplyMemory from "../wire/ReplyMemory.ts"
import * as Request from "../wire/Request.ts"
import type { Stores } from "../wire/Stores.ts"

/** What ends a session other than unmounting. */
export type SessionError = DeviceLost | LookupRegistry.Overforget

/** One session. */
export interface Session {
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
  /**
   * Where contents go that will be read next; unless given nothing is read ahead. While somebody observes nothing is either.
   *
   * @internal
   */
  readonly pages?: PageStore.PageStore | undefined
}

/** The session of a program that serves a device, as a service. */
export const Session: Context.Service<Session, Session> = Context.Service("pxar-fuse/fuse/Session")

/** A session over `FuseDevice` and `Bridge`. It serves nobody before `serve` is run. */
export const layer = (options: Options): Layer.Layer<Session, never, FuseDevice | Bridge.Bridge> =>
  Layer.effect(
    Session,
    Effect.gen(function* () {
      return yield* make(yield* FuseDevice, yield* Bridge.Bridge, options)
    }),
  )

/** Starts a request. */
type Fork = (handled: Effect.Effect<void, SessionError>) => Fiber.Fiber<void, SessionError>

/** Of operations that name no nodes. */
const noLease: LookupRegistry.Lease = {
  add: ({ id }) => id,
  leak: () => {},
  isEmpty: () => true,
  takeBack: Effect.void,
}

/** Interrupts remembered whose request has not come yet. */
const MAX_EARLY_INTERRUPTS = 64

/** Makes a session; closing the scope interrupts all requests and waits for them. */
export const make = Effect.fnUntraced(function* (
  device: FuseDevice,
  bridge: Bridge.Bridge,
  options: Options,
): Effect.fn.Return<Session, never, Scope.Scope> {
  const inFlight = yield* FiberMap.make<number, void, SessionError>()
  const counters = new Counters.CounterSet()
  const observers = yield* Observer.make(bridge.pathOf, options.observer)
  const memory = ReplyMemory.make()
  const answers = Answers.make(bridge, memory, options)
  let lean = bridge.lean?.(bridge)
  let { pages } = options
  const earlyInterrupts = new Set<number>()
  const ready = yield* Deferred.make<void>()

  /** `errno` is the message's: undefined for success. */
  const send = (
    unique: number,
    message: Uint8Array,
    errno: Errno.Errno | undefined,
  ): Effect.Effect<Delivery, DeviceLost> =>
    AtOnce.flatMap(device.reply(message), (delivery) => {
      if (errno !== undefined) counters.reply(errno.code)
      if (observers.isActive()) observers.replied(unique, message, delivery)
      if (delivery === "delivered") counters.delivered++
      else if (delivery === "abandoned") counters.abandoned++
      else if (errno === undefined) {
        // The request would wait for ever.
        return Effect.andThen(
          Effect.logError(`the kernel refused the reply to request ${unique} as malformed; answering EIO`),
          Effect.as(send(unique, Reply.error(unique, Errno.EIO, memory.allocate), Errno.EIO), delivery),
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
      return AtOnce.map(send(unique, message, undefined), (delivery) => afterwards(delivery, message))
    }
    const failed = (): Effect.Effect<unknown, DeviceLost> => {
      const errno = errnoOf(outcome.cause)
      return send(unique, Reply.error(unique, errno, memory.allocate), errno)
    }
    return Effect.asVoid(
      Cause.hasDies(outcome.cause) ? Effect.flatMap(logDefect(unique, outcome.cause), failed) : failed(),
    )
  }

  /**
   * Carries out an operation whose result is a message, and sends that or the errno: at once, in this call, as far as
   * nothing has to be waited for. The rest, if there is any, is the fiber's of the request; an operation that waits can be
   * interrupted. Between the reply and what follows from it no other fiber runs: the kernel may at once return what it was
   * given.
   */
  const answer = (
    unique: number,
    operation: () => Effect.Effect<Uint8Array, Errno.Errno>,
    afterwards: (delivery: Delivery, message: Uint8Array) => void = doNothing,
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

  /** The same for operations that name nodes: the references count when the reply has been delivered. */
  const answerWithNodes = (request: Request.Request): Effect.Effect<void, DeviceLost> => {
    const lease = bridge.leaseUnsafe()
    const sent = answer(
      request.header.unique,
      () => answers.of(request, lease),
      (delivery, message) => {
        if (delivery === "delivered") lease.leak()
        memory.giveBack(message)
      },
    )
    if (AtOnce.hasEnded(sent) && lease.isEmpty()) return sent
    // An acquireUseRelease whose use has begun: nothing comes between the lease and the promise to take it back.
    return Effect.uninterruptibleMask((restore) => Effect.ensuring(restore(sent), lease.takeBack))
  }

  const handle = (request: Request.Request): Effect.Effect<void, SessionError> => {
    const { body, header, operation } = request
    switch (body._tag) {
      case "Forget":
        return Effect.forEach(body.forgets, ({ count, nodeId }) => bridge.forget(nodeId, count), { discard: true })
      case "Interrupt":
        return Effect.sync(() => interrupt(body.unique))
      case "Init":
        return answer(
          header.unique,
          () => answers.of(request, noLease),
          (delivery) => {
            if (delivery === "delivered" && answers.isAgreed()) Deferred.doneUnsafe(ready, Effect.void)
          },
        )
      default:
        if (operation?.answered === false) return Effect.void
        return operation?.namesNodes === true
          ? answerWithNodes(request)
          : answer(
              header.unique,
              () => answers.of(request, noLease),
              (_, message) => memory.giveBack(message),
            )
    }
  }

  const interrupt = (unique: number): void => {
    const request = FiberMap.getUnsafe(inFlight, unique)
    if (Option.isSome(request)) return request.value.interruptUnsafe()
    // Answered already, or not yet come.
    if (earlyInterrupts.size >= MAX_EARLY_INTERRUPTS) earlyInterrupts.clear()
    earlyInterrupts.add(unique)
  }

  /** Sends what the lean path answers. False if that has to be answered anew: a device that does not write at once has not. */
  const isSent = (path: Lean.Lean, message: Uint8Array, reply: Uint8Array): boolean => {
    const written = device.reply(reply)
    if (!AtOnce.hasEnded(written) || !Exit.isSuccess(written) || written.value === "refused") return false
    counters.request(Request.opcodeOf(message))
    counters.reply(path.errno())
    if (written.value === "delivered") {
      counters.delivered++
      path.delivered()
    } else counters.abandoned++
    return true
  }

  /** On the lean path, in the fiber that serves, or else on the general one. */
  const start = (fork: Fork, message: Uint8Array): Effect.Effect<void, SessionError> => {
    if (lean === undefined || observers.isActive() || earlyInterrupts.size > 0) return startGeneral(fork, message)
    let reply: Uint8Array | undefined
    let stores: Stores | undefined
    try {
      reply = lean.answer(message)
      if (reply !== undefined && pages?.isFree() === true) stores = lean.next()
    } catch (defect) {
      lean = undefined
      const logged = Effect.logError("the lean path failed because of a bug in this program; done without it", defect)
      return Effect.andThen(logged, startGeneral(fork, message))
    }
    if (reply !== undefined && stores !== undefined && pages !== undefined) {
      sendStored(fork, message, reply, pages.store(stores))
      return Effect.void
    }
    return reply !== undefined && isSent(lean, message, reply) ? Effect.void : startGeneral(fork, message)
  }

  /**
   * Sends what the lean path answers to a READ when what its reader will read next has been stored: it then finds that, and
   * does not ask for it at the same time. Whoever else asks is answered meanwhile.
   */
  const sendStored = (
    fork: Fork,
    message: Uint8Array,
    reply: Uint8Array,
    store: Effect.Effect<unknown, PageStore.CannotStore>,
  ): void => {
    const unique = Request.uniqueOf(message)
    counters.request(Request.opcodeOf(message))
    const kept = memory.take(unique, reply.length - Reply.bodyOffset)
    kept.set(reply)
    const stored = Effect.catch(store, (error) => {
      pages = undefined
      return Effect.logDebug(error.message)
    })
    const fiber = fork(
      answer(
        unique,
        () => Effect.as(stored, kept),
        (_, sent) => memory.giveBack(sent),
      ),
    )
    if (fiber.pollUnsafe()?._tag !== "Success") FiberMap.setUnsafe(inFlight, unique, fiber)
  }

  const startGeneral = (fork: Fork, message: Uint8Array): Effect.Effect<void, SessionError> => {
    const decoded = Request.decode(message)
    if (Result.isFailure(decoded)) return refuse(decoded.failure)
    const request = decoded.success
    const { header } = request
    counters.request(header.opcode)
    if (!Operation.isAnswered(header.opcode)) return observed(request, () => handle(request))
    if (earlyInterrupts.delete(header.unique)) {
      return observed(request, () => answer(header.unique, () => Effect.fail(Errno.EINTR)))
    }
    const handled = observed(request, () => handle(request))
    // What has already ended well needs no fiber, and nobody to look after it.
    if (AtOnce.hasEnded(handled) && Exit.isSuccess(handled)) return Effect.void
    const fiber = fork(handled)
    if (fiber.pollUnsafe()?._tag !== "Success") FiberMap.setUnsafe(inFlight, header.unique, fiber)
    return Effect.void
  }

  /** Handles a request: at once, as far as it can, where nobody is told of it. */
  const observed = <E>(request: Observer.Observed, handled: () => Effect.Effect<void, E>): Effect.Effect<void, E> =>
    observers.isActive() ? observers.around(request, Effect.suspend(handled)) : handled()

  const refuse = ({ detail, header }: Request.BadMessage): Effect.Effect<void, SessionError> => {
    if (header === undefined) {
      return Effect.fail(new DeviceLost({ operation: "read", errno: 0, detail: `${detail} from the kernel` }))
    }
    const { opcode, unique } = header
    const logged = Effect.logError(`cannot understand request ${unique} (opcode ${opcode}): ${detail}`)
    const refused = () => (Operation.isAnswered(opcode) ? answer(unique, () => Effect.fail(Errno.EIO)) : Effect.void)
    return Effect.andThen(
      logged,
      Effect.suspend(() => observed({ header }, refused)),
    )
  }

  /** In the context of whoever serves. */
  const loop = Effect.flatMap(Effect.context<never>(), (context) => {
    const fork: Fork = Effect.runForkWith(context)
    return Effect.forever(
      Effect.flatMap(device.receive, (message) => start(fork, message)),
      { disableYield: true },
    )
  }).pipe(Effect.catchIf(Cause.isDone, () => Effect.void))

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
