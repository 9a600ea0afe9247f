/**
 * A kernel for tests that behaves as Linux does: it holds references, sends requests, interrupts and forgets, and knows
 * for each reply what it must be. The server under test is the real session, bridge, registry and reader.
 *
 * The bytes come when the test says so, and so does the fate of each reply, so that everything can happen in any order
 * (`KernelSubjects` has what is served). After each step `check` compares what the server holds with what the kernel does.
 */
import { assert } from "@effect/vitest"
import { type Cause, Deferred, Effect, Exit, Queue, Scope } from "effect"
import * as NodeId from "../../src/domain/pxar/NodeId.ts"
import * as Bridge from "../../src/fuse/bridge/Bridge.ts"
import { type Delivery, DeviceLost, type FuseDevice as Device } from "../../src/fuse/session/FuseDevice.ts"
import * as Session from "../../src/fuse/session/Session.ts"
import * as LookupRegistry from "../../src/services/LookupRegistry.ts"
import * as KernelIds from "./KernelIds.ts"
import * as KernelRequests from "./KernelRequests.ts"
import type * as KernelSubjects from "./KernelSubjects.ts"
import * as KernelTree from "./KernelTree.ts"
import * as ManualSource from "./ManualSource.ts"
import * as Wire from "./Wire.ts"

/** A request that the kernel waits for. */
interface Pending extends KernelRequests.Asked {
  interrupted: boolean
  /** Interrupted before it was sent. */
  readonly early: boolean
  refused: boolean
}

/** A reply that is being written. */
interface Writing {
  readonly message: Buffer
  readonly done: Deferred.Deferred<Delivery>
}

const { at } = KernelRequests

/** Where a request has the id of its node: in its header. */
const NODE_ID = 16

/** How a run can end. */
export const ends = [
  "everything is given back",
  "an unmount in the middle",
  "an overforget",
  "a lost device",
  "a closed scope",
]

export interface Kernel {
  readonly nodes: () => ReadonlyArray<bigint>
  readonly step: (kind: number, a: number, b: number, c: number) => Effect.Effect<void>
  readonly check: Effect.Effect<void>
  /** Lets everything come to its end, one way or the other. */
  readonly finish: (kind: number) => Effect.Effect<void>
  /** What has happened, for people. */
  readonly story: ReadonlyArray<string>
}

export const make = Effect.fnUntraced(function* (
  makeSubject: KernelSubjects.Make,
  seed: number,
): Effect.fn.Return<Kernel, never, Scope.Scope> {
  const story: Array<string> = []
  const subject = yield* makeSubject(seed, story)
  const { known: tree, reads, tree: reader } = subject
  const ids = reader.ids === "own" ? KernelIds.own : KernelIds.allotted(tree, KernelTree.archiveOf)
  const held = new Map<bigint, number>()
  const pending = new Map<number, Pending>()
  const writing: Array<Writing> = []
  const fates: Array<Delivery> = []
  /** Interrupts of requests that have not been sent. */
  const early = new Set<number>()
  let unique = 2
  let holding = false

  const messages = yield* Queue.unbounded<Uint8Array, DeviceLost | Cause.Done>()
  const device: Device = {
    receive: Queue.take(messages),
    reply: (message) =>
      Effect.suspend(() => {
        const copy = Buffer.from(message)
        // Nothing else is done while these are written.
        const atOnce = pending.get(Number(copy.readBigUInt64LE(8)))?.early === true
        if (!holding || atOnce) return Effect.sync(() => settle(copy, fates.shift() ?? "delivered"))
        const write = { message: copy, done: Deferred.makeUnsafe<Delivery>() }
        writing.push(write)
        return Deferred.await(write.done)
      }),
  }

  /** The kernel takes a reply, or not. */
  const settle = (message: Buffer, fate: Delivery): Delivery => {
    const { body: sent, errno, unique } = Wire.parseReply(message)
    const request = pending.get(Number(unique))
    if (request === undefined) return assert.fail(`a reply to ${unique}, for which nobody waits: ${story.join("\n")}`)
    // The kernel refuses no bare errno.
    const refuses = fate === "refused" && errno === 0
    const body = ids.translate(request, sent, !refuses && fate !== "abandoned")
    story.push(
      `  reply to ${unique} ${request.what}: errno ${errno}, ${body.length} bytes, ${refuses ? fate : fate === "refused" ? "delivered" : fate}`,
    )
    if (refuses) {
      request.refused = true
      return "refused"
    }
    if (fate !== "abandoned") {
      const excused =
        (errno === Wire.Errno.EINTR && request.interrupted) ||
        (errno === Wire.Errno.EIO && (reads.failures() > 0 || request.refused))
      if (request.refused) assert.strictEqual(errno, Wire.Errno.EIO, `${request.what} after it was refused`)
      else if (request.early) assert.strictEqual(errno, Wire.Errno.EINTR, `${request.what} interrupted before it came`)
      else if (!excused) request.isRight(errno, body)
      if (errno === 0) for (const node of request.brings(body)) held.set(node, (held.get(node) ?? 0) + 1)
    }
    pending.delete(Number(unique))
    return fate === "abandoned" ? "abandoned" : "delivered"
  }

  const scope = yield* Scope.fork(yield* Effect.scope)
  const registry = yield* Scope.provide(LookupRegistry.make(reader.root, reader.ids), scope)
  const bridge = Bridge.make(reader, registry)
  const session = yield* Scope.provide(Session.make(device, bridge, { posixAcl: true }), scope)
  const serving = yield* Effect.forkIn(session.serve, scope, { startImmediately: true })
  reads.hold()
  // Where a check has failed nothing must wait for the kernel.
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      holding = false
      for (const { done } of writing.splice(0)) Deferred.doneUnsafe(done, Effect.succeed("abandoned"))
    }),
  )

  const send = (message: Uint8Array): Effect.Effect<void> => Effect.asVoid(Queue.offer(messages, message))

  const ask = (asked: KernelRequests.Asked): Effect.Effect<void> => {
    const id = unique
    unique += 2
    const interrupted = early.delete(id)
    story.push(`${id}: ${asked.what} of ${tree.nodes.get(asked.node)?.path ?? asked.node}`)
    pending.set(id, Object.assign({ interrupted, early: interrupted, refused: false }, asked))
    const message = Buffer.from(asked.message(id))
    message.writeBigUInt64LE(ids.real(asked.node), NODE_ID)
    return send(message)
  }

  const { answers, known, list, lookup, other, read } = KernelRequests.make(tree, () => story.join("\n"))
  const nodes = (): ReadonlyArray<bigint> => [1n, ...held.keys()]
  /** What may be forgotten of a node: all that is held, unless a request names it. */
  const forgettable = (): ReadonlyArray<bigint> => {
    const named = new Set([...pending.values()].map(({ node }) => node))
    return [...held.keys()].filter((node) => !named.has(node))
  }
  const drop = (node: bigint, count: number): void => {
    const left = (held.get(node) ?? 0) - count
    if (left > 0) return void held.set(node, left)
    held.delete(node)
    ids.drop(node)
  }
  const forget = (a: number, b: number): Effect.Effect<void> => {
    const free = forgettable()
    if (free.length === 0) return Effect.void
    const node = at(free, a)
    const all = held.get(node) ?? 0
    const count = b % 3 === 0 ? 1 : all
    story.push(`FORGET ${known(node).path} ${count} of ${all}`)
    const id = ids.real(node)
    drop(node, count)
    return send(Wire.forget(0, id, count))
  }
  const forgetMany = (a: number): Effect.Effect<void> => {
    const free = forgettable().filter((_, index) => ((a >> (index % 8)) & 1) === 0)
    const batch = free.map((node) => [ids.real(node), held.get(node) ?? 0] as const)
    story.push(`BATCH_FORGET of ${batch.length}`)
    for (const node of free) drop(node, held.get(node) ?? 0)
    return send(Wire.batchForget(0, ...batch))
  }

  const interrupt = (a: number, b: number): Effect.Effect<void> => {
    const ids = [...pending.keys()]
    // Before it comes, while it is under way, or after it has been answered.
    const id = b % 8 === 0 ? unique : b % 8 === 1 ? Math.max(2, unique - 40) : ids.length === 0 ? unique : at(ids, a)
    story.push(`INTERRUPT ${id}`)
    const request = pending.get(id)
    if (request !== undefined) request.interrupted = true
    if (id === unique) early.add(id)
    return send(Wire.interrupt(id))
  }

  const write = (a: number, fate: Delivery): void => {
    const [reply] = writing.length === 0 ? [] : writing.splice(a % writing.length, 1)
    if (reply !== undefined) Deferred.doneUnsafe(reply.done, Effect.succeed(settle(reply.message, fate)))
  }

  const step = (kind: number, a: number, b: number, c: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      reads.scribble()
      const node = at(nodes(), a)
      const folder = at(
        nodes().filter((node) => known(node).children !== undefined),
        a,
      )
      switch (kind) {
        case 0:
        case 1:
          return ask(lookup(b % 8 === 0 ? node : folder, at(tree.names, c)))
        case 2:
        case 3:
          return ask(list(folder, b % 8 === 0 ? c % 20 : 0, at([100, 400, 1000, 4096], c), true))
        case 4:
          return ask(list(node, c % 16, at([40, 100, 4096], b), false))
        case 5:
        case 6:
          return ask(read(node, at([0, 1, 100, 4096, 4999, 5000, 9000], b), at([0, 1, 100, 4096, 131_072], c)))
        case 7:
          return ask(other(node, b, c))
        case 8:
          return forget(a, b)
        case 9:
          return forgetMany(a)
        case 10:
          return interrupt(a, b)
        case 11:
          return Effect.sync(() => void fates.push(b % 3 === 0 ? "refused" : "abandoned"))
        case 12:
          return Effect.sync(() => void (holding = !holding))
        case 13:
          return Effect.sync(() => write(a, b % 4 === 0 ? "abandoned" : b % 4 === 1 ? "refused" : "delivered"))
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
    Effect.gen(function* () {
      const isQuiet = (): boolean =>
        Queue.sizeUnsafe(messages) === 0 &&
        pending.size === subject.waiting() + writing.length &&
        // What waits waits for the test.
        (subject.waiting() === 0 || reads.waiting() > 0) &&
        (also === undefined || reads.waiting() === 0)
      for (let round = 0, still = 0; round < ManualSource.ROUNDS; round++) {
        also?.()
        for (let turn = 0; turn < 3; turn++) yield* Effect.yieldNow
        while (subject.isBusy()) yield* Effect.promise(() => new Promise<void>((resume) => setTimeout(resume, 0)))
        still = isQuiet() ? still + 1 : 0
        if (still === subject.rounds) return
      }
      assert.fail(
        `${pending.size} requests, but ${subject.waiting()} operations (${reads.waiting()} reads) and ${writing.length} replies wait:\n${story.join("\n")}`,
      )
    })

  /** With what has happened, where it is not so. */
  const same = (actual: number, expected: number, what: string): void => {
    if (actual !== expected) assert.strictEqual(actual, expected, `${what}\n${story.join("\n")}`)
  }

  const check = Effect.gen(function* () {
    yield* quiet()
    same(yield* session.inFlight, pending.size, "requests under way")
    const there = new Set((yield* registry.held).map(NodeId.toBigInt))
    for (const node of nodes()) same(Number(there.has(ids.real(node))), 1, `${node} is held`)
    for (const [ino, { path }] of tree.nodes) {
      // Where ids are allotted, one that is not held has none.
      if (ino === 1n || (reader.ids === "allotted" && !held.has(ino))) continue
      const real = ids.real(ino)
      const id = NodeId.fromHalves(Number(real & 0xffff_ffffn), Number(real >> 32n))
      same(yield* registry.count(id), held.get(ino) ?? 0, `references to ${path}`)
    }
    // More may be held for replies that are under way.
    if (pending.size === 0) same(there.size, nodes().length, "nodes held")
  })

  const ended = (expected: string) =>
    Effect.gen(function* () {
      // Replies that are being written come to their end: nothing waits in the kernel.
      for (let round = 0; round < ManualSource.ROUNDS && serving.pollUnsafe() === undefined; round++) {
        write(0, "abandoned")
        yield* Effect.yieldNow
      }
      const exit = serving.pollUnsafe() ?? assert.fail(`the session has not ended\n${story.join("\n")}`)
      const outcome = Exit.isSuccess(exit)
        ? "success"
        : exit.cause.reasons.map((r) => (r._tag === "Fail" ? r.error._tag : r._tag)).join()
      assert.strictEqual(outcome, expected, story.join("\n"))
      assert.strictEqual(yield* session.inFlight, 0, "no request is under way after the end")
      assert.strictEqual(subject.waiting(), 0, "no read waits after the end")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* registry.held, [], "nothing is held after the end")
    })

  const finish = (kind: number): Effect.Effect<void> =>
    Effect.gen(function* () {
      story.push(`end ${kind % 5}`)
      switch (kind % 5) {
        case 0: {
          // Everything is answered, and everything is given back.
          holding = false
          while (writing.length > 0) write(0, "delivered")
          yield* quiet(() => {
            reads.answer(0, false)
            while (writing.length > 0) write(0, "delivered")
          })
          yield* check
          assert.strictEqual(pending.size, 0)
          yield* send(Wire.batchForget(0, ...[...held].map(([node, count]) => [ids.real(node), count] as const)))
          held.clear()
          yield* check
          yield* ask({ what: "DESTROY", node: 1n, message: Wire.destroy, isRight: answers(0), brings: () => [] })
          yield* check
          yield* Queue.end(messages)
          return yield* ended("success")
        }
        case 1:
          // Unmounted in the middle: nobody waits any more.
          fates.length = 0
          fates.push(...[...pending.keys()].map(() => "abandoned" as const))
          yield* Queue.end(messages)
          return yield* ended("success")
        case 2: {
          const node = held.keys().next().value
          if (node === undefined) return yield* finish(1)
          fates.length = 0
          fates.push(...[...pending.keys()].map(() => "abandoned" as const))
          yield* send(Wire.forget(0, ids.real(node), (held.get(node) ?? 0) + 1))
          return yield* ended("Overforget")
        }
        case 3:
          fates.length = 0
          fates.push(...[...pending.keys()].map(() => "abandoned" as const))
          yield* Queue.fail(messages, new DeviceLost({ operation: "read", errno: 5, detail: "injected" }))
          return yield* ended("DeviceLost")
        default:
          yield* Scope.close(scope, Exit.void).pipe(
            Effect.raceFirst(
              Effect.forever(
                Effect.andThen(
                  Effect.sync(() => write(0, "abandoned")),
                  Effect.yieldNow,
                ),
              ),
            ),
          )
          return yield* ended("Interrupt")
      }
    })

  for (const name of subject.first) {
    yield* ask(lookup(1n, name))
    yield* quiet(() => reads.answer(0, false))
  }
  return { nodes, step, check, finish, story }
})
