/**
 * What programs may expect of a file system, as a table of named checks on a real mount, in the spirit of the suites of
 * libfuse and go-fuse. What a file holds is compared with the bytes of the archive itself.
 */
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Golden from "../support/Golden.ts"
import * as Layout from "../support/Layout.ts"
import * as MountServer from "../support/MountServer.ts"
import * as Wire from "../support/Wire.ts"
import * as Posix from "../support/PosixCalls.ts"
import * as Processes from "../support/Processes.ts"
import type { Job } from "../support/randomReader.ts"
import { need } from "../support/Requirements.ts"
import * as Syscalls from "../support/Syscalls.ts"

beforeEach(need({ mount: true, root: true }))

const mount = MountServer.shared(Golden.treeV1)
const view = Golden.treeV1.view().map((line) => Object.assign({ name: line.path.toString("latin1") }, line))
const layout = Layout.scan(Golden.load(Golden.treeV1).bytes)

/** Where the bytes of a file stand in the archive. */
const contentOf = (name: string) => {
  const range = layout.places.find((place) => place.path === name)?.content?.range
  if (range === undefined) throw new Error(`${name} has no content`)
  return { at: range[0] + 16, size: range[1] - range[0] - 16 }
}
const bytesOf = (name: string): Buffer => {
  const { at, size } = contentOf(name)
  return Golden.load(Golden.treeV1).bytes.subarray(at, at + size)
}

const LARGE = "/sizes/s1048577"

/** A check, given a function that makes the path on the mount of one in the archive. */
type Check = (at: (name: string) => string) => void | Promise<void>

const table = (checks: Readonly<Record<string, Check>>): void => {
  for (const [name, check] of Object.entries(checks)) {
    it.live(name, () =>
      Effect.gen(function* () {
        const { mountPoint } = yield* mount
        yield* Effect.promise(async () => check((name) => mountPoint + name))
      }),
    )
  }
}

const using = <A>(file: string, flags: number, use: (descriptor: number) => A): A => {
  const descriptor = fs.openSync(file, flags)
  try {
    return use(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}
const { O_CREAT, O_DIRECT, O_DIRECTORY, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = fs.constants
const O_TMPFILE = 0o20200000

const codeOf = (run: () => unknown): string => {
  try {
    run()
    return "succeeds"
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

describe("everything that writes is refused with EROFS", () => {
  const file = "/times/epoch"
  const writes: Readonly<Record<string, (at: (name: string) => string) => unknown>> = {
    "open for writing": (at) => fs.openSync(at(file), O_WRONLY),
    "open for reading and writing": (at) => fs.openSync(at(file), O_RDWR),
    "open that cuts": (at) => fs.openSync(at(file), O_RDONLY | O_TRUNC),
    "open that creates": (at) => fs.openSync(at("/new"), O_RDONLY | O_CREAT),
    "a file without a name": (at) => fs.openSync(at("/times"), O_RDWR | O_TMPFILE),
    truncate: (at) => fs.truncateSync(at(file), 0),
    mkdir: (at) => fs.mkdirSync(at("/new")),
    rmdir: (at) => fs.rmdirSync(at("/empty/e1")),
    unlink: (at) => fs.unlinkSync(at(file)),
    rename: (at) => fs.renameSync(at(file), at("/times/new")),
    "rename over another": (at) => fs.renameSync(at(file), at("/times/nanos")),
    "rename that exchanges": (at) => Posix.exchange(at(file), at("/times/nanos")),
    link: (at) => fs.linkSync(at(file), at("/new")),
    symlink: (at) => fs.symlinkSync("target", at("/new")),
    "mknod of a file": (at) => Posix.mknod(at("/new"), 0o100644),
    "mknod of a FIFO": (at) => Posix.mknod(at("/new"), 0o010644),
    chmod: (at) => fs.chmodSync(at(file), 0o777),
    chown: (at) => fs.chownSync(at(file), 1, 1),
    lchown: (at) => fs.lchownSync(at("/sym/ok"), 1, 1),
    utimes: (at) => fs.utimesSync(at(file), 1, 1),
    lutimes: (at) => fs.lutimesSync(at("/sym/ok"), 1, 1),
    "setxattr of a new one": (at) => Posix.setxattr(at(file), "user.new"),
    "setxattr of one that is there": (at) => Posix.setxattr(at("/xattr/one"), "user.name"),
    "setxattr of an ACL": (at) => Posix.setxattr(at(file), "system.posix_acl_access"),
    removexattr: (at) => Posix.removexattr(at("/xattr/one"), "user.name"),
    "access for writing": (at) => fs.accessSync(at(file), fs.constants.W_OK),
    "a copy onto a file": (at) => fs.copyFileSync(at(file), at("/times/nanos")),
  }
  // The kernel looks at the value first: it is no ACL.
  const earlier = new Map([["setxattr of an ACL", "EOPNOTSUPP,EINVAL,EROFS"]])
  table(
    Object.fromEntries(
      Object.entries(writes).map(([name, write]): [string, Check] => [
        name,
        (at) =>
          assert.include(
            earlier.get(name) ?? "EROFS",
            codeOf(() => write(at)),
          ),
      ]),
    ),
  )

  it.live("a socket that is bound", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* mount
      const code = yield* Effect.callback<string | undefined>((resume) => {
        const server = net.createServer()
        server.on("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed(error.code)))
        server.listen(path.join(mountPoint, "new"), () => server.close(() => resume(Effect.succeed("succeeds"))))
      })
      assert.strictEqual(code, "EROFS")
    }),
  )

  table({
    "and nothing has changed": (at) => {
      assert.isFalse(fs.existsSync(at("/new")))
      assert.strictEqual(fs.readFileSync(at("/times/epoch")).length, 5)
    },
  })
})

describe("folders", () => {
  const all = (descriptor: number, size: number): Array<Posix.Entry> => {
    const list: Array<Posix.Entry> = []
    for (let some = Posix.entries(descriptor, size); some.length > 0; some = Posix.entries(descriptor, size)) {
      list.push(...some)
    }
    return list
  }
  const names = (list: ReadonlyArray<Posix.Entry>) => list.map(({ name }) => name)

  table({
    "d_type and d_ino agree with stat, for every name": (at) => {
      for (const { kind, name } of view) {
        if (kind !== "directory" || name.startsWith("/deep/d000/")) continue
        for (const entry of using(at(name), O_RDONLY | O_DIRECTORY, (folder) => all(folder, 4096))) {
          if (entry.name === "..") continue
          const file = Buffer.from(`${at(name)}/${entry.name}`, "latin1")
          const { ino, mode } = fs.lstatSync(file, { bigint: true })
          assert.deepStrictEqual([entry.ino, entry.type], [BigInt.asUintN(64, ino), Number(mode >> 12n)], entry.name)
        }
      }
    },
    "the listing is the same whatever the buffer": (at) => {
      const whole = using(at("/many"), O_RDONLY, (folder) => names(all(folder, 1 << 20)))
      assert.strictEqual(whole.length, 402)
      for (const size of [64, 200, 1000, 4096]) {
        assert.deepStrictEqual(
          using(at("/many"), O_RDONLY, (folder) => names(all(folder, size))),
          whole,
        )
      }
    },
    "seekdir to any telldir gives what came after it": (at) =>
      using(at("/many"), O_RDONLY, (folder) => {
        const whole = all(folder, 300)
        for (let index = 0; index < whole.length; index += 7) {
          Posix.seek(folder, (whole[index] as Posix.Entry).next, Posix.SEEK_SET)
          assert.deepStrictEqual(names(all(folder, 500)), names(whole.slice(index + 1)), `after ${index}`)
        }
      }),
    "a position is good for another descriptor, too": (at) => {
      const whole = using(at("/many"), O_RDONLY, (folder) => all(folder, 4096))
      using(at("/many"), O_RDONLY, (folder) => {
        Posix.seek(folder, (whole[100] as Posix.Entry).next, Posix.SEEK_SET)
        assert.deepStrictEqual(names(all(folder, 4096)), names(whole.slice(101)))
      })
    },
    "rewinddir begins again": (at) =>
      using(at("/many"), O_RDONLY, (folder) => {
        const whole = names(all(folder, 4096))
        Posix.seek(folder, 0, Posix.SEEK_SET)
        assert.deepStrictEqual(names(all(folder, 4096)), whole)
      }),
    "two readers of one folder do not disturb each other": (at) =>
      using(at("/many"), O_RDONLY, (one) =>
        using(at("/many"), O_RDONLY, (other) => {
          const seen: [Array<string>, Array<string>] = [[], []]
          for (let open = 2; open > 0;) {
            open = 0
            for (const [index, folder] of [one, other].entries()) {
              const some = names(Posix.entries(folder, index === 0 ? 100 : 333))
              seen[index as 0 | 1].push(...some)
              if (some.length > 0) open++
            }
          }
          assert.deepStrictEqual(seen[0], seen[1])
        }),
      ),
    "a folder is not read as a file": (at) =>
      assert.strictEqual(
        codeOf(() => fs.readFileSync(at("/many"))),
        "EISDIR",
      ),
    "a file is not entered": (at) =>
      assert.strictEqual(
        codeOf(() => fs.lstatSync(at("/times/epoch/x"))),
        "ENOTDIR",
      ),
    "a link that leads to itself is ELOOP": (at) =>
      assert.strictEqual(
        codeOf(() => fs.statSync(at("/sym/loop"))),
        "ELOOP",
      ),
    "a name of 256 bytes is ENAMETOOLONG or is not there": (at) =>
      assert.include(
        ["ENAMETOOLONG", "ENOENT"],
        codeOf(() => fs.lstatSync(at(`/${"n".repeat(256)}`))),
      ),
  })
})

describe("contents", () => {
  const sizes = view.filter(({ name }) => name.startsWith("/sizes/")).map(({ name }) => name)
  table({
    "O_DIRECT reads equal those of the archive": (at) => {
      for (const name of sizes) {
        using(at(name), O_RDONLY | O_DIRECT, (descriptor) => {
          const { size } = contentOf(name)
          const pieces: Array<Buffer> = []
          for (let offset = 0; offset < size; offset += 65_536) {
            pieces.push(Posix.readAligned(descriptor, offset, 65_536))
          }
          assert.isTrue(Buffer.concat(pieces).equals(bytesOf(name)), name)
        })
      }
    },
    "mmap shows what is in the archive": (at) => {
      for (const name of sizes) {
        const { size } = contentOf(name)
        if (size > 0)
          using(at(name), O_RDONLY, (file) => assert.isTrue(Posix.mapped(file, size).equals(bytesOf(name)), name))
      }
    },
    "mmap shows zeros behind the end, up to the page": (at) =>
      using(at("/sizes/s4095"), O_RDONLY, (file) => assert.strictEqual(Posix.mapped(file, 4096)[4095], 0)),
    "reads at and past the end": (at) => {
      for (const name of sizes) {
        const { size } = contentOf(name)
        using(at(name), O_RDONLY, (file) => {
          const read = (offset: number) => fs.readSync(file, Buffer.alloc(100), 0, 100, offset)
          if (size > 0) assert.strictEqual(read(size - 1), 1, name)
          for (const offset of [size, size + 1, size + 4096, 2 ** 31, 2 ** 40])
            assert.strictEqual(read(offset), 0, name)
        })
      }
    },
    "reads over every boundary of pages": (at) =>
      using(at(LARGE), O_RDONLY, (file) => {
        const expected = bytesOf(LARGE)
        for (let offset = 4090; offset < 300_000; offset += 4096) {
          const seen = Buffer.alloc(12)
          assert.strictEqual(fs.readSync(file, seen, 0, 12, offset), 12)
          assert.isTrue(seen.equals(expected.subarray(offset, offset + 12)), `at ${offset}`)
        }
      }),
    "copy_file_range out of the mount": (at) => {
      const copy = fs.mkdtempSync("/tmp/pxar-fuse-copy-")
      fs.copyFileSync(at(LARGE), path.join(copy, "file"))
      assert.isTrue(fs.readFileSync(path.join(copy, "file")).equals(bytesOf(LARGE)))
      fs.rmSync(copy, { recursive: true })
    },
    "SEEK_DATA and SEEK_HOLE show a file without holes": (at) =>
      using(at("/sizes/sparse16m"), O_RDONLY, (file) => {
        const { size } = contentOf("/sizes/sparse16m")
        assert.strictEqual(Posix.seek(file, 0, Posix.SEEK_DATA), 0)
        assert.strictEqual(Posix.seek(file, 5000, Posix.SEEK_DATA), 5000)
        assert.strictEqual(Posix.seek(file, 0, Posix.SEEK_HOLE), size)
        assert.strictEqual(
          codeOf(() => Posix.seek(file, size, Posix.SEEK_DATA)),
          "ENXIO",
        )
      }),
    "fsync and flock do what they do on any read-only file": (at) =>
      using(at(LARGE), O_RDONLY, (file) => {
        fs.fsyncSync(file)
        for (const operation of [1, 8, 2, 8]) Posix.flock(file, operation)
      }),
  })

  it.live("8 processes read pieces at random, and all are right", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* mount
      const files = sizes
        .map((name) => Object.assign({ file: mountPoint + name, of: Golden.treeV1.archive }, contentOf(name)))
        .filter(({ size }) => size > 0)
      const program = path.join(import.meta.dirname, "../support/randomReader.ts")
      const readers = Array.from({ length: 8 }, (_, seed) => {
        const job: Job = { seed, reads: 300, files }
        return Processes.run(process.execPath, [program, JSON.stringify(job)])
      })
      for (const { code, stderr } of yield* Effect.all(readers, { concurrency: "unbounded" })) {
        assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      }
    }),
  )
})

describe("attributes", () => {
  table({
    "statx agrees with the view": (at) => {
      for (const { hardlink, ino, kind, mode, mtimeNanos, mtimeSeconds, name, size } of view) {
        if (name.startsWith("/deep/d000/")) continue
        const buffer = Posix.statx(Buffer.concat([Buffer.from(at("")), Buffer.from(name, "latin1")]))
        assert.strictEqual(buffer.readUInt32LE(0) & 0x7ff, 0x7ff, "all basic fields are there")
        assert.strictEqual(buffer.readUInt32LE(0) & 0x800, 0, "but no time of birth")
        const seen = [buffer.readUInt16LE(28), buffer.readBigUInt64LE(32), Number(buffer.readBigUInt64LE(40))]
        assert.deepStrictEqual(seen, [mode, hardlink ? seen[1] : Wire.inodeOf(ino), size], name)
        const time = [buffer.readBigInt64LE(112), buffer.readUInt32LE(120)]
        assert.deepStrictEqual(time, [mtimeSeconds, mtimeNanos], `${name} (${kind})`)
      }
    },
    "statfs shows a full file system of the archive's size": (at) => {
      const { bavail, bfree, blocks, bsize, type } = fs.statfsSync(at("/"))
      assert.deepStrictEqual([type, bsize, bfree, bavail], [0x65735546, 4096, 0, 0])
      assert.strictEqual(blocks, Math.ceil(fs.statSync(Golden.treeV1.archive).size / 4096))
    },
    "a file handle opens its file, or is stale": (at) => {
      const name = "/sizes/s4097"
      using(at("/"), O_RDONLY, (root) => {
        const handle = codeOf(() => Posix.handleOf(at(name)))
        // One number with two names, and none is given out unless the mount is asked for (`nfs_export`).
        if (handle !== "succeeds") return assert.include(["EOPNOTSUPP", "ENOTSUP"], handle)
        const descriptor = Posix.openByHandle(root, Posix.handleOf(at(name)))
        const seen = Buffer.alloc(5000)
        assert.strictEqual(fs.readSync(descriptor, seen, 0, 5000, 0), 4097)
        fs.closeSync(descriptor)
        assert.isTrue(seen.subarray(0, 4097).equals(bytesOf(name)))
      })
    },
  })

  const cases: ReadonlyArray<
    readonly [what: string, file: string, name: string, size: number, expected: number | string]
  > = [
    ["of a value of 3000 bytes, asked how long it is", "big", "user.big", 0, 3000],
    ["into just enough room", "big", "user.big", 3000, "3000 bytes"],
    ["into one byte more", "big", "user.big", 3001, "3000 bytes"],
    ["into one byte less", "big", "user.big", 2999, "ERANGE"],
    ["into one byte", "big", "user.big", 1, "ERANGE"],
    ["of an empty value, asked how long it is", "empty", "user.empty", 0, 0],
    ["of an empty value", "empty", "user.empty", 1, "0 bytes"],
    ["of a value with all bytes", "binary", "user.bin", 256, "256 bytes"],
    ["that is not there", "one", "user.absent", 100, "ENODATA"],
    ["that is not there, asked how long it is", "one", "user.absent", 0, "ENODATA"],
    ["with a name of 255 bytes", "one", `user.${"n".repeat(250)}`, 100, "ENODATA"],
    ["with a name of 256 bytes", "one", `user.${"n".repeat(251)}`, 100, "ERANGE"],
    ["without a name", "one", "", 100, "ERANGE"],
    ["without a namespace", "one", "name", 100, "EOPNOTSUPP"],
    ["of trusted, as root", "trusted", "trusted.t", 2, "2 bytes"],
    ["of a folder", "dir", "user.ondir", 100, "6 bytes"],
  ]
  table(
    Object.fromEntries(
      cases.map(([what, file, name, size, expected]): [string, Check] => [
        `getxattr ${what}: ${expected}`,
        (at) => {
          const value = Syscalls.getxattr(Buffer.from(at(`/xattr/${file}`)), Buffer.from(name), size)
          // A file system without handlers of its own passes any name on.
          const seen = Buffer.isBuffer(value) ? `${value.length} bytes` : value
          assert.include(expected === "EOPNOTSUPP" ? ["EOPNOTSUPP", "ENODATA"] : [expected], seen)
        },
      ]),
    ),
  )
  table({
    "listxattr into any room: the list, or ERANGE": (at) => {
      const file = Buffer.from(at("/xattr/several"))
      const list = Syscalls.listxattr(file)
      if (!Buffer.isBuffer(list)) return assert.fail(String(list))
      assert.strictEqual(Syscalls.listxattr(file, 0), list.length)
      for (const size of [1, 8, 9, list.length - 1]) assert.strictEqual(Syscalls.listxattr(file, size), "ERANGE")
      for (const size of [list.length, list.length + 1]) assert.deepStrictEqual(Syscalls.listxattr(file, size), list)
    },
    "listxattr of a file without any is empty": (at) =>
      assert.deepStrictEqual(Syscalls.listxattr(Buffer.from(at("/times/epoch"))), Buffer.alloc(0)),
  })
})
