import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type * as Bridge from "../../../src/fuse/bridge/Bridge.ts"
import * as NamedMembers from "../../../src/fuse/bridge/NamedMembers.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as H from "../harness.ts"

const names = [
  { name: Buffer.from("a.pxar"), id: 2 },
  { name: Buffer.from("b.pxar"), id: 700 },
]

const make = Effect.map(H.bridgeOver({ source: fromBytes(H.helloBytes()) }), ({ bridge }) =>
  NamedMembers.make(bridge, names),
)

/** What a listing from `offset` on hands over, `room` names at most. */
const list = (bridge: Bridge.Shape, offset: number, room = 9) => {
  const listed: Array<Bridge.Listed> = []
  const add = (entry: Bridge.Listed) => listed.length < room && listed.push(entry) > 0
  return Effect.as(bridge.readdir(1, offset, add), listed)
}

describe("the root of a collection", () => {
  it.effect("is listed by name, without what would have to be looked up", () =>
    Effect.gen(function* () {
      const listed = yield* list(yield* make, 0)
      const none = { child: undefined, mode: 0o40000 }
      assert.deepStrictEqual(listed, [
        { ...none, name: names[0]!.name, id: 2, next: 1 },
        { ...none, name: names[1]!.name, id: 700, next: 2 },
        { ...none, name: Uint8Array.from(Buffer.from(".")), id: 1, next: 3 },
        { ...none, name: Uint8Array.from(Buffer.from("..")), id: 1, next: 4 },
      ])
    }),
  )

  it.effect("is listed on from where there was no more room", () =>
    Effect.gen(function* () {
      const bridge = yield* make
      const whole = yield* list(bridge, 0)
      const seen: Array<Bridge.Listed> = []
      for (let part = yield* list(bridge, 0, 1); part.length > 0; part = yield* list(bridge, seen.at(-1)!.next, 1)) {
        seen.push(...part)
      }
      assert.deepStrictEqual(seen, whole)
    }),
  )
})
