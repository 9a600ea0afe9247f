/**
 * Ten mounts served by one process, this one, as a program does that embeds the library. Whoever uses them is another
 * process: nothing here may touch them.
 */
import { assert, beforeEach, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import * as Bridge from "../../src/fuse/bridge/Bridge.ts"
import * as Mount from "../../src/fuse/Mount.ts"
import * as ArchiveFiles from "../../src/services/archive/ArchiveFiles.ts"
import * as LookupRegistry from "../../src/services/LookupRegistry.ts"
import * as Golden from "../support/Golden.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true, root: true, tools: ["find", "umount"] }))

/** A type of file that there is not: the kernel drops such an entry of a listing, and returns its reference. */
const NO_TYPE = 0o030000

/** A bridge that loses count: it takes no reference back. */
const broken = (bridge: Bridge.Bridge): Bridge.Bridge => ({
  ...bridge,
  readdir: (id, offset, add) =>
    bridge.readdir(id, offset, (entry) =>
      add(
        entry.child === undefined
          ? entry
          : { ...entry, child: { ...entry.child, stat: withoutType(entry.child.stat) } },
      ),
    ),
  forget: (_, forgotten) => Effect.fail(new LookupRegistry.Overforget({ node: "1", held: 0, forgotten })),
})

const withoutType = <S extends { readonly mode: number }>(stat: S): S => ({ ...stat, mode: NO_TYPE })

const start = Effect.fnUntraced(function* (golden: Golden.Golden, change: (bridge: Bridge.Bridge) => Bridge.Bridge) {
  const mountPoint = yield* Processes.mountPoint()
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const mounted = yield* Effect.gen(function* () {
    const reader = yield* ArchiveFiles.open(golden.archive, { payload: golden.payload })
    const registry = yield* LookupRegistry.make(reader.root)
    return yield* Mount.mountBridge(change(Bridge.make(reader, registry)), registry, { mountPoint })
  }).pipe(Scope.provide(scope))
  const list = Effect.map(Processes.run("find", [mountPoint, "-printf", "/%P\\0"]), ({ code, stdout }) => ({
    code,
    paths: stdout.toString("latin1").split("\0").slice(0, -1),
  }))
  return {
    mounted,
    mountPoint,
    list,
    /** Fails unless all names are there. Asks the server, for the kernel keeps no STATFS. */
    works: Effect.gen(function* () {
      const before = (yield* mounted.counters).delivered
      const { code, paths } = yield* list
      const expected = golden.view().map(({ path }) => path.toString("latin1"))
      assert.strictEqual(code, 0)
      assert.sameMembers(paths, expected, golden.name)
      assert.isAbove((yield* mounted.counters).delivered, before)
    }),
    close: Scope.close(scope, Exit.void),
  }
})

it.live("ten mounts of one process start, work and end on their own; what breaks one does not touch the others", () =>
  Effect.gen(function* () {
    const breaking = yield* start(Golden.synthV1, broken)
    const sound = yield* Effect.forEach(
      Golden.all.filter((golden) => golden !== Golden.synthV1).slice(0, 9),
      (golden) => start(golden, (bridge) => bridge),
      { concurrency: "unbounded" },
    )
    assert.lengthOf(sound, 9)
    const working = (some: typeof sound) =>
      Effect.forEach(some, ({ works }) => works, { concurrency: 2, discard: true })
    yield* working(sound)

    assert.notStrictEqual((yield* breaking.list).code, 0)
    const error = yield* Effect.flip(breaking.mounted.ended)
    assert.strictEqual(error._tag, "Overforget")
    assert.deepStrictEqual(yield* Processes.mountsBelow(breaking.mountPoint), [])
    yield* working(sound)

    const [unmounted, closed, ...others] = sound
    assert.strictEqual((yield* Processes.run("umount", [unmounted!.mountPoint])).code, 0)
    yield* unmounted!.mounted.ended
    yield* closed!.close
    assert.deepStrictEqual(yield* Processes.mountsBelow(closed!.mountPoint), [])
    yield* working(others)

    for (const { close, mounted, mountPoint } of [breaking, ...sound]) {
      yield* close
      assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
      assert.deepStrictEqual(yield* mounted.held, [])
      assert.strictEqual(yield* mounted.inFlight, 0)
    }
  }),
)
