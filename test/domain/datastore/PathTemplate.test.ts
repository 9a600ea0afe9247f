import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as PathTemplate from "../../../src/domain/datastore/PathTemplate.ts"
import type { GroupId } from "../../../src/domain/datastore/SnapshotId.ts"

const group = (type: GroupId["type"], id: string, ...namespace: ReadonlyArray<string>): GroupId => ({
  namespace,
  type,
  id,
})

const expand = (text: string, of: GroupId) =>
  PathTemplate.expand(Result.getOrThrow(PathTemplate.parse(text)).names, of, "T").join("/")

const failure = (text: string): string => {
  const parsed = PathTemplate.parse(text)
  return Result.isFailure(parsed) ? parsed.failure : assert.fail(`${text} is a template`)
}

describe("a path template", () => {
  it("is made of what backups are", () => {
    const web = group("host", "web", "a", "b")
    assert.strictEqual(expand("%ns/%type/%id/%time", web), "a/b/host/web/T")
    assert.strictEqual(expand("by-time/%time/%type-%id", web), "by-time/T/host-web")
    assert.strictEqual(expand("%ns/%id/%time", group("vm", "100")), "100/T")
    assert.strictEqual(expand("100%%/%id@%time", web), "100%/web@T")
  })

  it("is refused with what is wrong with it", () => {
    for (const [text, part] of [
      ["", "empty name"],
      ["/%id/%time", "empty name"],
      ["%id/../%time", ".."],
      ["%id", "lacks %time"],
      ["%type/%time", "lacks %id"],
      ["x-%ns/%id/%time", "%ns beside"],
      ["%id/%time/%host", "a % before"],
      ["%id/%time%", "a % before"],
      [`%id/%time/${"x".repeat(300)}`, "more than"],
    ] as const) {
      assert.include(failure(text), part, text)
    }
  })

  it("cannot be used where two groups have one place", () => {
    const clash = (text: string, ...groups: ReadonlyArray<GroupId>) =>
      PathTemplate.clash(Result.getOrThrow(PathTemplate.parse(text)), groups)
    const [host, vm] = [group("host", "100"), group("vm", "100")]
    assert.deepStrictEqual(clash("%id/%time", host, vm), [host, vm])
    assert.isUndefined(clash("%type/%id/%time", host, vm))
    const inside = group("host", "100", "a")
    assert.deepStrictEqual(clash("%type/%id/%time", host, inside), [host, inside])
    assert.isUndefined(clash("%ns/%type/%id/%time", host, inside))
    // Whatever separates them may be in a name, too.
    const names = [group("host", "b", "a"), group("host", "a")]
    assert.isUndefined(clash("%ns/%id/%time", ...names))
  })
})
