import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Exit, Scope } from "effect"
import type { Node } from "../../src/domain/pxar/Node.ts"
import * as LookupRegistry from "../../src/services/LookupRegistry.ts"
import { anyInteger } from "../domain/pxar/helpers.ts"

const nodeOf = (id: number, parent = 1): Node => ({
  id,
  parent,
  nameStart: Math.abs(id) + 8,
  start: Math.abs(id),
  bound: Math.abs(id) + 100,
  contentsStart: id > 0 ? 20 : 0,
})

const root: Node = { id: 1, parent: 1, nameStart: 0, start: 0, bound: 340, contentsStart: 56 }
const FILE = -0x4e
const FOLDER = 331

/** The kernel is told of nodes: a lease that is leaked. */
const deliver = (registry: LookupRegistry.LookupRegistry, ...ids: ReadonlyArray<number>): Effect.Effect<void> =>
  Effect.scoped(
    Effect.map(registry.lease, (lease) => {
      for (const id of ids) lease.add(nodeOf(id))
      lease.leak()
    }),
  )

const heldBy = (registry: LookupRegistry.LookupRegistry) =>
  Effect.map(registry.held, (ids) => [...ids].sort((a, b) => a - b))

describe("lease", () => {
  it.effect("holds a node from the moment it is added, without counting it", () =>
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(root)
      const lease = yield* registry.lease
      lease.add(nodeOf(FILE))
      assert.deepStrictEqual(registry.find(FILE), nodeOf(FILE))
      assert.strictEqual(yield* registry.count(FILE), 0)
    }),
  )

  it.effect("counts what it leaks, once, and keeps it after its scope", () =>
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(root)
      yield* Effect.scoped(
        Effect.map(registry.lease, (lease) => {
          lease.add(nodeOf(FILE))
          lease.leak()
          lease.leak()
        }),
      )
      assert.strictEqual(yield* registry.count(FILE), 1)
      assert.deepStrictEqual(yield* heldBy(registry), [FILE, 1])
    }),
  )

  it.effect("counts a node as often as it was added", () =>
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(root)
      yield* deliver(registry, FILE, FOLDER, FILE)
      yield* deliver(registry, FILE)
      assert.strictEqual(yield* registry.count(FILE), 3)
      assert.strictEqual(yield* registry.count(FOLDER), 1)
    }),
  )

  it.effect("takes back what was not leaked when its scope closes", () =>
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(root)
      yield* Effect.scoped(
        Effect.map(registry.lease, (lease) => {
          lease.add(nodeOf(FILE))
          lease.add(nodeOf(FILE))
          lease.add(nodeOf(FOLDER))
        }),
      )
      assert.deepStrictEqual(yield* heldBy(registry), [1])
      assert.isUndefined(registry.find(FILE))
    }),
  )

  it.effect("takes back only what came after the leak", () =>
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(root)
      yield* Effect.scoped(
        Effect.map(registry.lease, (lease) => {
          lease.add(nodeOf(FILE))
          lease.leak()
          lease.add(nodeOf(FILE))
          lease.add(nodeOf(FOLDER))
        }),
      )
      assert.strictEqual(yield* registry.count(FILE), 1)
      assert.deepStrictEqual(yield* heldBy(registry), [FILE, 1])
    }),
  )

  it.effect("takes back when its request is interrupted, or dies", () =>
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(root)
      const request = (end: Effect.Effect<void>) =>
        Effect.scoped(
          Effect.flatMap(registry.lease, (lease) => {
            lease.add(nodeOf(FILE))
            return end
          }),
        )
      yield* Effect.exit(request(Effect.interrupt))
      assert.isUndefined(registry.find(FILE))
      yield* Effect.exit(request(Effect.die("bug")))
      assert.isUndefined(registry.find(FILE))
    }),
  )

  it.effect("leaves a node that another lease still holds", () =>
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(root)
      const other = yield* registry.lease
      other.add(nodeOf(FILE))
      yield* Effect.scoped(Effect.map(registry.lease, (lease) => lease.add(nodeOf(FILE))))
      assert.isDefined(registry.find(FILE))
      other.leak()
      assert.strictEqual(yield* registry.count(FILE), 1)
    }),
  )
})

describe("forget", () => {
  it.effect("drops a node with its last reference, and not before", () =>
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(root)
      yield* deliver(registry, FILE, FILE, FILE)
      assert.isTrue(yield* registry.forget(FILE, 2))
      assert.strictEqual(yield* registry.count(FILE), 1)
      assert.isDefined(registry.find(FILE))
      assert.isTrue(yield* registry.forget(FILE, 1))
      assert.isUndefined(registry.find(FILE))
    }),
  )

  it.effect("says that it does not know a node", () =>
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(root)
      assert.isFalse(yield* registry.forget(FILE, 1))
      yield* deliver(registry, FILE)
      yield* registry.forget(FILE, 1)
      assert.isFalse(yield* registry.forget(FILE, 1))
      assert.isFalse(yield* registry.forget(-FILE, 1))
    }),
  )

  it.effect("never drops the root, whatever is forgotten", () =>
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(root)
      assert.isTrue(yield* registry.forget(1, 1))
      assert.isTrue(yield* registry.forget(1, 2 ** 53))
      assert.deepStrictEqual(registry.find(1), root)
      assert.deepStrictEqual(yield* heldBy(registry), [1])
    }),
  )

  it.effect("fails beyond the count, says so exactly, and changes nothing", () =>
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(root)
      yield* deliver(registry, FILE, FILE)
      const error = yield* Effect.flip(registry.forget(FILE, 3))
      assert.instanceOf(error, LookupRegistry.Overforget)
      assert.strictEqual(error.node, "9223372036854775886")
      assert.strictEqual(error.held, 2)
      assert.strictEqual(error.forgotten, 3)
      assert.strictEqual(error.message, "the kernel returned 3 references to inode 9223372036854775886, but holds 2")
      assert.strictEqual(yield* registry.count(FILE), 2)
      assert.isTrue(yield* registry.forget(FILE, 2))
    }),
  )

  it.effect("takes no reference that has not been delivered", () =>
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(root)
      const lease = yield* registry.lease
      lease.add(nodeOf(FILE))
      assert.strictEqual((yield* Effect.flip(registry.forget(FILE, 1))).held, 0)
      assert.isDefined(registry.find(FILE))
    }),
  )

  it.effect("keeps a node that a reply under way names, at a count of zero", () =>
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(root)
      yield* deliver(registry, FILE)
      const lease = yield* registry.lease
      lease.add(nodeOf(FILE))
      assert.isTrue(yield* registry.forget(FILE, 1))
      assert.strictEqual(yield* registry.count(FILE), 0)
      assert.isDefined(registry.find(FILE))
      lease.leak()
      assert.strictEqual(yield* registry.count(FILE), 1)
    }),
  )

  it.effect("of no reference at all changes nothing", () =>
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(root)
      yield* deliver(registry, FILE)
      assert.isTrue(yield* registry.forget(FILE, 0))
      assert.strictEqual(yield* registry.count(FILE), 1)
    }),
  )
})

describe("attach", () => {
  const attached = Effect.gen(function* () {
    const session = yield* Scope.make()
    const registry = yield* Scope.provide(LookupRegistry.make(root), session)
    const released: Array<number> = []
    const attach = (id: number) =>
      registry.attach(
        id,
        Effect.sync(() => released.push(id)),
      )
    return { registry, released, attach, end: Scope.close(session, Exit.void) }
  })

  it.effect("releases at the last forget, once, and not again at the end of the session", () =>
    Effect.gen(function* () {
      const { attach, end, registry, released } = yield* attached
      yield* deliver(registry, FOLDER, FOLDER)
      yield* attach(FOLDER)
      yield* registry.forget(FOLDER, 1)
      assert.deepStrictEqual(released, [])
      yield* registry.forget(FOLDER, 1)
      assert.deepStrictEqual(released, [FOLDER])
      yield* end
      assert.deepStrictEqual(released, [FOLDER])
    }),
  )

  it.effect("releases at the end of the session what is still held, the root's too", () =>
    Effect.gen(function* () {
      const { attach, end, registry, released } = yield* attached
      yield* deliver(registry, FOLDER)
      yield* attach(FOLDER)
      yield* attach(1)
      yield* end
      assert.sameMembers(released, [FOLDER, 1])
      assert.strictEqual(released.length, 2)
      assert.deepStrictEqual(yield* registry.held, [])
    }),
  )

  it.effect("releases when a lease that was not leaked held the node alone", () =>
    Effect.gen(function* () {
      const { attach, registry, released } = yield* attached
      yield* Effect.scoped(
        Effect.flatMap(registry.lease, (lease) => {
          lease.add(nodeOf(FOLDER))
          return attach(FOLDER)
        }),
      )
      assert.deepStrictEqual(released, [FOLDER])
    }),
  )

  it.effect("gives a node one thing to hold; later ones are ignored", () =>
    Effect.gen(function* () {
      const { attach, end, registry, released } = yield* attached
      yield* deliver(registry, FOLDER)
      yield* attach(FOLDER)
      yield* attach(FOLDER)
      yield* end
      assert.deepStrictEqual(released, [FOLDER])
    }),
  )

  it.effect("gives nothing to a node that is not held", () =>
    Effect.gen(function* () {
      const { attach, end, released } = yield* attached
      yield* attach(FOLDER)
      yield* end
      assert.deepStrictEqual(released, [])
    }),
  )

  it.effect("starts again when a node comes back", () =>
    Effect.gen(function* () {
      const { attach, registry, released } = yield* attached
      for (const times of [1, 2]) {
        yield* deliver(registry, FOLDER)
        yield* attach(FOLDER)
        yield* registry.forget(FOLDER, 1)
        assert.strictEqual(released.length, times)
      }
    }),
  )

  it.effect("lets a lease outlive the session", () =>
    Effect.gen(function* () {
      const { end, registry } = yield* attached
      yield* Effect.scoped(
        Effect.flatMap(registry.lease, (lease) => {
          lease.add(nodeOf(FILE))
          return Effect.map(end, () => lease.leak())
        }),
      )
      assert.deepStrictEqual(yield* registry.held, [])
    }),
  )
})

const ids = [FILE, -0xae, FOLDER, 368, 2 ** 33, -(2 ** 40), FOLDER + 2 ** 24]
const anyId = anyInteger(0, ids.length - 1)
const anyStep = Arbitrary.all([anyInteger(0, 7), anyId, anyInteger(0, 3)])

describe("the registry", () => {
  it.effect.prop(
    "agrees with a model of counts and finalizers, in any order of events",
    [Arbitrary.array(anyStep, { maxLength: 60 })],
    ([steps]) =>
      Effect.gen(function* () {
        const session = yield* Scope.make()
        const registry = yield* Scope.provide(LookupRegistry.make(root), session)
        const counts = new Map<number, { pending: number; delivered: number }>()
        const attached = new Set<number>()
        const expected: Array<number> = []
        const released: Array<number> = []
        const leases: Array<{ lease: LookupRegistry.Lease; scope: Scope.Closeable; ids: Array<number> }> = []

        const drop = (id: number): void => {
          const count = counts.get(id)
          if (count === undefined || count.pending + count.delivered > 0) return
          counts.delete(id)
          if (attached.delete(id)) expected.push(id)
        }

        for (const [kind, index, amount] of steps) {
          const id = ids[index] as number
          const open = leases[amount % Math.max(1, leases.length)]
          if (kind === 0 || open === undefined) {
            const scope = yield* Scope.make()
            leases.push({ lease: yield* Scope.provide(registry.lease, scope), scope, ids: [] })
          } else if (kind <= 2) {
            open.lease.add(nodeOf(id))
            open.ids.push(id)
            const count = counts.get(id) ?? { pending: 0, delivered: 0 }
            counts.set(id, { ...count, pending: count.pending + 1 })
          } else if (kind === 3) {
            open.lease.leak()
            for (const leaked of open.ids.splice(0)) {
              const count = counts.get(leaked)!
              count.pending--
              count.delivered++
            }
          } else if (kind === 4) {
            leases.splice(leases.indexOf(open), 1)
            yield* Scope.close(open.scope, Exit.void)
            for (const taken of open.ids) {
              counts.get(taken)!.pending--
              drop(taken)
            }
          } else if (kind === 5) {
            yield* registry.attach(
              id,
              Effect.sync(() => released.push(id)),
            )
            if (counts.has(id)) attached.add(id)
          } else {
            const count = counts.get(id)
            const exit = yield* Effect.exit(registry.forget(id, amount))
            if (count === undefined) assert.deepStrictEqual(exit, Exit.succeed(false))
            else if (amount > count.delivered) assert.isTrue(Exit.isFailure(exit))
            else {
              assert.deepStrictEqual(exit, Exit.succeed(true))
              count.delivered -= amount
              drop(id)
            }
          }
          assert.deepStrictEqual([...released].sort(), [...expected].sort())
          for (const each of ids) {
            assert.strictEqual(yield* registry.count(each), counts.get(each)?.delivered ?? 0)
            assert.strictEqual(registry.find(each) !== undefined, counts.has(each))
          }
          assert.deepStrictEqual(new Set(yield* registry.held), new Set([1, ...counts.keys()]))
        }
        yield* Scope.close(session, Exit.void)
        assert.deepStrictEqual([...released].sort(), [...expected, ...attached].sort())
        assert.deepStrictEqual(yield* registry.held, [])
      }),
    { arbitrary: { runs: 200, size: 100 } },
  )
})
