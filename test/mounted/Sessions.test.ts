/** Ten sessions in one process: they start, work and end without minding each other, whatever transport they have. */
import * as fs from "node:fs"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as FuseNativeView from "../support/FuseNativeView.ts"
import * as Golden from "../support/Golden.ts"
import * as MountedTree from "../support/MountedTree.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"
import * as SessionsServer from "../support/SessionsServer.ts"

beforeEach(need({ mount: true, root: true, fuseNative: true, tools: ["umount"] }))

/** Different archives, every second one through fuse-native. */
const wanted: ReadonlyArray<SessionsServer.Wanted> = Golden.all
  .slice(0, 10)
  .map((golden, index) => ({ golden, transport: index % 2 === 0 ? "kernel" : "fuse-native" }))

const expected = ({ transport, golden }: SessionsServer.Wanted): ReadonlyArray<MountedTree.Seen> =>
  MountedTree.byPath(
    transport === "kernel"
      ? golden.view().map(MountedTree.expected)
      : golden.view().flatMap((view) => FuseNativeView.expected(view) ?? []),
  )

describe("ten sessions in one process, five of each transport", () => {
  it.live("show their archives, go on when others end or break, and leave nothing", () =>
    Effect.gen(function* () {
      const server = yield* SessionsServer.start(wanted)
      const { event, mountPoints } = server
      assert.deepStrictEqual(
        server.transports,
        wanted.map(({ transport }) => transport),
      )
      const shows = (session: number) =>
        MountedTree.comparable(MountedTree.read(mountPoints[session]!), wanted[session]!.golden.view())
      const left = new Set(wanted.keys())
      const othersGoOn = (...gone: ReadonlyArray<number>) => {
        for (const session of gone) left.delete(session)
        for (const session of left)
          assert.isAbove(fs.readdirSync(mountPoints[session]!).length, 0, mountPoints[session])
      }
      for (const session of left) {
        assert.deepStrictEqual(shows(session), expected(wanted[session]!), wanted[session]!.golden.name)
      }

      // Two are unmounted from outside, two are closed while a folder is open.
      for (const session of [0, 1]) {
        assert.strictEqual((yield* Processes.run("umount", [mountPoints[session]!])).code, 0)
        assert.strictEqual((yield* event("Ended", session)).outcome, "ended")
        assert.deepInclude(yield* event("Closed", session), { held: 0, inFlight: 0 })
      }
      othersGoOn(0, 1)
      for (const session of [2, 3]) {
        const descriptor = fs.openSync(mountPoints[session]!, "r")
        yield* server.order({ order: "close", session })
        assert.deepInclude(yield* event("Closed", session), { held: 0, inFlight: 0 })
        // A name that the kernel has to ask for.
        const { stderr } = yield* Processes.run("stat", [`/proc/${process.pid}/fd/${descriptor}/new`])
        assert.match(stderr, /not connected|connection abort/)
        fs.closeSync(descriptor)
      }
      othersGoOn(2, 3)

      // Two break: the registry and those who count in it disagree.
      for (const session of [4, 5]) {
        yield* server.order({ order: "break", session })
        const file = wanted[session]!.golden.view().find(({ kind }) => kind === "file")!
        // The kernel asks for a new name, libfuse for the end of an open file.
        yield* Processes.run("cat", ["new", `.${file.path}`], { cwd: mountPoints[session]! })
        assert.strictEqual((yield* event("Ended", session)).outcome, "Overforget")
        assert.deepInclude(yield* event("Closed", session), { held: 0, inFlight: 0 })
      }
      othersGoOn(4, 5)
      for (const session of left) assert.deepStrictEqual(shows(session), expected(wanted[session]!))

      const end = yield* server.end
      assert.deepInclude(end, { devices: 0, code: 0 })
      for (const mountPoint of mountPoints) {
        assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
      }
    }),
  )
})
