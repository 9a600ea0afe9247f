import { assert, describe, it } from "@effect/vitest"
import { type Attributes, type Entry, noAttributes } from "../../../src/domain/pxar/Entry.ts"
import * as EntryView from "../../../src/domain/pxar/EntryView.ts"
import { entryOf } from "./helpers.ts"

const attributes: Attributes = {
  ...noAttributes,
  xattrs: [{ name: Buffer.from("user.a"), value: Buffer.from("1") }],
  aclUsers: [{ id: 1000n, permissions: 7n }],
  aclGroupObj: 4n,
  fcaps: Buffer.from("caps"),
  quotaProjectId: 5n,
}

const bodies = {
  file: { _tag: "File", content: { source: "archive", start: 0, length: 0 } },
  folder: { _tag: "Directory", contentsStart: 0 },
  symlink: { _tag: "Symlink", target: Buffer.from("x") },
} as const

const entry = (kind: keyof typeof bodies, mode: number): Entry =>
  entryOf({ mode, uid: 7, gid: 8, attributes, body: bodies[kind] })

const file = (mode = 0o100670) => entry("file", mode)

const view = (options: EntryView.Options, of: Entry): Entry =>
  EntryView.make(options)?.(of) ?? assert.fail("nothing would be different")

describe("a view", () => {
  it("is none where everything is shown as it is", () => {
    assert.isUndefined(EntryView.make({}))
    assert.isUndefined(EntryView.make({ uid: undefined, xattrs: true }))
  })

  it("shows another owner, another group, or both; 0 too", () => {
    assert.deepInclude(view({ uid: 0 }, file()), { uid: 0, gid: 8, mode: 0o100670 })
    assert.deepInclude(view({ gid: 0 }, file()), { uid: 7, gid: 0 })
    assert.deepInclude(view({ uid: 1, gid: 2 }, file()), { uid: 1, gid: 2 })
  })

  it("takes set-id bits of files and capabilities away with the owner, as chown does", () => {
    const shown = view({ gid: 1 }, file(0o106755))
    assert.strictEqual(shown.mode, 0o100755)
    assert.deepStrictEqual(shown.attributes, { ...attributes, fcaps: undefined })
    assert.strictEqual(view({ uid: 1 }, entry("folder", 0o43755)).mode, 0o43755)
  })

  it("has the permissions that a mask leaves of 0777, for files and for folders", () => {
    const options = { fileMask: 0o133, directoryMask: 0o022 }
    assert.strictEqual(view(options, file(0o104000)).mode, 0o100644)
    assert.strictEqual(view(options, entry("folder", 0o41700)).mode, 0o40755)
    assert.strictEqual(view(options, entry("symlink", 0o120777)).mode, 0o120777)
    assert.strictEqual(view({ fileMask: 0 }, file(0o010600)).mode, 0o010777)
    assert.strictEqual(view({ fileMask: 0o777 }, entry("folder", 0o40700)).mode, 0o40700)
  })

  it("shows no ACL beside a mask, but the other attributes", () => {
    const { xattrs, fcaps, quotaProjectId } = attributes
    assert.deepStrictEqual(view({ fileMask: 0o77 }, file()).attributes, {
      ...noAttributes,
      xattrs,
      fcaps,
      quotaProjectId,
    })
    assert.deepStrictEqual(view({ fileMask: 0o77 }, entry("folder", 0o40770)).attributes, attributes)
  })

  it("without attributes gives the group what the ACL gives the owning group, not what its mask gives anybody", () => {
    const shown = view({ xattrs: false }, file(0o102670))
    assert.strictEqual(shown.mode, 0o102640)
    assert.deepStrictEqual(shown.attributes, { ...noAttributes, quotaProjectId: 5n })
    // The mask takes away what it does not have.
    assert.strictEqual(view({ xattrs: false }, file(0o100630)).mode, 0o100600)
    assert.strictEqual(view({ xattrs: false }, { ...file(), attributes: noAttributes }).mode, 0o100670)
  })
})
