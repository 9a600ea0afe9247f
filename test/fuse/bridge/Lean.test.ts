/** The lean path against the general one: the same archive is asked the same questions on both, and nothing may differ. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Queue, Result, type Scope } from "effect"
import * as Bridge from "../../../src/fuse/bridge/Bridge.ts"
import type { Delivery, FuseDevice } from "../../../src/fuse/session/FuseDevice.ts"
import * as Session from "../../../src/fuse/session/Session.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as LookupRegistry from "../../../src/services/LookupRegistry.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Damage from "../../support/Damage.ts"
import * as Golden from "../../support/Golden.ts"
import * as Wire from "../../support/Wire.ts"
import { anyInteger } from "../../domain/pxar/helpers.ts"

/** Bytes of an archive, and of its payload archive. */
interface Archive {
  readonly bytes: Uint8Array
  readonly payload?: Uint8Array | undefined
}

/** A session over a device that takes replies at once. */
const serve = Effect.fnUntraced(function* ({ bytes, payload }: Archive, isLean: boolean) {
  const reader = yield* ArchiveReader.make(
    fromBytes(bytes, "archive"),
    payload === undefined
      ? { _tag: "Absent", expected: undefined }
      : { _tag: "Present", source: fromBytes(payload, "payload") },
  )
  const registry = yield* LookupRegistry.make(reader.root)
  const eager = Bridge.eager(reader, registry)
  const tally = { lean: 0 }
  const bridge: Bridge.Bridge = {
    ...eager,
    lean: isLean
      ? (operations) => {
          const lean = eager.lean?.(operations) ?? assert.fail("an archive in memory has no lean path")
          const answer = (message: Uint8Array): Uint8Array | undefined => {
            const reply = lean.answer(message)
            if (reply !== undefined) tally.lean++
            return reply
          }
          return { ...lean, answer }
        }
      : undefined,
  }
  const messages = yield* Queue.unbounded<Uint8Array>()
  const replies = yield* Queue.unbounded<Buffer>()
  const outcome = { next: "delivered" as Delivery }
  const device: FuseDevice = {
    receive: Queue.take(messages),
    reply: (message) => {
      Queue.offerUnsafe(replies, Buffer.from(message))
      return Effect.succeed(outcome.next)
    },
  }
  const session = yield* Session.make(device, bridge, { posixAcl: true })
  yield* Effect.forkScoped(session.serve, { startImmediately: true })
  return {
    tally,
    session,
    registry,
    send: (message: Uint8Array) => Queue.offer(messages, message),
    ask: (message: Uint8Array, delivery: Delivery) =>
      Effect.suspend(() => {
        outcome.next = delivery
        return Effect.andThen(Queue.offer(messages, message), Queue.take(replies))
      }),
  }
})

const references = Effect.fnUntraced(function* ({ registry }: Effect.Success<ReturnType<typeof serve>>) {
  const counts: Array<readonly [number, number]> = []
  for (const id of yield* registry.held) counts.push([id, yield* registry.count(id)])
  return counts.toSorted(([a], [b]) => a - b)
})

/** More would take longer than it tells. */
const MAX_NODES = 150

/**
 * Asks both sessions about all of an archive, as far as the replies lead; how many requests there were, and how many the
 * lean path answered. `undefined` for an archive that cannot be opened.
 */
const compare = (archive: Archive, seed = 0): Effect.Effect<{ asked: number; lean: number } | undefined> =>
  Effect.gen(function* () {
    const opened = yield* Effect.result(serve(archive, true))
    if (Result.isFailure(opened)) return undefined
    const lean = opened.success
    const general = yield* Effect.orDie(serve(archive, false))
    let unique = 2
    let asked = 0
    const ask = Effect.fnUntraced(function* (make: (unique: number) => Buffer) {
      const message = make((unique += 2))
      const delivery: Delivery = (seed + ++asked) % 11 === 0 ? "abandoned" : "delivered"
      const expected = yield* general.ask(message, delivery)
      const actual = yield* lean.ask(message, delivery)
      Wire.assertBytes(actual, expected, `request ${message.readUInt32LE(4)} of node ${message.readBigUInt64LE(16)}`)
      return expected.readInt32LE(4) === 0 ? expected.subarray(16) : undefined
    })
    const nodes = [1n]
    const told = new Set<bigint>()
    for (const node of nodes) {
      const size = [4096, 512, 65_536, 200][(seed + Number(node % 97n)) % 4] as number
      const names: Array<string | Uint8Array> = ["not there", "..", "a/b"]
      for (let offset = 0, steps = 0; steps < 40; steps++) {
        const listing = yield* ask((id) => Wire.readdirplus(id, node, offset, size))
        const entries = listing === undefined ? [] : Wire.parseDirents(listing, true)
        for (const { name, next, node: child } of entries) {
          offset = Number(next)
          names.push(Buffer.from(name, "latin1"))
          if (child !== 0n && !told.has(child) && nodes.length < MAX_NODES) {
            told.add(child)
            nodes.push(child)
          }
        }
        if (entries.length === 0) break
      }
      yield* ask((id) => Wire.readdirplus(id, node, 1_000_000, 4096))
      for (const name of names.slice(0, 40)) yield* ask((id) => Wire.lookup(id, node, name))
      yield* ask((id) => Wire.getattr(id, node))
      for (const [offset, length] of [
        [0, 131_072],
        [0, 0],
        [1, 3],
        [4096, 4096],
        [2 ** 40, 10],
      ] as const) {
        yield* ask((id) => Wire.read(id, node, offset, length))
      }
      for (const name of ["user.one", "security.selinux", "system.posix_acl_access", "security.capability"]) {
        yield* ask((id) => Wire.getxattr(id, node, name, 0))
        yield* ask((id) => Wire.getxattr(id, node, name, 256))
      }
      yield* ask((id) => Wire.listxattr(id, node, 0))
      yield* ask((id) => Wire.listxattr(id, node, 1000))
      // What is not well formed, and a node that is not held.
      yield* ask((id) => Wire.request(Wire.Op.LOOKUP, id, node, Buffer.from("no NUL")))
      yield* ask((id) => Wire.request(Wire.Op.READ, id, node, Buffer.alloc(8)))
      yield* ask((id) => Wire.getattr(id, node + 1n))
    }
    assert.deepStrictEqual(yield* references(lean), yield* references(general))
    for (const node of nodes.slice(1)) {
      for (const side of [lean, general]) yield* side.send(Wire.forget(unique, node, 1))
    }
    yield* ask((id) => Wire.statfs(id))
    assert.deepStrictEqual(yield* references(lean), yield* references(general))
    assert.deepStrictEqual(yield* lean.session.counters, yield* general.session.counters)
    return { asked, lean: lean.tally.lean }
  }).pipe(Effect.scoped, Effect.provide(Logger.layer([])))

const load = (golden: Golden.Golden): Archive => Golden.load(golden)

describe("the lean path answers as the general one", () => {
  for (const golden of Golden.all) {
    it.effect(`about ${golden.name}`, () => Effect.asVoid(compare(load(golden))))
  }

  it.effect("about what is usual, most of the questions itself", () =>
    Effect.gen(function* () {
      const { asked, lean } = (yield* compare(load(Golden.treeV1))) ?? assert.fail("cannot be opened")
      assert.isAbove(lean, asked / 3)
    }),
  )

  it.effect("about files followed by much of their own, and names of all lengths", () => {
    const { bytes } = B.build({
      children: [
        B.file("large", Buffer.alloc(10_000, 7)),
        B.file("n".repeat(255), "x"),
        B.file("m".repeat(1024), "y"),
        B.folder("folder", [B.file("last", Buffer.alloc(5000, 9)), B.raw("pipe", B.entry({ mode: 0o010644n }))]),
      ],
    })
    return Effect.asVoid(compare({ bytes }))
  })

  it.effect.prop(
    "about any archive that is damaged",
    [anyInteger(0, 100_000), anyInteger(0, 1000)],
    ([seed, index]) => Effect.asVoid(compare(Damage.make(seed, index), index)),
    { arbitrary: { runs: Number(process.env["LEAN_RUNS"] ?? 25) } },
  )
})

describe("a bridge that shows something differently is asked itself", () => {
  /** What the session of a bridge over `hello` answers to one question. */
  const answerOf = (
    change: (bridge: Bridge.Bridge) => Bridge.Bridge,
    message: Uint8Array,
  ): Effect.Effect<boolean, unknown, Scope.Scope> =>
    Effect.gen(function* () {
      const reader = yield* ArchiveReader.make(fromBytes(Golden.load(Golden.helloV1).bytes), {
        _tag: "Absent",
        expected: undefined,
      })
      const eager = Bridge.eager(reader, yield* LookupRegistry.make(reader.root))
      const changed = change(eager)
      return changed.lean?.(changed).answer(message) !== undefined
    })

  it.effect("for the operation that it has of its own, and no other", () =>
    Effect.gen(function* () {
      const [lookup, list] = [Wire.lookup(2, 1, "hello"), Wire.readdirplus(4, 1, 0, 4096)]
      const otherLookup = (bridge: Bridge.Bridge) => ({ ...bridge, lookup: () => Effect.undefined })
      assert.isTrue(yield* answerOf((bridge) => bridge, lookup))
      assert.isFalse(yield* answerOf(otherLookup, lookup))
      assert.isTrue(yield* answerOf(otherLookup, list))
      assert.isFalse(yield* answerOf(Bridge.lazily, lookup))
    }),
  )

  it.effect("where its tree shows another one", () =>
    Effect.gen(function* () {
      const reader = yield* ArchiveReader.make(fromBytes(Golden.load(Golden.helloV1).bytes), {
        _tag: "Absent",
        expected: undefined,
      })
      const other = { ...reader }
      assert.isUndefined(Bridge.eager(other, yield* LookupRegistry.make(other.root)).lean)
    }),
  )
})
