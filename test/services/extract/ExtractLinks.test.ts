import { assert, describe, it } from "@effect/vitest"
import * as Folders from "../../../src/services/extract/Folder.ts"
import type { Folder } from "../../../src/services/extract/Folder.ts"
import { ExtractLinks } from "../../../src/services/extract/ExtractLinks.ts"

const folder = (name: string): Folder =>
  Folders.child(
    Folders.root(-1, {
      selected: true,
      isPassed: false,
      created: true,
      inheritsAcl: false,
      identity: undefined,
      written: undefined,
      lockedMode: undefined,
      lockedFlags: undefined,
    }),
    Buffer.from(name),
    true,
    0,
  )

const identity = (inode: number, device = 1) => ({
  device,
  inodeLow: inode % 2 ** 32,
  inodeHigh: Math.floor(inode / 2 ** 32),
})

const [a, b] = [folder("a"), folder("b")]

describe("ExtractLinks", () => {
  it("finds files of the archive that it is in, and no others", () => {
    const links = new ExtractLinks()
    links.enter(2)
    links.add(100, a, identity(1))
    links.add(300, a, identity(2))
    links.move(300, b, Buffer.from("moved"), identity(3))
    links.enter(3)
    assert.isUndefined(links.find(100))
    assert.isUndefined(links.find(300))
    links.add(50, b, identity(4))
    links.add(100, b, identity(5))
    links.enter(3)
    assert.deepStrictEqual(links.find(100), { folder: b, identity: identity(5), name: undefined })
    assert.deepStrictEqual(links.find(50)?.identity, identity(4))
  })

  it("finds each of many files, with its folder and its inode of 64 bits", () => {
    const links = new ExtractLinks()
    for (let i = 0; i < 5000; i++) links.add(10 * i, i % 700 < 350 ? a : b, identity(2 ** 40 + i, i < 4000 ? 1 : 2))
    for (let i = 0; i < 5000; i++) {
      assert.deepStrictEqual(links.find(10 * i), {
        folder: i % 700 < 350 ? a : b,
        identity: identity(2 ** 40 + i, i < 4000 ? 1 : 2),
        name: undefined,
      })
    }
  })

  it("finds nothing where no file was written", () => {
    const links = new ExtractLinks()
    assert.strictEqual(links.find(0), undefined)
    links.add(10, a, identity(1))
    links.add(30, a, identity(2))
    assert.deepStrictEqual([links.find(0), links.find(20), links.find(40)], [undefined, undefined, undefined])
  })

  it("prefers the file that took another's place", () => {
    const links = new ExtractLinks()
    links.add(10, a, identity(1))
    links.move(10, b, Buffer.from("copy"), identity(2))
    assert.deepStrictEqual(links.find(10), { folder: b, identity: identity(2), name: Buffer.from("copy") })
  })
})
