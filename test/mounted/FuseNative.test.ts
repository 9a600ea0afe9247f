/** The limits of `fuse-native`, one behaviour for each row of the table in docs/fuse-native.md, and what stays the same. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { afterAll } from "vitest"
import * as B from "../support/ArchiveBuilder.ts"
import { write } from "../support/Command.ts"
import * as FuseNativeView from "../support/FuseNativeView.ts"
import * as Golden from "../support/Golden.ts"
import * as MountedTree from "../support/MountedTree.ts"
import * as MountServer from "../support/MountServer.ts"
import * as Processes from "../support/Processes.ts"
import { need, NOBODY } from "../support/Requirements.ts"
import * as Syscalls from "../support/Syscalls.ts"

beforeEach(need({ mount: true, root: true, fuseNative: true, tools: ["umount"] }))

const bytes = (...parts: ReadonlyArray<string | number>): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.of(part) : Buffer.from(part))))

const NOT_TEXT = bytes("latin-", 0xe9)
const REPLACED = Buffer.from("latin-\ufffd")
const LONG = "l".repeat(1023)
const LONGER = "l".repeat(1024)

/** One archive with everything that cannot be carried, and its neighbours that can. */
const limits = B.build({
  children: [
    B.file(NOT_TEXT, "not text"),
    B.file(REPLACED, "replaced"),
    B.file("\u{feff}bom", "a byte order mark"),
    B.file(LONG, "long"),
    B.file(LONGER, "longer"),
    B.file("old", "", { head: B.entry({ mode: 0o100644, seconds: -1, nanos: 500_000_000 }) }),
    B.file("fine", "", { head: B.entry({ mode: 0o100644, seconds: 5, nanos: 123_456_789 }) }),
    B.raw("text", B.entry({ mode: 0o120777 }), B.symlink("héllo \ufffd")),
    B.raw("bytes", B.entry({ mode: 0o120777 }), B.symlink(bytes("to-", 0xff))),
    B.file("attributes", "", {
      head: Buffer.concat([B.entry(), B.xattr("user.text", bytes(0, 0xff)), B.xattr(bytes("user.", 0xff), "value")]),
    }),
  ],
})

const scope = Scope.makeUnsafe()
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

/** The mount that the tests share. */
const shared = Effect.runSync(
  Effect.cached(
    Effect.flatMap(write("limits.pxar", limits.bytes), (archive) =>
      Effect.orDie(MountServer.start(archive, { transport: "fuse-native" })),
    ).pipe(Scope.provide(scope)),
  ),
)

const at = (mountPoint: string, name: Buffer | string): Buffer =>
  Buffer.concat([Buffer.from(`${mountPoint}/`), Buffer.from(name)])

const stat = (file: Buffer) => fs.lstatSync(file, { bigint: true })

describe("what is not text", () => {
  it.live("names that cannot be expressed are not listed, and said; the others are", () =>
    Effect.gen(function* () {
      const { ask, mountPoint } = yield* shared
      const names = fs.readdirSync(mountPoint, { encoding: "buffer" }).map((name) => name.toString("latin1"))
      for (const name of ["\u{feff}bom", LONG, "old", "bytes"])
        assert.include(names, Buffer.from(name).toString("latin1"))
      const log = yield* ask("log")
      for (const [name, printed, why] of [
        [NOT_TEXT, "/latin-\\xe9", "it is not UTF-8"],
        [REPLACED, "/latin-\ufffd", "it contains U+FFFD"],
        [Buffer.from(LONGER), `/${LONGER}`, "it is longer than 1023 bytes"],
      ] as const) {
        assert.notInclude(names, name.toString("latin1"))
        assert.include(log, `${printed}: not shown: ${why}`)
      }
    }),
  )

  it.live("a name that cannot be expressed is not found as another, but answered with EILSEQ", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* shared
      for (const name of [NOT_TEXT, REPLACED, bytes("none-", 0x80)]) {
        assert.throws(() => stat(at(mountPoint, name)), /EILSEQ/)
      }
      assert.strictEqual(fs.readFileSync(at(mountPoint, "\u{feff}bom"), "utf8"), "a byte order mark")
    }),
  )

  it.live("a link target that is not UTF-8 cannot be read, which is said; any other can", () =>
    Effect.gen(function* () {
      const { ask, mountPoint } = yield* shared
      assert.strictEqual(fs.readlinkSync(at(mountPoint, "text")), "héllo \ufffd")
      assert.throws(() => fs.readlinkSync(at(mountPoint, "bytes")), /EILSEQ/)
      assert.include(yield* ask("log"), "/bytes: its target cannot be read: it is not UTF-8")
    }),
  )

  it.live("an attribute whose name is not UTF-8 is not listed, which is said; values are any bytes", () =>
    Effect.gen(function* () {
      const { ask, mountPoint } = yield* shared
      const file = at(mountPoint, "attributes")
      assert.deepStrictEqual(Syscalls.xattrs(file), { [Buffer.from("user.text").toString("hex")]: "00ff" })
      assert.strictEqual(Syscalls.getxattr(file, bytes("user.", 0xff)), "EILSEQ")
      assert.include(yield* ask("log"), "/attributes: an attribute is not shown: it is not UTF-8")
    }),
  )
})

describe("numbers", () => {
  it.live("times are whole milliseconds, rounded down", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* shared
      const { atimeNs, ctimeNs, mtimeNs } = stat(at(mountPoint, "fine"))
      assert.deepStrictEqual([mtimeNs, atimeNs, ctimeNs], Array(3).fill(5_123_000_000n))
    }),
  )

  it.live("times before 1970 are 1970, which is said once", () =>
    Effect.gen(function* () {
      const { ask, mountPoint } = yield* shared
      assert.strictEqual(stat(at(mountPoint, "old")).mtimeNs, 0n)
      const told = (yield* ask("log")).filter((line) => line.includes("nearest there is"))
      assert.deepStrictEqual(told, ["/old: its time and others are shown as the nearest there is"])
    }),
  )

  it.live("inode numbers are the lower halves, in listings too, and each name has its own", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* MountServer.golden(Golden.hardlinkV1, { transport: "fuse-native" })
      const view = Golden.hardlinkV1.view()
      const shown = new Map(Syscalls.listDirectory(Buffer.from(mountPoint)).map(({ ino, name }) => [String(name), ino]))
      const numbers = new Set<bigint>()
      for (const { hardlink, ino, path } of view.filter(({ path }) => path.lastIndexOf("/") === 0 && path.length > 1)) {
        const name = path.subarray(1).toString()
        if (!hardlink) assert.strictEqual(shown.get(name), FuseNativeView.inode(ino), name)
        assert.strictEqual(stat(at(mountPoint, name)).ino, shown.get(name))
        assert.isFalse(numbers.has(shown.get(name)!))
        numbers.add(shown.get(name)!)
      }
    }),
  )

  it.live("attributes that do not fit are ERANGE, and their size can be asked for", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* shared
      const file = at(mountPoint, "attributes")
      assert.strictEqual(Syscalls.getxattr(file, Buffer.from("user.text"), 0), 2)
      assert.strictEqual(Syscalls.getxattr(file, Buffer.from("user.text"), 1), "ERANGE")
      assert.strictEqual(Syscalls.listxattr(file, 0), "user.text\0".length)
      assert.strictEqual(Syscalls.listxattr(file, 5), "ERANGE")
    }),
  )

  it.live("df shows the archive's size, nothing free, and names of 255 bytes", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* shared
      const { bavail, blocks, bsize } = fs.statfsSync(mountPoint)
      assert.deepStrictEqual([bsize, blocks, bavail], [4096, Math.ceil(limits.bytes.length / 4096), 0])
    }),
  )
})

const large = Golden.treeV2.view().find(({ size }) => size === 1024 * 1024)!
const pathOf = (mountPoint: string, { path: name }: Golden.View): string => path.join(mountPoint, name.toString())

describe("requests", () => {
  it.live("reads have 128 KiB, and each file is opened and released; what was read is kept", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV2, { transport: "fuse-native" })
      for (let time = 0; time < 2; time++) fs.readFileSync(pathOf(server.mountPoint, large))
      const { requests } = yield* Processes.eventually(
        "the files to be released",
        server.ask("counters"),
        ({ requests }) => requests["RELEASE"] === 2,
      )
      assert.deepInclude(requests, { OPEN: 2, READ: 8, RELEASE: 2 })
      // Names and attributes are kept too: the second time nothing was asked.
      assert.isAtMost(requests["GETATTR"]!, large.path.toString().split("/").length)
    }),
  )

  it.live("a reader that waits for a slow source cannot be killed before that answers; others are served", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV2, { transport: "fuse-native", stall: true })
      // Past the page cache: who waits for that can always be killed.
      const reader = yield* Processes.start("dd", ["iflag=direct", "bs=1M", `if=${pathOf(server.mountPoint, large)}`])
      yield* Processes.eventually("the reader to wait", server.ask("stalled"), (count) => count > 0)
      yield* reader.kill("SIGKILL")
      const state = Effect.sync(
        () => /^State:\s+(\w)/m.exec(fs.readFileSync(`/proc/${reader.pid}/status`, "utf8"))?.[1],
      )
      yield* Processes.eventually("the reader to be told", state, (state) => state === "D")
      assert.isAbove(fs.readdirSync(path.join(server.mountPoint, "many")).length, 0)
      assert.isAbove(yield* server.ask("stalled"), 0)
      yield* server.ask("goOn")
      assert.strictEqual((yield* reader.ended).signal, "SIGKILL")
    }),
  )

  it.live("nothing is held but what is open, and its folders", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV1, { transport: "fuse-native" })
      const file = Golden.treeV1
        .view()
        .find(({ kind, path }) => kind === "file" && path.toString().startsWith("/acl/"))!
      const folder = Golden.treeV1.view().find(({ path }) => path.toString() === "/acl")!
      MountedTree.read(server.mountPoint)
      const held = (expected: number) =>
        Processes.eventually("operations to end", server.ask("held"), ({ length }) => length === expected)
      assert.deepStrictEqual(yield* held(1), [1n])
      const descriptor = fs.openSync(pathOf(server.mountPoint, file), "r")
      assert.deepStrictEqual(new Set(yield* server.ask("held")), new Set([1n, folder.ino, file.ino]))
      fs.closeSync(descriptor)
      assert.deepStrictEqual(yield* held(1), [1n])
    }),
  )

  it.live("writing is refused", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* shared
      assert.throws(() => fs.writeFileSync(at(mountPoint, "old"), "x"), /EROFS/)
      assert.throws(() => fs.mkdirSync(at(mountPoint, "new")), /EROFS/)
    }),
  )
})

describe("rights", () => {
  const may = (user: number, file: string) =>
    Effect.map(Processes.run("test", ["-r", file], { uid: user, gid: user, cwd: "/" }), ({ code }) => code === 0)

  it.live("ACLs are shown, but the mode alone decides, which is said", () =>
    Effect.gen(function* () {
      const options = ["allow_other"]
      const kernel = yield* MountServer.golden(Golden.synthV1, { options })
      const native = yield* MountServer.golden(Golden.synthV1, { options, transport: "fuse-native" })
      const file = ({ mountPoint }: MountServer.MountServer) => path.join(mountPoint, "meta/acl")
      // user:1001:--- stands in the ACL, although other::r--.
      assert.isFalse(yield* may(1001, file(kernel)))
      assert.isTrue(yield* may(1001, file(native)))
      const acl = (server: MountServer.MountServer) =>
        Syscalls.getxattr(Buffer.from(file(server)), Buffer.from("system.posix_acl_access"))
      assert.deepStrictEqual(acl(native), acl(kernel))
      const log = yield* native.ask("log")
      assert.include(log, "/meta/acl: its ACL and others are shown, but not enforced")
    }),
  )

  it.live("an ordinary user mounts through fusermount, and unmounts", () =>
    Effect.gen(function* () {
      fs.chmodSync("/dev/fuse", 0o666)
      const server = yield* MountServer.golden(Golden.helloV1, { transport: "fuse-native", user: NOBODY })
      assert.strictEqual(server.how, "fusermount")
      const { stdout } = yield* Processes.run("cat", [path.join(server.mountPoint, "hello")], {
        uid: NOBODY,
        gid: NOBODY,
        cwd: "/",
      })
      assert.strictEqual(stdout.toString(), "hi\n")
      assert.deepInclude(yield* server.end, { session: "ended", held: 0, devices: 0, code: 0, log: [] })
    }),
  )
})

describe("a refusal of fusermount", () => {
  it.live("is told with its reason", () =>
    Effect.gen(function* () {
      fs.chmodSync("/dev/fuse", 0o666)
      const mountPoint = yield* Processes.mountPoint("mnt", 0)
      const options = { mountPoint, transport: "fuse-native", user: NOBODY } as const
      const refused = yield* Effect.flip(MountServer.start(Golden.helloV1.archive, options))
      assert.match(refused.message, /fusermount: user has no write access to mountpoint/)
      assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
    }),
  )
})

describe("the end", () => {
  const gone = { held: 0, inFlight: 0, stalled: 0, devices: 0, code: 0 }

  it.live("by umount, and by umount -l when the last file is closed", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.helloV1, { transport: "fuse-native" })
      const descriptor = fs.openSync(path.join(server.mountPoint, "hello"), "r")
      assert.notStrictEqual((yield* Processes.run("umount", [server.mountPoint])).code, 0)
      assert.strictEqual((yield* Processes.run("umount", ["-l", server.mountPoint])).code, 0)
      assert.strictEqual(fs.readSync(descriptor, Buffer.alloc(10)), 3)
      fs.closeSync(descriptor)
      yield* server.sessionEnded
      assert.deepInclude(yield* server.end, { ...gone, session: "ended", log: [] })
    }),
  )

  it.live("while somebody waits for a slow source: he is told, and nothing is left", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.treeV2, { transport: "fuse-native", stall: true })
      const reader = yield* Processes.start("cat", [pathOf(server.mountPoint, large)])
      yield* Processes.eventually("the reader to wait", server.ask("stalled"), (count) => count > 0)
      assert.deepInclude(yield* server.end, gone)
      const { code, stderr } = yield* reader.ended
      assert.strictEqual(code, 1)
      assert.match(stderr, /Interrupted system call|Software caused connection abort|not connected|Input\/output error/)
    }),
  )

  it.live("of a server that is killed leaves a mount that answers ENOTCONN", () =>
    Effect.gen(function* () {
      const server = yield* MountServer.golden(Golden.helloV1, { transport: "fuse-native" })
      process.kill(server.pid, "SIGKILL")
      const { stderr } = yield* Processes.eventually(
        "the mount to be dead",
        Processes.run("ls", [server.mountPoint], { env: { ...process.env, LC_ALL: "C" } }),
        ({ code }) => code !== 0,
      )
      assert.match(stderr, /not connected|connection abort/)
      assert.strictEqual((yield* Processes.run("umount", [server.mountPoint])).code, 0)
    }),
  )
})

describe("it refuses", () => {
  it.live("a connection that is mounted already, and a path that the binding would cut", () =>
    Effect.gen(function* () {
      const refused = (mountPoint: string) =>
        Effect.flip(MountServer.start(Golden.helloV1.archive, { mountPoint, transport: "fuse-native" }))
      assert.match((yield* refused("/dev/fd/9")).message, /--transport kernel for a connection that is mounted/)
      const deep = path.join(yield* Processes.temporaryFolder, ...Array<string>(5).fill("d".repeat(250)))
      fs.mkdirSync(deep, { recursive: true })
      assert.match((yield* refused(deep)).message, /takes 1023 bytes of path/)
      assert.deepStrictEqual(yield* Processes.mountsBelow(deep), [])
    }),
  )

  it.live("a mount point that is occupied, as the kernel bridge does", () =>
    Effect.gen(function* () {
      const { mountPoint } = yield* shared
      const refused = yield* Effect.flip(
        MountServer.start(Golden.helloV1.archive, { mountPoint, transport: "fuse-native", options: ["nonempty"] }),
      )
      assert.match(refused.message, /already a mount point of pxar-fuse/)
    }),
  )
})
