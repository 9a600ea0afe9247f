/** A READ is answered when what its reader will read next has been stored. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Queue } from "effect"
import * as Bridge from "../../../src/fuse/bridge/Bridge.ts"
import type { FuseDevice } from "../../../src/fuse/session/FuseDevice.ts"
import * as MemoryDevice from "../../../src/fuse/session/MemoryDevice.ts"
import { CannotStore, type PageStore } from "../../../src/fuse/session/PageStore.ts"
import { ALONE } from "../../../src/fuse/bridge/NextFiles.ts"
import * as Session from "../../../src/fuse/session/Session.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as LookupRegistry from "../../../src/services/LookupRegistry.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Wire from "../../support/Wire.ts"

const FILES = 60
const nameOf = (index: number): string => `file-${String(index).padStart(2, "0")}`
const built = B.build({
  children: Array.from({ length: FILES }, (_, index) => B.file(nameOf(index), `contents of ${nameOf(index)}`)),
})
const nodeOf = (index: number): bigint => 0x8000_0000_0000_0000n | BigInt(built.at(nameOf(index)).start)

/** Pages that are stored when the test says so. */
const manual = () => {
  const batches: Array<number> = []
  const begun = Deferred.makeUnsafe<void>()
  let waiting: Deferred.Deferred<number, CannotStore> | undefined
  const pages: PageStore = {
    isFree: () => waiting === undefined,
    store: ({ count }) =>
      Effect.suspend(() => {
        batches.push(count)
        const done = Deferred.makeUnsafe<number, CannotStore>()
        waiting = done
        Deferred.doneUnsafe(begun, Effect.void)
        return Deferred.await(done)
      }),
    end: Effect.void,
  }
  const finish = (outcome: Effect.Effect<number, CannotStore>) =>
    Effect.sync(() => {
      const done = waiting ?? assert.fail("nothing is stored")
      waiting = undefined
      Deferred.doneUnsafe(done, outcome)
    })
  return { batches, begun: Deferred.await(begun), pages, finish }
}

/** A session whose kernel holds all files; its process has read the first ones, so that the next READ stores others. */
const serve = Effect.fnUntraced(function* (isObserved = false) {
  const reader = yield* ArchiveReader.make(fromBytes(built.bytes), { _tag: "Absent", expected: undefined }, {})
  const registry = yield* LookupRegistry.make(reader.root)
  const memory = yield* MemoryDevice.make
  const replies = yield* Queue.unbounded<Uint8Array>()
  // Writes at once, as the kernel's does.
  const device: FuseDevice = {
    receive: memory.receive,
    reply: (message) => {
      Queue.offerUnsafe(replies, new Uint8Array(message))
      return Effect.succeed("delivered")
    },
  }
  const { batches, begun, finish, pages } = manual()
  const observer = isObserved ? () => {} : undefined
  const session = yield* Session.make(device, Bridge.eager(reader, registry), { posixAcl: true, pages, observer })
  yield* Effect.forkScoped(session.serve, { startImmediately: true })
  let unique = 2
  const ask = (make: (unique: number) => Buffer) =>
    Effect.suspend(() => {
      const message = make((unique += 2))
      message.writeUInt32LE(77, 32)
      return Effect.as(memory.send(message), unique)
    })
  const read = (index: number) => ask((unique) => Wire.read(unique, nodeOf(index), 0, 4096))
  const reply = Effect.map(Queue.take(replies), Wire.parseReply)
  yield* ask((unique) => Wire.readdirplus(unique, 1, 0, 64 * 1024))
  yield* reply
  for (let time = 0; time < ALONE; time++) {
    yield* ask((unique) => Wire.read(unique, nodeOf(0), 4096, 4096))
    yield* reply
  }
  for (const index of [0, 1]) {
    yield* read(index)
    yield* reply
  }
  return { ask, batches, begun, finish, read, reply, session }
})

describe("a READ of who reads in order", () => {
  it.effect("is answered when the next files have been stored, and others meanwhile", () =>
    Effect.gen(function* () {
      const { ask, batches, begun, finish, read, reply, session } = yield* serve()
      const held = yield* read(2)
      yield* begun
      assert.deepStrictEqual(batches, [8])
      const other = yield* ask((unique) => Wire.getattr(unique, nodeOf(5)))
      assert.strictEqual(Number((yield* reply).unique), other)
      assert.strictEqual(yield* session.inFlight, 1)
      // Nobody else's files are stored at the same time.
      const second = yield* read(30)
      assert.strictEqual(Number((yield* reply).unique), second)
      yield* finish(Effect.succeed(8))
      const { body, errno, unique } = yield* reply
      assert.deepStrictEqual(
        { unique: Number(unique), errno, body: body.toString() },
        { unique: held, errno: 0, body: "contents of file-02" },
      )
      assert.strictEqual(yield* session.inFlight, 0)
      const { READ } = (yield* session.counters).requests
      assert.strictEqual(READ, ALONE + 4)
    }),
  )

  it.effect("is answered with EINTR if its reader is interrupted meanwhile", () =>
    Effect.gen(function* () {
      const { ask, begun, finish, read, reply } = yield* serve()
      const held = yield* read(2)
      yield* begun
      yield* ask(() => Wire.interrupt(held))
      const { errno, unique } = yield* reply
      assert.deepStrictEqual([Number(unique), errno], [held, 4])
      yield* finish(Effect.succeed(8))
    }),
  )

  it.effect("is answered all the same if nothing can be stored, and nothing more is tried", () =>
    Effect.gen(function* () {
      const { batches, begun, finish, read, reply } = yield* serve()
      const held = yield* read(2)
      yield* begun
      yield* finish(Effect.fail(new CannotStore({ errno: 22 })))
      assert.strictEqual(Number((yield* reply).unique), held)
      for (let index = 11; index < 40; index++) {
        yield* read(index)
        yield* reply
      }
      assert.deepStrictEqual(batches, [8])
    }),
  )

  it.effect("is answered at once while somebody observes", () =>
    Effect.gen(function* () {
      const { batches, read, reply } = yield* serve(true)
      for (let index = 2; index < 20; index++) {
        yield* read(index)
        yield* reply
      }
      assert.deepStrictEqual(batches, [])
    }),
  )
})
