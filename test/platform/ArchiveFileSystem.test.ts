import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Option, Path, type PlatformError, Stream } from "effect"
import { HttpEffect, HttpPlatform, HttpStaticServer } from "effect/http"
import { Archive, ArchiveReader, ByteSource } from "pxar-fuse"
import * as ArchiveFileSystem from "pxar-fuse/FileSystem"
import { MemoryArchive } from "pxar-fuse/Testing"
import * as Processes from "../support/Processes.ts"

const { file, hardLink, symlink } = MemoryArchive
const big = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7) & 0xff)

const tree = {
  etc: {
    hostname: file("pve\n", { mode: 0o640, uid: 1, gid: 2, mtime: new Date(1_700_000_000_123) }),
    "issue.txt": "issue",
    passwd: "only in the archive",
    deep: { er: { leaf: "leaf" } },
  },
  "big.bin": big,
  absolute: symlink("/etc/hostname"),
  relative: symlink("etc/deep"),
  up: symlink("../../../etc/hostname"),
  dangling: symlink("nowhere"),
  loop: symlink("loop"),
  again: hardLink("etc/hostname"),
  pipe: MemoryArchive.fifo(),
  "not-\\xff": "bytes",
  empty: {},
}

const layer = (of: MemoryArchive.Tree = tree) =>
  ArchiveFileSystem.layer.pipe(
    Layer.provide(Archive.layer),
    Layer.provide(ArchiveReader.layer),
    Layer.provide(MemoryArchive.layer(of)),
  )

const reasonOf = (effect: Effect.Effect<unknown, PlatformError.PlatformError>) =>
  Effect.match(effect, { onFailure: ({ reason }) => reason._tag, onSuccess: () => "success" })

const withFileSystem = <A, E>(use: (fs: FileSystem.FileSystem) => Effect.Effect<A, E>) =>
  Effect.provide(Effect.flatMap(FileSystem.FileSystem, use), layer())

describe("an archive as a file system", () => {
  it.effect.each([
    ["/etc/hostname", "pve\n"],
    ["etc/hostname", "pve\n"],
    ["./etc//hostname", "pve\n"],
    ["/absolute", "pve\n"],
    ["/relative/er/leaf", "leaf"],
    ["/relative/../issue.txt", "issue"],
    ["/up", "pve\n"],
    ["/../../etc/hostname", "pve\n"],
    ["/again", "pve\n"],
    ["/not-\\xff", "bytes"],
  ])("reads %s", ([name = "", content]) =>
    withFileSystem((fs) => Effect.map(fs.readFileString(name), (text) => assert.strictEqual(text, content))),
  )

  it.effect.each([
    ["/absent", "NotFound"],
    ["/dangling", "NotFound"],
    ["/loop", "BadResource"],
    ["/etc", "BadResource"],
    ["/pipe", "BadResource"],
    ["/etc/hostname/x", "BadResource"],
    ["/etc/hostname/..", "BadResource"],
  ])("does not read %s: %s", ([name = "", reason]) =>
    withFileSystem((fs) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* reasonOf(fs.readFile(name)), reason)
        assert.strictEqual(yield* reasonOf(Effect.scoped(fs.open(name))), reason)
        assert.strictEqual(yield* reasonOf(Stream.runDrain(fs.stream(name))), reason)
      }),
    ),
  )

  it.effect("knows what is there", () =>
    withFileSystem((fs) =>
      Effect.gen(function* () {
        const info = yield* fs.stat("/etc/hostname")
        assert.deepInclude(info, { type: "File", mode: 0o100640, uid: Option.some(1), gid: Option.some(2) })
        assert.strictEqual(Number(info.size), 4)
        assert.deepStrictEqual(info.mtime, Option.some(new Date(1_700_000_000_123)))
        assert.strictEqual((yield* fs.stat("/absolute")).type, "File")
        assert.strictEqual((yield* fs.lstat("/absolute")).type, "SymbolicLink")
        assert.strictEqual((yield* fs.stat("/pipe")).type, "FIFO")
        assert.strictEqual(yield* fs.readLink("/relative"), "etc/deep")
        assert.strictEqual(yield* fs.realPath("/relative/er"), "/etc/deep/er")
        assert.isTrue(yield* fs.exists("/etc"))
        assert.isFalse(yield* fs.exists("/nope"))
        assert.strictEqual(yield* reasonOf(fs.readLink("/etc")), "BadResource")
      }),
    ),
  )

  it.effect("lists folders", () =>
    withFileSystem((fs) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* fs.readDirectory("/etc"), ["hostname", "issue.txt", "passwd", "deep"])
        assert.deepStrictEqual(yield* fs.readDirectory("/etc", { recursive: true }), [
          "hostname",
          "issue.txt",
          "passwd",
          "deep",
          "deep/er",
          "deep/er/leaf",
        ])
        assert.include(yield* fs.readDirectory("/", { recursive: true }), "etc/deep/er/leaf")
        assert.deepStrictEqual(yield* fs.readDirectory("/empty"), [])
        assert.deepInclude(yield* fs.readDirectoryEntries("/"), { name: "not-\\xff", type: "File" })
        assert.deepStrictEqual(yield* fs.glob("**/*.txt", { root: "/" }), ["etc/issue.txt"])
        assert.strictEqual(yield* reasonOf(fs.readDirectory("/etc/hostname")), "BadResource")
        assert.strictEqual(yield* reasonOf(fs.readDirectory("/etc/hostname", { recursive: true })), "BadResource")
      }),
    ),
  )

  it.effect("reads parts of files", () =>
    withFileSystem((fs) =>
      Effect.gen(function* () {
        const part = yield* Stream.runCollect(fs.stream("/big.bin", { offset: 70_000, bytesToRead: 80_000 }))
        assert.isTrue(Buffer.concat(part).equals(big.subarray(70_000, 150_000)))
        const file = yield* fs.open("/big.bin")
        yield* file.seek(199_998n, "start")
        assert.deepStrictEqual(yield* file.readAlloc(10), Option.some(big.slice(199_998)))
        assert.deepStrictEqual(yield* file.readAlloc(10), Option.none())
        assert.strictEqual(yield* file.seek(-200_000n, "current"), 0n)
        const buffer = new Uint8Array(5)
        assert.strictEqual(yield* file.read(buffer, { position: 100n }), 5)
        assert.deepStrictEqual(buffer, big.slice(100, 105))
        assert.deepStrictEqual(yield* file.readAlloc(1), Option.some(big.slice(0, 1)))
        assert.strictEqual(yield* reasonOf(file.seek(-1n, "start")), "BadArgument")
        assert.strictEqual(yield* reasonOf(file.read(buffer, { position: -1n })), "BadArgument")
        assert.strictEqual(yield* file.read(buffer, { position: 1n << 60n }), 0)
      }).pipe(Effect.scoped),
    ),
  )

  it.effect("refuses to write, with an error of the type that says so", () =>
    withFileSystem((fs) =>
      Effect.gen(function* () {
        const writing: ReadonlyArray<Effect.Effect<unknown, PlatformError.PlatformError, never>> = [
          fs.writeFile("/x", new Uint8Array(1)),
          fs.writeFileString("/x", "x"),
          Stream.run(Stream.make(new Uint8Array(1)), fs.sink("/x")),
          fs.remove("/etc/hostname"),
          fs.rename("/etc/hostname", "/x"),
          fs.copy("/etc/hostname", "/x"),
          fs.copyFile("/etc/hostname", "/x"),
          fs.link("/etc/hostname", "/x"),
          fs.symlink("/etc/hostname", "/x"),
          fs.chmod("/etc/hostname", 0o777),
          fs.chown("/etc/hostname", 0, 0),
          fs.truncate("/etc/hostname"),
          fs.utimes("/etc/hostname", 0, 0),
          fs.makeDirectory("/x"),
          fs.makeTempDirectory(),
          Effect.scoped(fs.makeTempDirectoryScoped()),
          fs.makeTempFile(),
          Effect.scoped(fs.makeTempFileScoped()),
          fs.access("/etc/hostname", { writable: true }),
          Effect.scoped(fs.open("/etc/hostname", { flag: "r+" })),
          Effect.scoped(fs.open("/x", { flag: "w" })),
          Effect.scoped(Effect.flatMap(fs.open("/etc/hostname"), (file) => file.write(new Uint8Array(1)))),
          Effect.scoped(Effect.flatMap(fs.open("/etc/hostname"), (file) => file.truncate())),
        ]
        for (const effect of writing) assert.strictEqual(yield* reasonOf(effect), "PermissionDenied")
        assert.strictEqual(yield* reasonOf(fs.access("/etc/hostname", { readable: true })), "success")
      }),
    ),
  )

  it.effect("says that the archive is damaged, without saying where it is", () =>
    Effect.gen(function* () {
      const bytes = yield* MemoryArchive.bytes({ folder: { a: "1" } })
      // The type of the item after the name of the file: no entry begins there.
      const at = Buffer.from(bytes).lastIndexOf("efac88e5746495d5", "hex")
      bytes[at] = 0
      const reader = yield* ArchiveReader.make(
        ByteSource.fromBytes(bytes, "/srv/secret.pxar"),
        { _tag: "Absent", expected: undefined },
        {},
      )
      const error = yield* Effect.flip(ArchiveFileSystem.make(Archive.fromReader(reader)).readFile("/folder/a"))
      assert.strictEqual(error.reason._tag, "InvalidData")
      assert.notInclude(error.message, "srv")
    }),
  )
})

describe("a static server over an archive", () => {
  const services = (of: MemoryArchive.Tree) =>
    Layer.mergeAll(Path.layer, HttpPlatform.layer).pipe(Layer.provideMerge(layer(of)))

  /** What is fetched from the root of an archive. */
  const fetcher = (of: MemoryArchive.Tree = tree) =>
    Effect.map(Effect.provide(HttpStaticServer.make({ root: "/" }), services(of)), (app) => {
      const handler = HttpEffect.toWebHandler(app)
      return (url: string, headers: Record<string, string> = {}) =>
        Effect.promise(async () => {
          const response = await handler(new Request(`http://localhost${url}`, { headers }))
          return { status: response.status, text: await response.text() }
        })
    })

  it.effect("serves its files, whole and in part", () =>
    Effect.gen(function* () {
      const fetch = yield* fetcher()
      assert.deepStrictEqual(yield* fetch("/etc/hostname"), { status: 200, text: "pve\n" })
      assert.deepStrictEqual(yield* fetch("/absolute"), { status: 200, text: "pve\n" })
      const part = yield* fetch("/etc/hostname", { range: "bytes=1-2" })
      assert.deepStrictEqual(part, { status: 206, text: "ve" })
    }),
  )

  it.effect("serves no file of this machine, whatever is asked for and whatever links are in the archive", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const secret = path.join(folder, "secret")
      fs.writeFileSync(secret, "of this machine")
      const name = secret.slice(1)
      const fetch = yield* fetcher({
        leak: symlink(secret),
        up: symlink(`../../../../../../${name}`),
        root: symlink("/"),
        inner: { leak: symlink(`../..${secret}`) },
      })
      const asked = [
        secret,
        `/${secret}`,
        "/leak",
        "/up",
        `/root/${name}`,
        "/inner/leak",
        `/../../..${secret}`,
        `/%2e%2e/%2e%2e/%2e%2e/%2e%2e${secret}`,
        `/..%2f..%2f..%2f..%2f${encodeURIComponent(name)}`,
        `/${encodeURIComponent(secret)}`,
        `/inner/../../../..${secret}`,
        `/file:%2f%2f${secret}`,
        `/proc/self/root${secret}`,
      ]
      for (const url of asked) {
        const { status, text } = yield* fetch(url)
        assert.strictEqual(status, 404, url)
        assert.notInclude(text, "of this machine")
      }
    }),
  )
})
