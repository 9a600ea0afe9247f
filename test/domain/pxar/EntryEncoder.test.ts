import { assert, describe, it } from "@effect/vitest"
import * as ByteBuilder from "../../../src/domain/ByteBuilder.ts"
import { noAttributes } from "../../../src/domain/pxar/Entry.ts"
import * as EntryEncoder from "../../../src/domain/pxar/EntryEncoder.ts"
import { FormatError } from "../../../src/domain/pxar/FormatError.ts"
import * as GoodbyeEncoder from "../../../src/domain/pxar/GoodbyeEncoder.ts"
import * as ArchiveBuilder from "../../support/ArchiveBuilder.ts"
import * as Oracle from "../../support/Oracle.ts"

const encode = (write: (to: ByteBuilder.ByteBuilder) => void): Buffer => {
  // As small as possible, so that it grows again and again.
  const to = ByteBuilder.make(1)
  write(to)
  return Buffer.from(ByteBuilder.contents(to))
}

const head: EntryEncoder.Metadata = {
  mode: 0o100644,
  flags: 0n,
  uid: 1000,
  gid: 1000,
  mtimeSeconds: 1_700_000_001n,
  mtimeNanos: 500_000_000,
  attributes: noAttributes,
}

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ""), "hex")

describe("literal bytes of the specification", () => {
  it("the archive of §10.1", () => {
    const root = { ...head, mode: 0o40755, uid: 0, gid: 0, mtimeSeconds: 1_700_000_000n, mtimeNanos: 0 }
    const link = { ...head, mode: 0o120777, mtimeSeconds: 1_700_000_002n, mtimeNanos: 0 }
    const children = GoodbyeEncoder.makeChildren()
    GoodbyeEncoder.addChild(children, { low: 0xb6502e1b, high: 0xb87dd821 }, 0x38, 0x61)
    GoodbyeEncoder.addChild(children, { low: 0xcf0fc0ef, high: 0x04fe0b2e }, 0x99, 0x63)
    const archive = encode((to) => {
      EntryEncoder.writeEntry(to, root)
      EntryEncoder.writeName(to, Buffer.from("hello"))
      EntryEncoder.writeEntry(to, head)
      EntryEncoder.writePayloadHeader(to, 3)
      ByteBuilder.append(to, Buffer.from("hi\n"))
      EntryEncoder.writeName(to, Buffer.from("link"))
      EntryEncoder.writeEntry(to, link)
      EntryEncoder.writeSymlink(to, Buffer.from("hello"))
      GoodbyeEncoder.writeGoodbye(to, children, to.length, 0)
    })
    assert.deepStrictEqual(
      archive,
      bytes(`
        ef ac 88 e5 74 64 95 d5 38 00 00 00 00 00 00 00  ed 41 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 00 f1 53 65 00 00 00 00  00 00 00 00 00 00 00 00 b3 17 39 06 21 11 70 16
        16 00 00 00 00 00 00 00 68 65 6c 6c 6f 00 ef ac  88 e5 74 64 95 d5 38 00 00 00 00 00 00 00 a4 81
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 e8 03  00 00 e8 03 00 00 01 f1 53 65 00 00 00 00 00 65
        cd 1d 00 00 00 00 25 1a 7c 0b 1b 7a 14 28 13 00  00 00 00 00 00 00 68 69 0a b3 17 39 06 21 11 70
        16 15 00 00 00 00 00 00 00 6c 69 6e 6b 00 ef ac  88 e5 74 64 95 d5 38 00 00 00 00 00 00 00 ff a1
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 e8 03  00 00 e8 03 00 00 02 f1 53 65 00 00 00 00 00 00
        00 00 00 00 00 00 5f dc f5 db e7 71 f9 27 16 00  00 00 00 00 00 00 68 65 6c 6c 6f 00 1d 73 d5 42
        a6 4f ec 2f 58 00 00 00 00 00 00 00 1b 2e 50 b6  21 d8 7d b8 c4 00 00 00 00 00 00 00 61 00 00 00
        00 00 00 00 ef c0 0f cf 2e 0b fe 04 63 00 00 00  00 00 00 00 63 00 00 00 00 00 00 00 55 15 3e 75
        5b ed 5e ef fc 00 00 00 00 00 00 00 58 00 00 00  00 00 00 00`),
    )
  })

  it("the version and the reference to a payload of §10.2, the markers of §10.3", () => {
    assert.deepStrictEqual(
      encode(EntryEncoder.writeVersion),
      bytes("0da416df756c0f73 1800000000000000 0200000000000000"),
    )
    assert.deepStrictEqual(
      encode((to) => EntryEncoder.writePayloadRef(to, 0x10, 3)),
      bytes("7e97bac46b3d9d41 2000000000000000 1000000000000000 0300000000000000"),
    )
    assert.deepStrictEqual(encode(EntryEncoder.writePayloadStart), bytes("d24e4a19c2684c83 1000000000000000"))
    assert.deepStrictEqual(encode(EntryEncoder.writePayloadTail), bytes("b5814c988bb7726c 1000000000000000"))
  })
})

describe("items equal those of an independent builder", () => {
  const cases: ReadonlyArray<readonly [string, (to: ByteBuilder.ByteBuilder) => void, Buffer]> = [
    ["prelude", (to) => EntryEncoder.writePrelude(to, Buffer.from("{}")), ArchiveBuilder.prelude("{}")],
    ["empty prelude", (to) => EntryEncoder.writePrelude(to, Buffer.alloc(0)), ArchiveBuilder.prelude("")],
    [
      "name of 4096 bytes",
      (to) => EntryEncoder.writeName(to, Buffer.alloc(4096, 0xff)),
      ArchiveBuilder.filename(Buffer.alloc(4096, 0xff)),
    ],
    ["name `...`", (to) => EntryEncoder.writeName(to, Buffer.from("...")), ArchiveBuilder.filename("...")],
    [
      "device",
      (to) => EntryEncoder.writeDevice(to, 0xffff_ffffn, (1n << 64n) - 1n),
      ArchiveBuilder.device(0xffff_ffffn, -1n),
    ],
    [
      "hard link",
      (to) => EntryEncoder.writeHardLink(to, 2 ** 40 + 1, Buffer.from("a/b")),
      ArchiveBuilder.hardlink(2 ** 40 + 1, "a/b"),
    ],
    [
      "payload of more than 4 GiB",
      (to) => EntryEncoder.writePayloadHeader(to, 2 ** 52),
      ArchiveBuilder.item(ArchiveBuilder.Type.PAYLOAD, Buffer.alloc(0), 2 ** 52 + 16),
    ],
    [
      "reference beyond 4 GiB",
      (to) => EntryEncoder.writePayloadRef(to, 2 ** 45 + 3, 2 ** 33),
      ArchiveBuilder.payloadRef(2 ** 45 + 3, 2 ** 33),
    ],
    [
      "times before the epoch, flags and ids at their limits",
      (to) =>
        EntryEncoder.writeEntry(to, {
          ...head,
          flags: (1n << 64n) - 1n,
          uid: 0xffff_ffff,
          gid: 0xffff_fffe,
          mtimeSeconds: -(1n << 63n),
        }),
      ArchiveBuilder.entry({
        mode: 0o100644,
        flags: -1n,
        uid: 0xffff_ffff,
        gid: 0xffff_fffe,
        seconds: -(1n << 63n),
        nanos: 500_000_000,
      }),
    ],
  ]
  for (const [title, write, expected] of cases) it(title, () => assert.deepStrictEqual(encode(write), expected))

  it("attributes in the order of §1.8", () => {
    const metadata: EntryEncoder.Metadata = {
      ...head,
      mode: 0o40755,
      attributes: {
        quotaProjectId: 77n,
        fcaps: Buffer.from([1, 2, 3]),
        aclDefaultGroups: [{ id: 9n, permissions: 1n }],
        aclDefaultUsers: [{ id: 8n, permissions: 2n }],
        aclDefault: { userObj: 7n, groupObj: 5n, other: 0n, mask: (1n << 64n) - 1n },
        aclGroupObj: 4n,
        aclGroups: [{ id: 6n, permissions: 4n }],
        aclUsers: [
          { id: 5n, permissions: 6n },
          { id: 0xffff_ffffn, permissions: 0n },
        ],
        xattrs: [
          { name: Buffer.from("user.b"), value: Buffer.alloc(0) },
          { name: Buffer.from("user.a"), value: Buffer.from([0, 1, 0]) },
        ],
      },
    }
    assert.deepStrictEqual(
      encode((to) => EntryEncoder.writeEntry(to, metadata)),
      Oracle.head(metadata),
    )
  })

  it("the largest attribute that fits", () => {
    const name = Buffer.alloc(255, "n")
    const value = Buffer.alloc(65_535, "v")
    const metadata = { ...head, attributes: { ...noAttributes, xattrs: [{ name, value }] } }
    assert.deepStrictEqual(
      encode((to) => EntryEncoder.writeEntry(to, metadata)),
      Oracle.head(metadata),
    )
  })

  for (const count of [0, 1, 2, 3, 7, 8, 9, 100, 1023, 1024, 1025]) {
    it(`a table of ${count} items in any order`, () => {
      const items = Array.from({ length: count }, (_, i) => ({
        hash: ArchiveBuilder.sipHash(`name ${i}`),
        start: 1000 + 50 * i,
        size: 50,
      }))
      const children = GoodbyeEncoder.makeChildren()
      for (const { hash, size, start } of items) {
        GoodbyeEncoder.addChild(children, { low: Number(hash & 0xffff_ffffn), high: Number(hash >> 32n) }, start, size)
      }
      const position = 2 ** 41
      const table = encode((to) => GoodbyeEncoder.writeGoodbye(to, children, position, 900))
      const slots = items.map(({ hash, size, start }) => ({ hash, size, offset: position - start }))
      assert.deepStrictEqual(table, ArchiveBuilder.goodbye(ArchiveBuilder.arrange(slots), position - 900))
      assert.strictEqual(GoodbyeEncoder.sizeOf(count), table.length)
    })
  }
})

describe("what a reader would refuse", () => {
  const refused = (check: string, write: (to: ByteBuilder.ByteBuilder) => void): void => {
    try {
      encode(write)
    } catch (thrown) {
      assert.instanceOf(thrown, FormatError)
      assert.strictEqual((thrown as FormatError).check, check)
      return
    }
    assert.fail("was written")
  }
  const xattr = (name: string, size: number): EntryEncoder.Metadata => ({
    ...head,
    attributes: { ...noAttributes, xattrs: [{ name: Buffer.from(name), value: Buffer.alloc(size) }] },
  })
  it("is not written", () => {
    refused("H3", (to) => EntryEncoder.writeName(to, Buffer.alloc(0)))
    refused("H3", (to) => EntryEncoder.writeName(to, Buffer.alloc(4097, "a")))
    for (const name of [".", "..", "a/b", "/"]) refused("N2", (to) => EntryEncoder.writeName(to, Buffer.from(name)))
    refused("N3", (to) => EntryEncoder.writeName(to, Buffer.from("a\0")))
    refused("H3", (to) => EntryEncoder.writeSymlink(to, Buffer.alloc(0)))
    refused("E4", (to) => EntryEncoder.writeSymlink(to, Buffer.from("\0a")))
    for (const back of [0, -1, 0.5, 2 ** 53])
      refused("L1", (to) => EntryEncoder.writeHardLink(to, back, Buffer.from("a")))
    refused("E4", (to) => EntryEncoder.writeHardLink(to, 1, Buffer.from("a\0b")))
    refused("H3", (to) => EntryEncoder.writeHardLink(to, 1, Buffer.alloc(4097, "a")))
    refused("H3", (to) => EntryEncoder.writePayloadHeader(to, 2 ** 53 - 1))
    refused("H3", (to) => EntryEncoder.writePayloadRef(to, 16, -1))
    refused("E1", (to) => EntryEncoder.writeEntry(to, { ...head, mode: 0o200000 }))
    refused("E1", (to) => EntryEncoder.writeEntry(to, { ...head, gid: -1 }))
    refused("E2", (to) => EntryEncoder.writeEntry(to, { ...head, mtimeNanos: 1_000_000_000 }))
    refused("E5", (to) => EntryEncoder.writeEntry(to, xattr("", 1)))
    refused("E5", (to) => EntryEncoder.writeEntry(to, xattr("user.\0", 1)))
    refused("H3", (to) => EntryEncoder.writeEntry(to, xattr("n".repeat(255), 65_536)))
  })
})
