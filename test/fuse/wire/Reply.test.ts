import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import * as Errno from "../../../src/domain/Errno.ts"
import * as NodeId from "../../../src/domain/pxar/NodeId.ts"
import * as Inode from "../../../src/domain/pxar/Inode.ts"
import type { Stat } from "../../../src/domain/pxar/Stat.ts"
import * as Reply from "../../../src/fuse/wire/Reply.ts"
import { anyBytes, anyInteger, anyOffset, anyU32 } from "../../domain/pxar/helpers.ts"
import * as Wire from "../../support/Wire.ts"

/** The file of §10.1. */
const hello: Stat = {
  id: -0x4e,
  ino: 2 * 0x4e + 1,
  mode: 0o100644,
  nlink: 1,
  uid: 1000,
  gid: 1000,
  size: 3,
  blocks: 1,
  rdev: 0,
  mtimeSeconds: 1_700_000_001n,
  mtimeNanos: 500_000_000,
}

/** Every field as large as it gets. */
const device: Stat = {
  id: 2 ** 53 - 1,
  ino: 2n ** 54n - 2n,
  mode: 0o066666,
  nlink: 2,
  uid: 0xffff_fffe,
  gid: 0xffff_fffd,
  size: 2 ** 52 + 1,
  blocks: 2 ** 43 + 1,
  rdev: 0xfff0_ffff,
  mtimeSeconds: -5n,
  mtimeNanos: 999_999_999,
}

const helloAttr = `
  9d00000000000000 0300000000000000 0100000000000000 # ino, size, blocks
  01f1536500000000 01f1536500000000 01f1536500000000 # atime, mtime, ctime
  0065cd1d 0065cd1d 0065cd1d                         # and their nanoseconds
  a4810000 01000000 e8030000 e8030000                # mode, nlink, uid, gid
  00000000 00100000 00000000                         # rdev, blksize, flags
`

const deviceAttr = `
  feffffffffff3f00 0100000000001000 0100000000080000
  fbffffffffffffff fbffffffffffffff fbffffffffffffff
  ffc99a3b ffc99a3b ffc99a3b
  b66d0000 02000000 feffffff fdffffff
  fffff0ff 00100000 00000000
`

/** A listing in memory that held something else before. */
const listingIn = (unique: number, size: number): Reply.Listing => {
  const message = Reply.make(unique, size)
  message.fill(0xaa, Reply.bodyOffset)
  return new Reply.Listing(message)
}

describe("a reply", () => {
  it("without a body is a header", () => {
    Wire.assertBytes(Reply.ok(0x0102_0304), Wire.hex("10000000 00000000 04030201 00000000"))
  })

  it("has a unique of 64 bits", () => {
    Wire.assertBytes(Reply.ok(2 ** 53 - 2), Wire.hex("10000000 00000000 feffffff ffff1f00"))
  })

  it.each([
    [Errno.ENOENT, "feffffff"],
    [Errno.EINTR, "fcffffff"],
    [Errno.EIO, "fbffffff"],
    [Errno.EBADF, "f7ffffff"],
    [Errno.ENOTDIR, "ecffffff"],
    [Errno.EISDIR, "ebffffff"],
    [Errno.EINVAL, "eaffffff"],
    [Errno.EROFS, "e2ffffff"],
    [Errno.ERANGE, "deffffff"],
    [Errno.ENOSYS, "daffffff"],
    [Errno.ELOOP, "d8ffffff"],
    [Errno.ENODATA, "c3ffffff"],
    [Errno.EPROTO, "b9ffffff"],
    [Errno.EOPNOTSUPP, "a1ffffff"],
  ])("says $name as a negative number", (errno, word) => {
    Wire.assertBytes(Reply.error(2, errno), Wire.hex(`10000000 ${word} 0200000000000000`))
  })

  it("carries bytes as they are", () => {
    Wire.assertBytes(Reply.bytes(10, Buffer.from("hello")), Wire.hex("15000000 00000000 0a00000000000000 68656c6c6f"))
    Wire.assertBytes(Reply.bytes(10, Buffer.alloc(0)), Reply.ok(10))
  })

  it("to LOOKUP is a struct fuse_entry_out, valid for ever", () => {
    Wire.assertBytes(
      Reply.entry(2, hello),
      Wire.hex(`
        90000000 00000000 0200000000000000
        4e00000000000080 0100000000000000                   # nodeid, generation
        ffffffffffffff7f ffffffffffffff7f 00000000 00000000 # entry_valid, attr_valid
        ${helloAttr}
      `),
    )
  })

  it("to LOOKUP of a name that is not there is an entry without a node, valid for ever", () => {
    Wire.assertBytes(
      Reply.noEntry(2),
      Buffer.concat([
        Wire.hex("90000000 00000000 0200000000000000 0000000000000000 0000000000000000 ffffffffffffff7f"),
        Buffer.alloc(104),
      ]),
    )
  })

  it("to GETATTR is a struct fuse_attr_out, valid for ever", () => {
    Wire.assertBytes(
      Reply.attr(8, hello),
      Wire.hex(`78000000 00000000 0800000000000000 ffffffffffffff7f 00000000 00000000 ${helloAttr}`),
    )
  })

  it("holds times before 1970, sizes of 2^52 and device numbers", () => {
    Wire.assertBytes(
      Reply.attr(8, device),
      Wire.hex(`78000000 00000000 0800000000000000 ffffffffffffff7f 00000000 00000000 ${deviceAttr}`),
    )
  })

  it("to OPEN is a struct fuse_open_out", () => {
    Wire.assertBytes(
      Reply.open(12, 0x0a),
      Wire.hex("20000000 00000000 0c00000000000000 0000000000000000 0a000000 00000000"),
    )
  })

  it("to GETXATTR and LISTXATTR of size 0 is a struct fuse_getxattr_out", () => {
    Wire.assertBytes(Reply.xattrSize(28, 300), Wire.hex("18000000 00000000 1c00000000000000 2c010000 00000000"))
  })

  it("to LSEEK is a struct fuse_lseek_out", () => {
    Wire.assertBytes(Reply.seek(28, 0x1_0000_0002), Wire.hex("18000000 00000000 1c00000000000000 0200000001000000"))
  })

  it("to STATFS is a full file system of 4 KiB blocks", () => {
    Wire.assertBytes(
      Reply.statfs(22, 340),
      Wire.hex(`
        60000000 00000000 1600000000000000
        0100000000000000 0000000000000000 0000000000000000 # blocks, bfree, bavail
        0000000000000000 0000000000000000                  # files, ffree
        00100000 ff000000 00100000 00000000                # bsize, namelen, frsize
        000000000000000000000000000000000000000000000000
      `),
    )
  })

  it.each([
    [0, 0n],
    [4096, 1n],
    [4097, 2n],
    [2 ** 45 + 1, 2n ** 33n + 1n],
  ])("to STATFS rounds %i bytes up to %i blocks", (size, blocks) => {
    assert.strictEqual(Buffer.from(Reply.statfs(2, size)).readBigUInt64LE(16), blocks)
  })

  it.prop("tells any attributes", [anyOffset, anyU32, anyU32, anyOffset], ([position, mode, word, size]) => {
    const stat: Stat = {
      ...hello,
      id: -position,
      ino: Inode.ofNode(-position),
      mode,
      uid: word,
      gid: mode,
      rdev: word,
      size,
      blocks: size,
    }
    const expected = {
      ino: BigInt.asUintN(64, BigInt(position) | (position === 0 ? 0n : 2n ** 63n)),
      mode,
      uid: word,
      gid: mode,
      rdev: word,
      size,
      blocks: size,
      seconds: 1_700_000_001,
      nanos: 500_000_000,
    }
    Wire.assertBytes(Reply.attr(4, stat), Wire.reply(4, 0, Wire.attrOut(expected)))
  })
})

describe("a listing", () => {
  const name = (text: string) => Buffer.from(text)

  it("for READDIR is a row of struct fuse_dirent", () => {
    const listing = listingIn(18, 4096)
    assert.isTrue(listing.add(name("hello"), 0x9d, 0o100644, 1))
    assert.isTrue(listing.add(name("folder12"), 0x296, 0o040755, 2))
    assert.isTrue(listing.add(name("."), 1, 0o040000, 3))
    Wire.assertBytes(
      listing.finish(),
      Wire.hex(`
        70000000 00000000 1200000000000000
        9d00000000000000 0100000000000000 05000000 08000000 68656c6c6f 000000 # DT_REG
        9602000000000000 0200000000000000 08000000 04000000 666f6c6465723132  # DT_DIR, no padding
        0100000000000000 0300000000000000 01000000 04000000 2e 00000000000000
      `),
    )
  })

  it.each([
    ["fifo", 0o010644, 1],
    ["character device", 0o020644, 2],
    ["folder", 0o040755, 4],
    ["block device", 0o060644, 6],
    ["file", 0o100644, 8],
    ["symlink", 0o120777, 10],
    ["socket", 0o140755, 12],
    ["child that cannot be decoded", 0, 0],
  ])("gives a %s its type", (_, mode, type) => {
    const listing = listingIn(18, 4096)
    listing.add(name("x"), 3, mode, 1)
    Wire.assertBytes(listing.finish(), Wire.reply(18, 0, Wire.dirent(0x8000_0000_0000_0001n, 1, type, "x")))
  })

  it("for READDIRPLUS has a struct fuse_entry_out before each name", () => {
    const listing = listingIn(20, 4096)
    assert.isTrue(listing.addPlus(name("hello"), 0x9d, 0o100644, hello, 1))
    Wire.assertBytes(
      listing.finish(),
      Wire.hex(`
        b0000000 00000000 1400000000000000
        4e00000000000080 0100000000000000
        ffffffffffffff7f ffffffffffffff7f 00000000 00000000
        ${helloAttr}
        9d00000000000000 0100000000000000 05000000 08000000 68656c6c6f 000000
      `),
    )
  })

  it("for READDIRPLUS has 128 zeros before a name that counts no reference", () => {
    const listing = listingIn(20, 4096)
    assert.isTrue(listing.addPlus(name("bad"), NodeId.UNKNOWN, 0, undefined, 7))
    Wire.assertBytes(
      listing.finish(),
      Buffer.concat([
        Wire.hex("b0000000 00000000 1400000000000000"),
        Buffer.alloc(128),
        Wire.hex("ffffffff00000000 0700000000000000 03000000 00000000 626164 0000000000"),
      ]),
    )
  })

  it("takes what fits to the byte, and nothing after that", () => {
    // 24 + 5 bytes, padded to 32
    for (const [size, fits] of [
      [31, false],
      [32, true],
      [63, true],
    ] as const) {
      const listing = listingIn(18, size)
      assert.strictEqual(listing.add(name("hello"), 0x9d, 0o100644, 1), fits, `${size}`)
      assert.isFalse(listing.add(name("link"), 0x15d, 0o120777, 2))
      const expected = fits ? Wire.dirent(0x8000_0000_0000_004en, 1, 8, "hello") : Buffer.alloc(0)
      Wire.assertBytes(listing.finish(), Wire.reply(18, 0, expected))
    }
  })

  it("takes names with attributes that fit to the byte, and leaves no trace of the others", () => {
    // 152 + 5 bytes, padded to 160
    for (const [size, fits] of [
      [159, false],
      [160, true],
      [319, true],
    ] as const) {
      const listing = listingIn(20, size)
      assert.strictEqual(listing.addPlus(name("hello"), 0x9d, 0o100644, hello, 1), fits, `${size}`)
      assert.isFalse(listing.addPlus(name("other"), 0x9d, 0o100644, hello, 2))
      const expected = fits ? Wire.reply(20, 0, Buffer.from(Reply.entry(0, hello)).subarray(16)) : Reply.ok(20)
      const body = fits ? Wire.dirent(0x8000_0000_0000_004en, 1, 8, "hello") : Buffer.alloc(0)
      Wire.assertBytes(listing.finish(), Wire.reply(20, 0, expected.subarray(16), body))
    }
  })

  it("of nothing is an empty reply", () => {
    Wire.assertBytes(listingIn(18, 4096).finish(), Wire.hex("10000000 00000000 1200000000000000"))
    Wire.assertBytes(listingIn(18, 0).finish(), Wire.hex("10000000 00000000 1200000000000000"))
  })

  it.prop(
    "holds the longest prefix that fits, each name once, whatever the sizes",
    [Arbitrary.array(anyBytes(40), { maxLength: 20 }), anyInteger(0, 900)],
    ([names, size]) => {
      const listing = listingIn(18, size)
      const expected: Array<Buffer> = []
      let room = size
      for (const [index, each] of names.entries()) {
        const entry = Wire.dirent(1, index + 1, 8, each)
        const fits = entry.length <= room
        assert.strictEqual(listing.add(each, 1, 0o100644, index + 1), fits)
        if (!fits) break
        room -= entry.length
        expected.push(entry)
      }
      Wire.assertBytes(listing.finish(), Wire.reply(18, 0, ...expected))
    },
    { arbitrary: { size: 100 } },
  )
})
