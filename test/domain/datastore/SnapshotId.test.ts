import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Namespace from "../../../src/domain/datastore/Namespace.ts"
import * as SnapshotId from "../../../src/domain/datastore/SnapshotId.ts"
import { anySnapshotId } from "./arbitraries.ts"

describe("SnapshotId", () => {
  it("has a time as folders are called, and its seconds", () => {
    assert.strictEqual(SnapshotId.toEpoch("2020-06-26T13:56:05Z"), 1_593_179_765)
    assert.strictEqual(SnapshotId.fromEpoch(1_593_179_765), "2020-06-26T13:56:05Z")
    assert.isTrue(SnapshotId.isTime("2020-02-29T23:59:59Z"))
  })

  it.each([
    "2021-02-29T00:00:00Z",
    "2020-06-26T24:00:00Z",
    "2020-06-26 13:56:05Z",
    "2020-06-26T13:56:05+00:00",
    "latest",
    "",
  ])("does not take %s for a time", (text) => assert.isFalse(SnapshotId.isTime(text)))

  it.prop("is read as it is written", [anySnapshotId], ([snapshot]) => {
    assert.deepStrictEqual(Result.getOrThrow(SnapshotId.parse(SnapshotId.format(snapshot))), snapshot)
  })

  it.each([
    "host/elsa",
    "lxc/elsa/2020-06-26T13:56:05Z",
    "host/../2020-06-26T13:56:05Z",
    "host/.elsa/2020-06-26T13:56:05Z",
    "a/b/host/elsa/2020-06-26T13:56:05Z",
    "ns/../host/elsa/2020-06-26T13:56:05Z",
    `${"ns/a/".repeat(8)}host/elsa/2020-06-26T13:56:05Z`,
  ])("does not take %s for a path of a backup", (text) => assert.isTrue(Result.isFailure(SnapshotId.parse(text))))
})

describe("Namespace", () => {
  it("has one text for people and one as on disk", () => {
    const namespace = Result.getOrThrow(Namespace.parse("a/b"))
    assert.strictEqual(Namespace.format(namespace), "a/b")
    assert.strictEqual(Namespace.toPath(namespace), "ns/a/ns/b")
    assert.deepStrictEqual(Result.getOrThrow(Namespace.parse("")), [])
  })

  it.each(["a//b", "/a", "a/", "..", "a/b/c/d/e/f/g/h", "x".repeat(257)])("refuses %s", (text) => {
    assert.isTrue(Result.isFailure(Namespace.parse(text)))
  })
})
