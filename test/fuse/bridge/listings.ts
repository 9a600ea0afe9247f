/** Bridges whose listings are looked at. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type * as Bridge from "../../../src/fuse/bridge/Bridge.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as H from "../harness.ts"

export const ROOT = 1
export const bytesOf = (name: string) => Buffer.from(name)

export const bridgeOver = (built: B.Built) => H.bridgeOver({ source: fromBytes(built.bytes, "test.pxar") })

export interface Shown {
  readonly name: string
  readonly next: number
}

/** What a listing gives from `offset` on, until it was given `limit` names. */
export const list = (bridge: Bridge.Bridge, id: number, offset = 0, limit = Number.POSITIVE_INFINITY) =>
  Effect.gen(function* () {
    const shown: Array<Bridge.Listed & { readonly text: string }> = []
    yield* bridge.readdir(id, offset, (entry) => {
      if (shown.length >= limit) return false
      shown.push({ ...entry, text: Buffer.from(entry.name).toString("latin1") })
      return true
    })
    return shown
  })

export const names = (bridge: Bridge.Bridge, id: number, offset = 0, limit?: number) =>
  Effect.map(list(bridge, id, offset, limit), (shown): ReadonlyArray<Shown> =>
    shown.map(({ next, text }) => ({ name: text, next })),
  )

export const enter = (bridge: Bridge.Bridge, parent: number, name: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const lease = yield* bridge.lease
      const stat = yield* bridge.lookup(parent, bytesOf(name), lease)
      lease.leak()
      return stat?.id ?? assert.fail(`${name} not found`)
    }),
  )

export const manyNames = Array.from({ length: 40 }, (_, index) => `name-${index}`)
export const many = B.build({ children: manyNames.map((name) => B.file(name, name)) })
export const manyInOrder: ReadonlyArray<Shown> = [...manyNames, ".", ".."].map((name, index) => ({
  name,
  next: index + 1,
}))
