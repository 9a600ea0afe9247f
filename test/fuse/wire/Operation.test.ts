import { assert, describe, it } from "@effect/vitest"
import * as Abi from "../../../src/fuse/wire/Abi.ts"
import * as Operation from "../../../src/fuse/wire/Operation.ts"
import { Errno, Op } from "../../support/Wire.ts"

/** Bytes that a request has at least after its header, by `sizeof` of its structs; names are one byte and a NUL. */
const minBody = {
  LOOKUP: 2,
  FORGET: 8,
  GETATTR: 16,
  READLINK: 0,
  OPEN: 8,
  READ: 40,
  STATFS: 0,
  GETXATTR: 8 + 2,
  LISTXATTR: 8,
  // struct fuse_init_in before 7.36
  INIT: 16,
  OPENDIR: 8,
  READDIR: 40,
  ACCESS: 8,
  IOCTL: 32,
  INTERRUPT: 8,
  DESTROY: 0,
  BATCH_FORGET: 8,
  READDIRPLUS: 40,
  LSEEK: 24,
} as const

const carriedOut = [
  "LOOKUP",
  "FORGET",
  "GETATTR",
  "READLINK",
  "OPEN",
  "READ",
  "STATFS",
  "RELEASE",
  "GETXATTR",
  "LISTXATTR",
  "IOCTL",
  "INIT",
  "OPENDIR",
  "READDIR",
  "RELEASEDIR",
  "INTERRUPT",
  "DESTROY",
  "BATCH_FORGET",
  "READDIRPLUS",
  "LSEEK",
] as const

/** Operations that would change something: their prototypes are in `fs/fuse/dir.c` and `file.c` of Linux. */
const changing = [
  "SETATTR",
  "SYMLINK",
  "MKNOD",
  "MKDIR",
  "UNLINK",
  "RMDIR",
  "RENAME",
  "LINK",
  "WRITE",
  "SETXATTR",
  "REMOVEXATTR",
  "CREATE",
  "FALLOCATE",
  "RENAME2",
  "COPY_FILE_RANGE",
  "COPY_FILE_RANGE_64",
  "TMPFILE",
] as const

/** The kernel does these by itself, or fails them for good, after one ENOSYS. */
const neverAgain = [
  "FSYNC",
  "FLUSH",
  "FSYNCDIR",
  "GETLK",
  "SETLK",
  "SETLKW",
  "ACCESS",
  "BMAP",
  "POLL",
  "SETUPMAPPING",
  "REMOVEMAPPING",
  "SYNCFS",
  "STATX",
] as const

const get = (name: keyof typeof Op): Operation.Operation => {
  const operation = Operation.fromOpcode(Op[name])
  return operation ?? assert.fail(`no operation for ${name}`)
}

describe("the table of operations", () => {
  it.each(Object.entries(Op))("has %s under its opcode %i", (name, opcode) => {
    const operation = Operation.fromOpcode(opcode)
    assert.strictEqual(operation?.name, name)
    assert.strictEqual(operation?.opcode, opcode)
  })

  it.each([0, 7, 19, 54, 63, 4096, 1_048_576, 436_207_616, 0xffff_ffff])("does not know opcode %i", (opcode) => {
    assert.isUndefined(Operation.fromOpcode(opcode))
  })

  it("knows for each opcode of fuse.h what to do, and no others", () => {
    const groups = [...carriedOut, ...changing, ...neverAgain, "NOTIFY_REPLY"]
    assert.sameMembers(groups, Object.keys(Op))
  })

  it.each(Object.entries(minBody))("wants at least the structs of %s: %i bytes", (name, size) => {
    assert.strictEqual(get(name as keyof typeof Op).minBody, size)
  })

  it.each(Object.keys(Op))("says whether the kernel waits for an answer to %s", (name) => {
    const silent = ["FORGET", "BATCH_FORGET", "INTERRUPT", "NOTIFY_REPLY"].includes(name)
    assert.strictEqual(get(name as keyof typeof Op).answered, !silent)
    assert.strictEqual(Operation.isAnswered(Op[name as keyof typeof Op]), !silent)
  })

  it.each([0, 7, 54, 4096])(
    "takes it that the kernel waits for an answer to opcode %i, which nobody knows",
    (opcode) => {
      assert.isTrue(Operation.isAnswered(opcode))
    },
  )

  it.each(carriedOut)("carries %s out", (name) => {
    assert.isUndefined(get(name).refusal)
  })

  it.each(changing)("refuses %s as on a read-only file system", (name) => {
    assert.strictEqual(get(name).refusal?.code, Errno.EROFS)
  })

  it.each(neverAgain)("tells the kernel never to send %s again", (name) => {
    assert.strictEqual(get(name).refusal?.code, Errno.ENOSYS)
  })

  it("can be listed, and listed again", () => {
    const opcodes = () => [...Operation.all].map(({ opcode }) => opcode).sort((a, b) => a - b)
    assert.deepStrictEqual(opcodes(), Object.values(Op))
    assert.deepStrictEqual(opcodes(), Object.values(Op), "a second time")
  })
})

/** What gcc gives for `/usr/include/linux/fuse.h` 7.38. */
describe("the layout of the kernel's structs", () => {
  it("has the opcodes of enum fuse_opcode", () => {
    assert.deepStrictEqual<Record<string, number>>(Abi.OPCODE, Op)
  })

  it("has the offsets of the headers", () => {
    assert.deepStrictEqual(Abi.IN_HEADER, {
      len: 0,
      opcode: 4,
      unique: 8,
      nodeid: 16,
      uid: 24,
      gid: 28,
      pid: 32,
      size: 40,
    })
    assert.deepStrictEqual(Abi.OUT_HEADER, { len: 0, error: 4, unique: 8, size: 16 })
  })

  it("has the offsets of attributes and entries", () => {
    assert.deepStrictEqual(Abi.ATTR, {
      ino: 0,
      size_: 8,
      blocks: 16,
      atime: 24,
      mtime: 32,
      ctime: 40,
      atimensec: 48,
      mtimensec: 52,
      ctimensec: 56,
      mode: 60,
      nlink: 64,
      uid: 68,
      gid: 72,
      rdev: 76,
      blksize: 80,
      flags: 84,
      size: 88,
    })
    assert.deepStrictEqual(Abi.ENTRY_OUT, {
      nodeid: 0,
      generation: 8,
      entry_valid: 16,
      attr_valid: 24,
      entry_valid_nsec: 32,
      attr_valid_nsec: 36,
      attr: 40,
      size: 128,
    })
    assert.deepStrictEqual(Abi.ATTR_OUT, { attr_valid: 0, attr_valid_nsec: 8, attr: 16, size: 104 })
  })

  it("has the offsets of directory entries", () => {
    assert.deepStrictEqual(Abi.DIRENT, { ino: 0, off: 8, namelen: 16, type: 20, name: 24 })
    assert.deepStrictEqual(Abi.DIRENTPLUS, { dirent: 128, name: 152 })
  })

  it("has the offsets of INIT", () => {
    const { size: _, ...offer } = Abi.INIT_IN
    assert.deepStrictEqual(offer, { major: 0, minor: 4, max_readahead: 8, flags: 12, flags2: 16 })
    assert.deepStrictEqual(Abi.INIT_OUT, {
      major: 0,
      minor: 4,
      max_readahead: 8,
      flags: 12,
      max_background: 16,
      congestion_threshold: 18,
      max_write: 20,
      time_gran: 24,
      max_pages: 28,
      map_alignment: 30,
      flags2: 32,
      size: 64,
      compat22: 24,
    })
  })

  it("has the offsets of the remaining structs", () => {
    assert.deepStrictEqual(Abi.STATFS_OUT, {
      blocks: 0,
      bfree: 8,
      bavail: 16,
      files: 24,
      ffree: 32,
      bsize: 40,
      namelen: 44,
      frsize: 48,
      size: 80,
    })
    assert.deepStrictEqual(Abi.READ_IN, { fh: 0, offset: 8, size_: 16, size: 40 })
    assert.deepStrictEqual(Abi.OPEN_IN, { flags: 0, size: 8 })
    assert.deepStrictEqual(Abi.OPEN_OUT, { fh: 0, open_flags: 8, size: 16 })
    assert.deepStrictEqual(Abi.GETXATTR_IN, { size_: 0, size: 8 })
    assert.deepStrictEqual(Abi.GETXATTR_OUT, { size_: 0, size: 8 })
    assert.deepStrictEqual(Abi.BATCH_FORGET_IN, { count: 0, size: 8 })
    assert.deepStrictEqual(Abi.FORGET_ONE, { nodeid: 0, nlookup: 8, size: 16 })
    assert.deepStrictEqual(
      [Abi.GETATTR_IN.size, Abi.FORGET_IN.size, Abi.INTERRUPT_IN.size, Abi.ACCESS_IN.size],
      [16, 8, 8, 8],
    )
  })
})
