/** What the tests of `src/fuse` share: sources that can be stopped, a recorded log, a session over a memory device. */
import { Deferred, Effect, Fiber, Latch, Logger } from "effect"
import type { Scope } from "effect"
import * as Bridge from "../../src/fuse/bridge/Bridge.ts"
import type { Delivery, FuseDevice } from "../../src/fuse/session/FuseDevice.ts"
import * as MemoryDevice from "../../src/fuse/session/MemoryDevice.ts"
import type * as Observer from "../../src/fuse/session/Observer.ts"
import * as Session from "../../src/fuse/session/Session.ts"
import type { ArchiveError } from "../../src/services/archive/ArchiveError.ts"
import * as ArchiveReader from "../../src/services/archive/ArchiveReader.ts"
import { fromBytes, type ByteSource, SourceError } from "../../src/services/bytes/ByteSource.ts"
import * as LookupRegistry from "../../src/services/LookupRegistry.ts"
import type { Payload } from "../../src/services/bytes/ArchiveBytes.ts"
import * as Golden from "../support/Golden.ts"
import * as Wire from "../support/Wire.ts"

/** Node ids of `tiny/hello-v1`: a folder with the file `hello` and the link `link` to it (§10.1). */
export const ROOT = 1n
export const HELLO = 0x8000_0000_0000_004en
export const LINK = 0x8000_0000_0000_00aen

/** Where the three bytes of `hello` stand. */
export const HELLO_CONTENT = [0x96, 0x99] as const

/** The same ids as `src` has them inside: minus the entry start. */
export const HELLO_ID = -0x4e
export const LINK_ID = -0xae

/** What stat shows of them. */
export const rootAttr: Wire.Attr = { ino: 1, mode: 0o40755, nlink: 2, seconds: 1_700_000_000 }
export const helloAttr: Wire.Attr = {
  ino: HELLO,
  mode: 0o100644,
  size: 3,
  blocks: 1,
  uid: 1000,
  gid: 1000,
  seconds: 1_700_000_001,
  nanos: 500_000_000,
}
export const linkAttr: Wire.Attr = {
  ino: LINK,
  mode: 0o120777,
  size: 5,
  blocks: 1,
  uid: 1000,
  gid: 1000,
  seconds: 1_700_000_002,
}

export const helloBytes = (): Buffer => Golden.load(Golden.helloV1).bytes

/** A source that can be made to wait, or to fail. */
export interface Gated extends ByteSource {
  /** Reads that touch this range wait for `open` from now on. */
  readonly hold: (from: number, end: number) => Effect.Effect<void>
  readonly open: Effect.Effect<void>
  /** Ends when a read waits; the next call ends when another one does. */
  readonly reached: Effect.Effect<void>
  /** Reads that touch this range fail from now on. */
  failing: readonly [from: number, end: number] | undefined
  /** Offsets of the reads that were interrupted while they waited. */
  readonly interrupted: Array<number>
  /** Reads that are waiting. */
  waiting: number
}

export const gated = (bytes: Uint8Array, name = "memory"): Gated => {
  const inner = fromBytes(bytes, name)
  const latch = Latch.makeUnsafe(true)
  let held: readonly [from: number, end: number] = [0, 0]
  let reached = Deferred.makeUnsafe<void>()
  const touches = ([from, end]: readonly [number, number], offset: number, length: number) =>
    offset < end && offset + length > from
  const source: Gated = {
    name,
    size: inner.size,
    failing: undefined,
    interrupted: [],
    waiting: 0,
    hold: (from, end) =>
      Effect.suspend(() => {
        held = [from, end]
        return Effect.asVoid(latch.close)
      }),
    open: Effect.asVoid(latch.open),
    reached: Effect.suspend(() =>
      Effect.andThen(
        Deferred.await(reached),
        Effect.sync(() => {
          reached = Deferred.makeUnsafe<void>()
        }),
      ),
    ),
    read: (target, offset) =>
      Effect.suspend(() => {
        if (source.failing !== undefined && touches(source.failing, offset, target.length)) {
          return Effect.fail(new SourceError({ source: name, offset, detail: "injected" }))
        }
        const read = Effect.suspend(() => inner.read(target, offset))
        if (!touches(held, offset, target.length) || latch.isOpen()) return read
        source.waiting++
        Deferred.doneUnsafe(reached, Effect.void)
        return latch.await.pipe(
          Effect.onInterrupt(() => Effect.sync(() => source.interrupted.push(offset))),
          Effect.ensuring(
            Effect.sync(() => {
              source.waiting--
            }),
          ),
          Effect.andThen(read),
        )
      }),
  }
  return source
}

/** Blocks so small that metadata is read again for every request. */
export const uncached: Partial<ArchiveReader.Options> = { blocks: { blockSize: 16, capacity: 16 }, entryCapacity: 0 }

export interface Setup {
  readonly source: ByteSource
  readonly payload?: Payload
  readonly options?: Partial<ArchiveReader.Options>
  /** See `Bridge.Options`. */
  readonly sharesLinks?: boolean
}

/** A bridge over an archive, with the registry beside it. */
export const bridgeOver = ({
  options = {},
  payload = { _tag: "Absent", expected: undefined },
  sharesLinks,
  source,
}: Setup) =>
  Effect.gen(function* () {
    const reader = yield* ArchiveReader.make(source, payload, options)
    const registry = yield* LookupRegistry.make(reader.root)
    return { reader, registry, bridge: Bridge.make(reader, registry, { sharesLinks }) }
  })

export type Bridged = Effect.Success<ReturnType<typeof bridgeOver>>

/** A session that is served over a memory device. */
export interface Served extends Bridged {
  readonly device: MemoryDevice.MemoryDevice
  readonly session: Session.Session
  readonly serving: Fiber.Fiber<void, Session.SessionError>
  /** Every reply that was written, whatever became of it. */
  readonly written: Array<Buffer>
  readonly send: (...messages: ReadonlyArray<Uint8Array>) => Effect.Effect<void>
  /** The next delivered reply. This and what follows dies when the session ends meanwhile. */
  readonly reply: Effect.Effect<Uint8Array>
  /** Sends a message and takes the next delivered reply. */
  readonly ask: (message: Uint8Array) => Effect.Effect<Uint8Array>
  /** Ends when everything sent before has been received, and what needs no waiting has been answered. */
  readonly settled: Effect.Effect<void>
}

export interface ServeOptions extends Partial<Setup> {
  readonly posixAcl?: boolean
  /** Replaces operations of the bridge. */
  readonly override?: (bridged: Bridged) => Partial<Bridge.Bridge>
  readonly observer?: Observer.Observer
  /** What the device does with a reply before it says what became of it. */
  readonly beforeReply?: (message: Buffer) => Effect.Effect<void>
}

const BARRIER = 0xfffen

export const serve = (options: ServeOptions = {}): Effect.Effect<Served, ArchiveError, Scope.Scope> =>
  Effect.gen(function* () {
    const bridged = yield* bridgeOver({ ...options, source: options.source ?? fromBytes(helloBytes()) })
    const memory = yield* MemoryDevice.make
    const written: Array<Buffer> = []
    let barrier = Deferred.makeUnsafe<void>()
    const device: FuseDevice = {
      receive: memory.receive,
      reply: (...reply) =>
        Effect.suspend(() => {
          const copy = Buffer.from(reply[0])
          if (copy.readBigUInt64LE(8) === BARRIER) {
            Deferred.doneUnsafe(barrier, Effect.void)
            return Effect.succeed<Delivery>("delivered")
          }
          written.push(copy)
          const delivery = memory.reply(...reply)
          return options.beforeReply === undefined ? delivery : Effect.andThen(options.beforeReply(copy), delivery)
        }),
    }
    const bridge = { ...bridged.bridge, ...options.override?.(bridged) }
    const session = yield* Session.make(device, bridge, {
      posixAcl: options.posixAcl ?? true,
      observer: options.observer,
    })
    const serving = yield* Effect.forkScoped(session.serve, { startImmediately: true })
    const ended = Effect.flatMap(Fiber.await(serving), (exit) =>
      Effect.die(new Error(`the session has ended: ${JSON.stringify(exit)}`)),
    )
    const send = (...messages: ReadonlyArray<Uint8Array>) => Effect.forEach(messages, memory.send, { discard: true })
    const reply = Effect.raceFirst(memory.nextReply, ended)
    return {
      ...bridged,
      bridge,
      device: memory,
      session,
      serving,
      written,
      send,
      reply,
      ask: (message) => Effect.andThen(memory.send(message), reply),
      settled: Effect.suspend(() => {
        barrier = Deferred.makeUnsafe<void>()
        return Effect.andThen(memory.send(Wire.statfs(BARRIER)), Effect.raceFirst(Deferred.await(barrier), ended))
      }),
    }
  })

/** The log of an effect, beside its result: one text a message, causes included. */
export const logged = <A, E, R>(
  effect: (log: ReadonlyArray<string>) => Effect.Effect<A, E, R>,
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const log: Array<string> = []
    const logger = Logger.make<unknown, void>(({ cause, logLevel, message }) => {
      const parts = Array.isArray(message) ? message : [message]
      const reasons = cause.reasons.map((reason) => JSON.stringify(reason._tag))
      log.push([logLevel, ...parts.map(String), ...reasons].join(" "))
    })
    return Effect.provide(effect(log), Logger.layer([logger]))
  })
