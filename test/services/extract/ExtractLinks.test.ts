import { assert, describe, it } from "@effect/vitest"
import type { Folder } from "../../../src/services/extract/ExtractFolders.ts"
import { ExtractLinks } from "../../../src/services/extract/ExtractLinks.ts"

const folder = (name: string): Folder => ({
  parent: undefined,
  name: Buffer.from(name),
  pathLength: 0,
  selected: true,
  fd: -1,
  state: "Made",
  created: true,
  inheritsAcl: false,
  identity: undefined,
})

const identity = (inode: number, device = 1) => ({
  device,
  inodeLow: inode % 2 ** 32,
  inodeHigh: Math.floor(inode / 2 ** 32),
})

const [a, b] = [folder("a"), folder("b")]

describe("ExtractLinks", () => {
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

  it("forgets a file that was removed, but not the one that has its inode number then", () => {
    const links = new ExtractLinks()
    links.add(10, a, identity(7))
    links.remove(identity(7))
    links.add(20, a, identity(7))
    assert.strictEqual(links.find(10), undefined)
    assert.deepStrictEqual(links.find(20)?.identity, identity(7))
  })

  it("forgets a moved file that was removed", () => {
    const links = new ExtractLinks()
    links.move(10, a, Buffer.from("copy"), identity(7))
    links.remove(identity(7))
    links.move(20, a, Buffer.from("other"), identity(7))
    assert.strictEqual(links.find(10), undefined)
    assert.deepStrictEqual(links.find(20)?.name, Buffer.from("other"))
  })
})
