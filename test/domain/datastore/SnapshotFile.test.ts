import { assert, describe, it } from "@effect/vitest"
import * as SnapshotFile from "../../../src/domain/datastore/SnapshotFile.ts"

const files = SnapshotFile.shownOf([
  "root.pxar.didx",
  "data.ppxar.didx",
  "data.mpxar.didx",
  "root.mpxar.didx",
  "drive-scsi0.img.fidx",
  "qemu-server.conf.blob",
  "catalog.pcat1.didx",
  "../evil.pxar.didx",
])
const names = (shown: string) => SnapshotFile.resolve(files, shown)?.name

describe("SnapshotFile", () => {
  it("shows each file as people call it, a split archive once", () => {
    assert.deepStrictEqual(
      files.map(({ kind, shown }) => [shown, kind]),
      [
        ["root.pxar", "archive"],
        ["data.pxar", "archive"],
        ["root.mpxar", "archive"],
        ["drive-scsi0.img", "image"],
        ["qemu-server.conf", "blob"],
        ["catalog.pcat1", "catalog"],
      ],
    )
  })

  it("finds a file by any of its names", () => {
    for (const given of ["data.pxar", "data.mpxar", "data.mpxar.didx", "data.ppxar"])
      assert.strictEqual(names(given), "data.mpxar.didx")
    assert.strictEqual(names("root.pxar"), "root.pxar.didx")
    assert.strictEqual(names("root.mpxar"), "root.mpxar.didx")
    assert.strictEqual(names("drive-scsi0.img.fidx"), "drive-scsi0.img.fidx")
    assert.strictEqual(names("nothing"), undefined)
  })
})
