import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Request from "../../../src/fuse/wire/Request.ts"
import { anyBytes, anyInteger, anyU32, text } from "../../domain/pxar/helpers.ts"
import * as Wire from "../../support/Wire.ts"

const decoded = (message: Uint8Array): Request.Request => {
  const result = Request.decode(message)
  return Result.isSuccess(result) ? result.success : assert.fail(result.failure.detail)
}

const refusedOf = (message: Uint8Array): Request.BadMessage => {
  const result = Request.decode(message)
  return Result.isFailure(result) ? result.failure : assert.fail("was decoded")
}

/** The message with `length` in its header. */
const claiming = (message: Uint8Array, length: number): Buffer => {
  const copy = Buffer.from(message)
  copy.set(Wire.u32(length), 0)
  return copy
}

/** One message of every operation that is carried out, in full. */
const samples: Readonly<Record<string, Buffer>> = {
  Lookup: Wire.lookup(2, 1, "hello"),
  Forget: Wire.forget(4, 331, 3),
  "Forget (batch)": Wire.batchForget(6, [331, 1], [0x8000_0000_0000_004en, 2]),
  Getattr: Wire.getattr(8, 1),
  Readlink: Wire.readlink(10, 0x8000_0000_0000_00aen),
  Open: Wire.open(12, 1, 0x8000),
  Opendir: Wire.opendir(14, 1, 0x18800),
  Read: Wire.read(16, 1, 4096, 131_072),
  Readdir: Wire.readdir(18, 1, 2, 4096),
  Readdirplus: Wire.readdirplus(20, 1, 2, 4096),
  Statfs: Wire.statfs(22),
  Release: Wire.release(24, 1),
  "Release (folder)": Wire.releasedir(26, 1),
  Getxattr: Wire.getxattr(28, 1, "user.a", 64),
  Listxattr: Wire.listxattr(30, 1, 64),
  Init: Wire.init(32, 7, 45, 131_072, 0x7fff_fffb, 0x1ff),
  "Init (old)": Wire.init(32, 7, 31, 131_072, 0x7ffb),
  Interrupt: Wire.interrupt(34),
  Destroy: Wire.destroy(36),
}

describe("decode", () => {
  it("reads the header: opcode, unique, node, uid, gid, pid", () => {
    const { header } = decoded(
      Wire.hex(`
        28000000 05000000 # 40 bytes, READLINK
        0403020100000000  # unique
        ae00000000000080  # node
        e8030000 64000000 # uid 1000, gid 100
        92100000 00000000 # pid 4242
      `),
    )
    assert.deepStrictEqual(header, {
      opcode: 5,
      unique: 0x0102_0304,
      nodeId: -0xae,
      uid: 1000,
      gid: 100,
      pid: 4242,
    })
  })

  it("reads uniques up to 2^53 exactly", () => {
    assert.strictEqual(decoded(Wire.readlink(2n ** 53n - 2n, 1)).header.unique, 2 ** 53 - 2)
  })

  it("reads the node ids of root, folder and others", () => {
    assert.strictEqual(decoded(Wire.readlink(2, 1)).header.nodeId, 1)
    assert.strictEqual(decoded(Wire.readlink(2, 2n ** 40n + 331n)).header.nodeId, 2 ** 40 + 331)
    assert.strictEqual(decoded(Wire.readlink(2, 2n ** 63n + 2n ** 40n)).header.nodeId, -(2 ** 40))
  })

  it("reads LOOKUP", () => {
    const { body } = decoded(
      Wire.hex(`
        2e000000 01000000 0200000000000000 0100000000000000 e8030000 64000000 92100000 00000000
        68656c6c6f 00     # hello
      `),
    )
    assert.deepStrictEqual(body, { _tag: "Lookup", name: Uint8Array.from(Buffer.from("hello")) })
  })

  it("reads FORGET", () => {
    const { body } = decoded(
      Wire.hex(`
        30000000 02000000 0400000000000000 ae00000000000080 e8030000 64000000 92100000 00000000
        0300000000000000  # nlookup
      `),
    )
    assert.deepStrictEqual(body, { _tag: "Forget", forgets: [{ nodeId: -0xae, count: 3 }] })
  })

  it("reads BATCH_FORGET", () => {
    const { body } = decoded(
      Wire.hex(`
        50000000 2a000000 0600000000000000 0000000000000000 00000000 00000000 00000000 00000000
        02000000 00000000                  # two of them
        4b01000000000000 0100000000000000  # node, nlookup
        4e00000000000080 0000000001000000
      `),
    )
    assert.deepStrictEqual(body, {
      _tag: "Forget",
      forgets: [
        { nodeId: 331, count: 1 },
        { nodeId: -0x4e, count: 2 ** 32 },
      ],
    })
  })

  it("reads READ, READDIR and READDIRPLUS", () => {
    const message = Wire.hex(`
      50000000 0f000000 1000000000000000 4e00000000000080 e8030000 64000000 92100000 00000000
      0000000000000000 0010000002000000 # handle, offset
      00000200 02000000                 # size, read_flags
      1122334455667788 00880000 00000000
    `)
    assert.deepStrictEqual(decoded(message).body, { _tag: "Read", offset: 2 ** 33 + 4096, size: 131_072 })
    message.set(Wire.u32(28), 4)
    assert.deepStrictEqual(decoded(message).body, { _tag: "Readdir", offset: 2 ** 33 + 4096, size: 131_072 })
    message.set(Wire.u32(44), 4)
    assert.deepStrictEqual(decoded(message).body, { _tag: "Readdirplus", offset: 2 ** 33 + 4096, size: 131_072 })
  })

  it("reads GETXATTR and LISTXATTR", () => {
    const message = Wire.hex(`
      37000000 16000000 1c00000000000000 4e00000000000080 e8030000 64000000 92100000 00000000
      00010000 00000000 # size
      757365722e61 00   # user.a
    `)
    assert.deepStrictEqual(decoded(message).body, {
      _tag: "Getxattr",
      name: Uint8Array.from(Buffer.from("user.a")),
      size: 256,
    })
    assert.deepStrictEqual(decoded(Wire.listxattr(2, 1, 65_536)).body, { _tag: "Listxattr", size: 65_536 })
  })

  it("reads OPEN and OPENDIR", () => {
    assert.deepStrictEqual(decoded(Wire.open(2, 1, 0o100002)).body, { _tag: "Open", flags: 0o100002 })
    assert.deepStrictEqual(decoded(Wire.opendir(2, 1, 0x18800)).body, { _tag: "Opendir", flags: 0x18800 })
  })

  it("reads INIT, in its old and in its long form", () => {
    const offer = { _tag: "Init", major: 7, minor: 45, maxReadahead: 131_072, flags: 0x7fff_fffb }
    const old = Wire.hex(`
      38000000 1a000000 2000000000000000 0000000000000000 00000000 00000000 00000000 00000000
      07000000 2d000000 00000200 fbffff7f
    `)
    assert.deepStrictEqual<unknown>(decoded(old).body, offer)
    const long = decoded(Wire.init(32, 7, 45, 131_072, 0x7fff_fffb, 0x1ff)).body
    assert.deepStrictEqual<unknown>(long, { ...offer, flags2: 0x1ff })
  })

  it("reads INTERRUPT: the number of the request to end, which is not its own", () => {
    const request = decoded(
      Wire.hex(`
        30000000 24000000 2300000000000000 0000000000000000 00000000 00000000 00000000 00000000
        2200000000000000
      `),
    )
    assert.deepStrictEqual(request.body, { _tag: "Interrupt", unique: 34 })
    assert.strictEqual(request.header.unique, 35)
  })

  it.each([
    ["GETATTR", Wire.getattr(2, 1), "Getattr"],
    ["READLINK", Wire.readlink(2, 1), "Readlink"],
    ["STATFS", Wire.statfs(2), "Statfs"],
    ["RELEASE", Wire.release(2, 1), "Release"],
    ["RELEASEDIR", Wire.releasedir(2, 1), "Release"],
    ["DESTROY", Wire.destroy(2), "Destroy"],
  ])("reads %s, of which only the header counts", (_, message, tag) => {
    assert.deepStrictEqual<unknown>(decoded(message).body, { _tag: tag })
  })

  it.each(["SETATTR", "UNLINK", "FLUSH", "ACCESS", "NOTIFY_REPLY", "STATX"] as const)("reads %s as refused", (name) => {
    const { body } = decoded(Wire.request(Wire.Op[name], 2, 1, Wire.u64(0)))
    assert.strictEqual(body._tag, "Refused")
    assert.strictEqual(body._tag === "Refused" && body.operation?.name, name)
  })

  it.each([0, 7, 19, 63, 4096, 0xffff_ffff])("takes opcode %i, which nobody knows, as a request", (op) => {
    const request = decoded(Wire.request(op, 2, 1, Buffer.alloc(100, 0xff)))
    assert.deepStrictEqual(request.body, { _tag: "Refused", operation: undefined })
  })

  it("keeps names when the buffer is used again", () => {
    const buffer = Uint8Array.from(Wire.lookup(2, 1, "hello"))
    const { body } = decoded(buffer)
    buffer.fill(0xff)
    assert.strictEqual(body._tag === "Lookup" && text(body.name), "hello")
  })

  it("keeps names also of a Buffer, whose slice is no copy", () => {
    const buffer = Buffer.from(Wire.getxattr(2, 1, "user.a", 0))
    const { body } = decoded(buffer)
    buffer.fill(0xff)
    assert.strictEqual(body._tag === "Getxattr" && text(body.name), "user.a")
  })

  it("takes a name up to its first NUL, of any other bytes", () => {
    const odd = Uint8Array.of(0xff, 0x2f, 0x0a, 0x80)
    const { body } = decoded(Wire.request(Wire.Op.LOOKUP, 2, 1, odd, Wire.hex("00 41 42")))
    assert.deepStrictEqual(body, { _tag: "Lookup", name: odd })
  })
})

describe("a message that is none", () => {
  it.each(Object.entries(samples))("of %s, cut anywhere, is refused and never throws", (_, message) => {
    for (let length = 0; length < message.length; length++) {
      const bad = refusedOf(message.subarray(0, length))
      assert.strictEqual(bad.header !== undefined, length >= 40, `at ${length}`)
      assert.isNotEmpty(bad.detail)
    }
  })

  it.each(Object.entries(samples))("of %s, cut anywhere with its length told right, never throws", (_, message) => {
    for (let length = 40; length < message.length; length++)
      Request.decode(claiming(message.subarray(0, length), length))
  })

  it.each([
    ["Lookup", 41],
    ["Forget", 47],
    ["Forget (batch)", 47],
    ["Forget (batch)", 79],
    ["Getattr", 55],
    ["Open", 47],
    ["Opendir", 47],
    ["Read", 79],
    ["Readdir", 79],
    ["Readdirplus", 79],
    ["Getxattr", 49],
    ["Listxattr", 47],
    ["Init", 55],
    ["Interrupt", 47],
  ])("is %s of %i bytes", (sample, length) => {
    const message = samples[sample]!
    const bad = refusedOf(claiming(message.subarray(0, length), length))
    assert.strictEqual(bad.header?.unique, Number(message.readBigUInt64LE(8)))
  })

  it.each(["Lookup", "Getxattr"])("is a name of %s without its NUL", (sample) => {
    const message = samples[sample]!
    const length = message.length - 1
    assert.isDefined(refusedOf(claiming(message.subarray(0, length), length)).header)
  })

  it("is one longer or shorter than it says, and can be answered", () => {
    for (const length of [0, 39, 45, 47, 0xffff_ffff]) {
      const bad = refusedOf(claiming(Wire.lookup(2, 1, "hello"), length))
      assert.strictEqual(bad.header?.unique, 2)
    }
  })

  it("is a BATCH_FORGET of more nodes than it has", () => {
    const message = Wire.batchForget(6, [331, 1], [332, 1])
    for (const count of [3, 2 ** 28, 0xffff_ffff]) {
      message.set(Wire.u32(count), 40)
      assert.isDefined(refusedOf(message).header, `${count}`)
    }
  })

  it.prop(
    "of any bytes never throws",
    [anyBytes(120)],
    ([bytes]) => {
      Request.decode(bytes)
    },
    { arbitrary: { size: 120 } },
  )

  it.prop(
    "of any opcode and any body never throws",
    [anyInteger(0, 60), anyBytes(100)],
    ([opcode, body]) => {
      const result = Request.decode(Wire.request(opcode, 2, 1, body))
      assert.strictEqual(
        Result.isFailure(result) ? result.failure.header?.opcode : result.success.header.opcode,
        opcode,
      )
    },
    { arbitrary: { size: 100 } },
  )

  it.prop(
    "with any word replaced never throws",
    [anyInteger(0, 18), anyInteger(0, 30), anyU32],
    ([of, word, value]) => {
      const message = Buffer.from(Object.values(samples)[of] as Buffer)
      if (4 * word + 4 > message.length) return
      message.writeUInt32LE(value, 4 * word)
      Request.decode(message)
    },
  )
})
