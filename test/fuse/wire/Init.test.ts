import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Init from "../../../src/fuse/wire/Init.ts"
import { anyU32 } from "../../domain/pxar/helpers.ts"
import * as Wire from "../../support/Wire.ts"

/** What Linux 6.18 offers. */
const offer: Init.Offer = { major: 7, minor: 45, maxReadahead: 131_072, flags: 0x7bff_fffb }

/** Bits of FUSE_* flags in fuse.h that a read-only server has use for. */
const bits = {
  ASYNC_READ: 0x1,
  EXPORT_SUPPORT: 0x10,
  INIT_EXT: 0x4000_0000,
  DO_READDIRPLUS: 0x2000,
  ASYNC_DIO: 0x8000,
  NO_OPEN_SUPPORT: 0x2_0000,
  PARALLEL_DIROPS: 0x4_0000,
  POSIX_ACL: 0x10_0000,
  ABORT_ERROR: 0x20_0000,
  MAX_PAGES: 0x40_0000,
  CACHE_SYMLINKS: 0x80_0000,
  NO_OPENDIR_SUPPORT: 0x100_0000,
} as const

const ours =
  bits.ASYNC_READ |
  bits.DO_READDIRPLUS |
  bits.PARALLEL_DIROPS |
  bits.POSIX_ACL |
  bits.ABORT_ERROR |
  bits.MAX_PAGES |
  bits.CACHE_SYMLINKS

const negotiate = (of: Partial<Init.Offer>, posixAcl = true) => Init.negotiate({ ...offer, ...of }, { posixAcl })

const agreed = (of: Partial<Init.Offer>, posixAcl = true): Init.Agreement => {
  const result = negotiate(of, posixAcl)
  if (Result.isFailure(result) || result.success === "ask again") return assert.fail("no agreement")
  return result.success
}

describe("negotiate", () => {
  it("speaks the lower of both minor versions", () => {
    assert.strictEqual(agreed({ minor: 45 }).minor, 45)
    assert.strictEqual(agreed({ minor: 31 }).minor, 31)
    assert.strictEqual(agreed({ minor: 9 }).minor, 9)
    assert.strictEqual(agreed({ minor: 99 }).minor, 45)
  })

  it("wants of what is offered the flags that it has use for", () => {
    assert.strictEqual(agreed({ flags: 0xffff_ffff }).flags, ours)
    assert.strictEqual(agreed({ flags: 0 }).flags, 0)
    assert.strictEqual(agreed({ flags: bits.ASYNC_READ | bits.NO_OPEN_SUPPORT }).flags, bits.ASYNC_READ)
  })

  it.prop("never sets a flag that was not offered", [anyU32], ([flags]) => {
    assert.strictEqual(agreed({ flags }).flags & ~flags, 0)
  })

  it("leaves ACLs to others without default_permissions", () => {
    assert.strictEqual(agreed({ flags: 0xffff_ffff }, false).flags, ours & ~bits.POSIX_ACL)
  })

  it("has handles that last where they are asked for, and else tells the kernel that there are none", () => {
    const everything = { ...offer, flags: 0xffff_ffff, flags2: 0xffff_ffff }
    const withExport = Init.negotiate(everything, { posixAcl: true, nfsExport: true })
    assert.deepInclude(Result.getOrThrow(withExport), { flags: ours | bits.EXPORT_SUPPORT })
    assert.notProperty(Result.getOrThrow(withExport), "flags2")
    const without = Init.negotiate(everything, { posixAcl: true })
    assert.deepInclude(Result.getOrThrow(without), { flags: (ours | bits.INIT_EXT) >>> 0, flags2: 0x40 })
    // One that has no upper bits, or does not know this one.
    assert.notProperty(
      Result.getOrThrow(Init.negotiate({ ...everything, flags: 0x3fff_ffff }, { posixAcl: true })),
      "flags2",
    )
    assert.notProperty(Result.getOrThrow(Init.negotiate({ ...everything, flags2: 0x3f }, { posixAcl: true })), "flags2")
  })

  it("notes whether the kernel can open files, and folders, by itself", () => {
    assert.deepInclude(agreed({ flags: 0 }), { noOpen: false, noOpendir: false })
    assert.deepInclude(agreed({ flags: bits.NO_OPEN_SUPPORT }), { noOpen: true, noOpendir: false })
    assert.deepInclude(agreed({ flags: bits.NO_OPENDIR_SUPPORT }), { noOpen: false, noOpendir: true })
  })

  it("asks a kernel of a newer major version to speak ours", () => {
    assert.deepStrictEqual(negotiate({ major: 8, minor: 0 }), Result.succeed<"ask again">("ask again"))
  })

  it.each([
    [6, 45],
    [0, 0],
    [7, 8],
    [7, 0],
  ])("cannot serve a kernel of version %i.%i", (major, minor) => {
    const result = negotiate({ major, minor })
    assert.strictEqual(Result.isFailure(result) && result.failure.code, Wire.Errno.EPROTO)
  })
})

describe("reply", () => {
  it("is a struct fuse_init_out of 64 bytes", () => {
    Wire.assertBytes(
      Init.reply(2, offer, { minor: 45, flags: ours, noOpen: true, noOpendir: true }),
      Wire.hex(`
        50000000 00000000 0200000000000000
        07000000 2d000000 # 7.45
        00001000 0120f400 # max_readahead 1 MiB, flags
        4000 3000         # max_background 64, congestion_threshold 48
        00100000          # max_write 4096
        01000000          # time_gran: 1 ns
        0001 0000         # max_pages 256, map_alignment
        00000000          # flags2
        00000000 00000000 00000000 00000000 00000000 00000000 00000000
      `),
    )
  })

  it("is 24 bytes long for a kernel before 7.23", () => {
    Wire.assertBytes(
      Init.reply(2, { ...offer, minor: 22 }, { minor: 22, flags: 0x2001, noOpen: false, noOpendir: false }),
      Wire.hex(`
        28000000 00000000 0200000000000000
        07000000 16000000 00001000 01200000 4000 3000 00100000
      `),
    )
  })

  it("is 64 bytes long from 7.23 on", () => {
    const reply = Init.reply(2, { ...offer, minor: 23 }, { minor: 23, flags: 1, noOpen: false, noOpendir: false })
    assert.strictEqual(reply.length, 16 + 64)
  })

  it("tells a kernel of a newer major version ours, and nothing else", () => {
    Wire.assertBytes(
      Init.reply(2, { ...offer, major: 8, minor: 3 }, "ask again"),
      Buffer.concat([Wire.hex("50000000 00000000 0200000000000000 07000000 2d000000"), Buffer.alloc(56)]),
    )
  })

  it("wants as much read-ahead as it is told to, also less than the kernel offers", () => {
    const agreement = { minor: 45, flags: 0, noOpen: false, noOpendir: false }
    for (const readAhead of [0, 4096, 4 << 20]) {
      const message = Init.reply(2, offer, agreement, { readAhead })
      assert.strictEqual(Buffer.from(message).readUInt32LE(16 + 8), readAhead)
    }
  })

  it("wants 1 MiB of read-ahead, or what the kernel offers if that is more", () => {
    const agreement = { minor: 45, flags: 0, noOpen: false, noOpendir: false }
    const granted = (maxReadahead: number) =>
      Buffer.from(Init.reply(2, { ...offer, maxReadahead }, agreement)).readUInt32LE(16 + 8)
    assert.strictEqual(granted(0), 1_048_576)
    assert.strictEqual(granted(1_048_577), 1_048_577)
    assert.strictEqual(granted(0xffff_ffff), 0xffff_ffff)
  })
})
