import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as MountTable from "../../../src/fuse/mount/MountTable.ts"

const line = (id: number, parent: number, mountPoint: string, type = "ext4"): string =>
  `${id} ${parent} 0:${id} / ${mountPoint} rw - ${type} source rw`

const table = (...lines: ReadonlyArray<string>): ReadonlyArray<MountTable.Entry> =>
  MountTable.parse(Buffer.from(lines.map((text) => `${text}\n`).join(""), "latin1"))

const topmostId = (entries: ReadonlyArray<MountTable.Entry>, mountPoint: string): number | undefined =>
  MountTable.topmost(entries, mountPoint)?.id

describe("parse", () => {
  it("reads lines with any number of optional fields", () => {
    const entries = table(
      "22 27 0:21 / /proc rw,relatime - proc proc rw",
      "42 27 0:39 / /mnt/a ro,nosuid shared:1 master:2 - fuse.pxar /srv/a,b.pxar ro,user_id=0",
      "43 27 0:40 / /mnt/- ro - - fuse - ro",
    )
    assert.deepStrictEqual(entries.slice(0, 2), [
      {
        id: 22,
        parent: 27,
        device: "0:21",
        mountPoint: Buffer.from("/proc"),
        fsType: "proc",
        source: "proc",
        owner: undefined,
      },
      {
        id: 42,
        parent: 27,
        device: "0:39",
        mountPoint: Buffer.from("/mnt/a"),
        fsType: "fuse.pxar",
        source: "/srv/a,b.pxar",
        owner: 0,
      },
    ])
    assert.strictEqual(entries.length, 3)
  })

  it("undoes the octal escapes", () => {
    const [entry] = table(String.raw`1 0 0:1 / /a\040b\011c\012d\134040 rw - fuse.x\040y s\043\134 rw`)
    assert.strictEqual(entry!.mountPoint.toString(), "/a b\tc\nd\\040")
    assert.strictEqual(entry!.fsType, "fuse.x y")
    assert.strictEqual(entry!.source, "s#\\")
  })

  it("keeps bytes that are not UTF-8, and those that look like white space", () => {
    const [entry] = table("1 0 0:1 / /\xff\xa0\x85\r rw - ext4 \xc3\xa0 rw")
    assert.deepStrictEqual([...entry!.mountPoint], [0x2f, 0xff, 0xa0, 0x85, 0x0d])
    assert.strictEqual(entry!.source, "à")
  })

  it("leaves out what is no line of a mount table", () => {
    assert.deepStrictEqual(table("", "nonsense", "1 2 3"), [])
    assert.deepStrictEqual(MountTable.parse(Buffer.alloc(0)), [])
  })

  it("keeps an empty source", () => {
    const [entry] = table("1 0 0:1 / /a rw - fuse.pxar  rw")
    assert.strictEqual(entry!.source, "")
  })
})

describe("topmost", () => {
  it("finds only exact mount points", () => {
    const entries = table(line(1, 0, "/"), line(2, 1, "/mnt/a"), line(3, 1, "/mnt/ab"))
    assert.strictEqual(topmostId(entries, "/"), 1)
    assert.strictEqual(topmostId(entries, "/mnt/a"), 2)
    assert.strictEqual(topmostId(entries, "/mnt/ab"), 3)
    for (const path of ["/mnt", "/mnt/a/b", "/mnt/abc", "/mnt/"]) assert.isUndefined(topmostId(entries, path), path)
  })

  it("finds the top of a stack, whatever the order of the lines", () => {
    const stack = [line(1, 0, "/"), line(7, 1, "/mnt"), line(5, 7, "/mnt"), line(6, 5, "/mnt")]
    assert.strictEqual(topmostId(table(...stack), "/mnt"), 6)
    assert.strictEqual(topmostId(table(...stack.toReversed()), "/mnt"), 6)
  })

  it("does not find what a mount further up hides", () => {
    const hidden = [line(1, 0, "/"), line(2, 1, "/mnt/a"), line(3, 1, "/mnt")]
    assert.isUndefined(topmostId(table(...hidden), "/mnt/a"))
    assert.strictEqual(topmostId(table(...hidden, line(4, 3, "/mnt/a")), "/mnt/a"), 4)
  })

  it("works where the root is its own parent, or is not listed", () => {
    assert.strictEqual(topmostId(table(line(1, 1, "/"), line(2, 1, "/mnt")), "/mnt"), 2)
    assert.strictEqual(topmostId(table(line(8, 5, "/proc"), line(9, 5, "/mnt"), line(10, 9, "/mnt/a")), "/mnt/a"), 10)
    assert.isUndefined(topmostId([], "/mnt"))
  })

  it("compares bytes", () => {
    const entries = table(line(1, 0, "/"), line(2, 1, "/\xff"), line(3, 1, "/\xc3\xa0"))
    assert.strictEqual(topmostId(entries, "/à"), 3)
    assert.isUndefined(topmostId(entries, "/\ufffd"))
  })
})

describe("find", () => {
  it.effect("reads the table of this process", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* MountTable.find("/proc"))?.fsType, "proc")
      assert.isUndefined(yield* MountTable.find("/proc/self"))
    }),
  )
})
