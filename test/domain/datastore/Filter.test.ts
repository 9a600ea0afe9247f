import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Filter from "../../../src/domain/datastore/Filter.ts"
import * as SnapshotId from "../../../src/domain/datastore/SnapshotId.ts"

const snapshots = [
  "host/al/2026-03-01T00:00:00Z",
  "host/alpha/2026-03-01T00:00:00Z",
  "host/alpha/2026-04-01T00:00:00Z",
  "ns/a/host/alpha/2026-03-01T00:00:00Z",
  "ns/a/ns/ab/vm/100/2026-03-02T00:00:00Z",
]

/** Which of them a filter means; the last one is the newest of its group. */
const meant = (text: string): ReadonlyArray<number> =>
  snapshots.flatMap((snapshot, at) => {
    const id = Result.getOrThrow(SnapshotId.parse(snapshot))
    return Filter.matches(Filter.parse(text), id, at === 4) ? [at] : []
  })

describe("a filter", () => {
  for (const [text, expected] of [
    ["", [0, 1, 2, 3, 4]],
    ["host", [0, 1, 2]],
    ["ho", []],
    ["host/al", [0]],
    ["host/al/", [0]],
    ["host/al*", [0, 1, 2]],
    ["host/*pha", [1, 2]],
    ["host/*/2026-03", [0, 1]],
    ["host/alpha/2026-03-01T00:00:00Z", [1]],
    ["host/alpha/2026-03-01T00:00:00Z/root.pxar", []],
    ["ns/a", [3, 4]],
    ["ns/a/ns/a", []],
    ["ns/a/ns/a*/vm", [4]],
    ["ns/a/ns/ab/vm/100/latest", [4]],
    ["host/alpha/latest", []],
    ["*", [0, 1, 2, 3, 4]],
  ] as const) {
    it(`${JSON.stringify(text)} is the first names of a reference`, () => {
      assert.deepStrictEqual(meant(text), expected)
    })
  }
})
