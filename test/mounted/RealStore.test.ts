/**
 * The datastore that the reference client wrote through a real server, as programs meet it: mounted and extracted, every
 * archive is what that client restored, in every field, with each of the keys.
 *
 * Of archives with the same contents some are read (`READ`); names and attributes are compared of all.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Command from "../support/Command.ts"
import * as Datastores from "../support/Datastores.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"
import * as Syscalls from "../support/Syscalls.ts"

beforeEach(need({ mount: true, root: true }))

/** Each mode, re-used chunks, each kind of key; `PXAR_FUSE_READ_ALL` reads the others too. */
const READ = ["host/meta/2025-06-17", "host/enc/2025-06-15", "host/legacy/2025-06-16", "host/enc-scrypt", "ct/101"]

const isRead = (snapshot: string): boolean =>
  process.env["PXAR_FUSE_READ_ALL"] !== undefined || READ.some((part) => snapshot.startsWith(part))

const keys = ["enc-none.json", "enc-scrypt.json", "sign-none.json"].flatMap((name) => [
  "--key-file",
  Datastores.realKeyFile(name),
])

const withKeys = Effect.map(Command.write("passphrase", "correct horse\n", 0o600), (file) => [
  ...keys,
  "--key-password-file",
  file,
])

/** `[ns/NAME/...]TYPE/ID/TIME`. */
const pathOf = ({ ns, snapshot }: Datastores.RealSnapshot): string =>
  [...(ns === "" ? [] : ns.split("/").flatMap((name) => ["ns", name])), snapshot].join("/")

const shown = (name: string): string => name.replace(/\.m?pxar\.didx$/, ".pxar").replace(/\.(blob|fidx)$/, "")

const archives = Datastores.realSnapshots().flatMap((row) =>
  row.archives.flatMap(({ name, view }) =>
    view === undefined ? [] : [{ at: pathOf(row), archive: shown(name), view, snapshot: row.snapshot }],
  ),
)

/** Size 0 stands for what the reference client does not restore: its own log. */
const files = Datastores.realSnapshots().flatMap((row) =>
  row.archives.flatMap(({ name, sha256, size }) =>
    sha256 === undefined || size === 0 ? [] : [{ file: `${pathOf(row)}/${shown(name)}`, sha256, size }],
  ),
)

const KINDS: Readonly<Record<number, string>> = {
  0o140000: "socket",
  0o120000: "symlink",
  0o100000: "file",
  0o060000: "block_device",
  0o040000: "directory",
  0o020000: "char_device",
  0o010000: "fifo",
}

const sha256 = (file: fs.PathLike): string => crypto.createHash("sha256").update(fs.readFileSync(file)).digest("hex")

/** Of a tree on disk or mounted, the fields of a view, by path in hex. `numbers` tells the names of one file. */
const seen = (root: string, content: boolean) => {
  const found = new Map<string, Omit<Datastores.RealView, "path_hex" | "nlink" | "same_inode_as_hex">>()
  const numbers = new Map<string, bigint>()
  const visit = (below: Buffer): void => {
    const full = Buffer.concat([Buffer.from(root), below])
    const stat = fs.lstatSync(full, { bigint: true })
    const mode = Number(stat.mode)
    const kind = KINDS[mode & 0o170000] as string
    const hex = below.length === 0 ? "2f" : below.toString("hex")
    numbers.set(hex, stat.ino)
    found.set(hex, {
      kind,
      mode,
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      mtime_ns: stat.mtimeNs.toString(),
      ...(kind === "file" ? { size: Number(stat.size) } : {}),
      ...(kind === "file" && content ? { sha256: sha256(full) } : {}),
      ...(kind === "symlink" ? { target_hex: fs.readlinkSync(full, "buffer").toString("hex") } : {}),
      ...(kind.endsWith("_device") ? { rdev: device(stat.rdev) } : {}),
      xattrs: Syscalls.xattrs(full),
    })
    if (kind !== "directory") return
    for (const name of fs.readdirSync(full, { encoding: "buffer" }))
      visit(Buffer.concat([below, Buffer.from("/"), name]))
  }
  visit(Buffer.alloc(0))
  return { found, numbers }
}

const device = (rdev: bigint): readonly [number, number] => [
  Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
  Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
]

/** That a tree is what a view says. */
const compare = (root: string, view: string, content: boolean) => {
  const { found, numbers } = seen(root, content)
  const lines = Datastores.realView(view)
  assert.deepStrictEqual([...found.keys()].toSorted(), lines.map(({ path_hex }) => path_hex).toSorted())
  for (const { nlink: _, path_hex, same_inode_as_hex: __, sha256, size, xattrs = {}, ...line } of lines) {
    const isFile = line.kind === "file"
    const expected = { ...line, ...(isFile ? { size } : {}), ...(isFile && content ? { sha256 } : {}), xattrs }
    assert.deepStrictEqual(found.get(path_hex), expected as never, Buffer.from(path_hex, "hex").toString())
  }
  return { lines, numbers }
}

describe("the datastore of a real server", () => {
  it.live(
    "shows every archive, image and blob as the reference client restored it",
    () =>
      Effect.gen(function* () {
        const mountPoint = yield* Processes.mountPoint()
        const { stderr } = yield* Command.mount(Datastores.realStore(), mountPoint, yield* withKeys)
        assert.strictEqual(archives.length, 21)
        for (const { archive, at, snapshot, view } of archives) {
          compare(path.join(mountPoint, at, archive), view, isRead(snapshot))
        }
        for (const { file, sha256: wanted, size } of files) {
          assert.strictEqual(fs.statSync(path.join(mountPoint, file)).size, size, file)
          assert.strictEqual(sha256(path.join(mountPoint, file)), wanted, file)
        }
        assert.strictEqual(stderr(), "")
      }),
    120_000,
  )

  it.live.each(archives.filter(({ snapshot }) => isRead(snapshot)))(
    "$at/$archive is extracted as $view",
    ({ archive, at, view }) =>
      Effect.gen(function* () {
        const target = path.join(yield* Processes.temporaryFolder, "out")
        const address = `${Datastores.realStore()}::${at}/${archive}`
        const { code, stderr } = yield* Command.run(["extract", address, target, ...(yield* withKeys)])
        assert.deepStrictEqual([code, stderr], [0, stderr])
        const { lines, numbers } = compare(target, view, true)
        for (const { nlink, path_hex, same_inode_as_hex: same } of lines) {
          if (same !== undefined) assert.strictEqual(numbers.get(path_hex), numbers.get(same), path_hex)
          if (nlink !== undefined && nlink > 1) assert.isDefined(same, path_hex)
        }
      }),
    60_000,
  )

  it.live("shows where images have holes, to lseek and to du", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      yield* Command.mount(Datastores.realStore(), mountPoint, yield* withKeys)
      const images = files.filter(({ file }) => file.endsWith(".img")).map(({ file }) => path.join(mountPoint, file))
      const kinds = new Set<string>()
      for (const image of images) {
        const content = fs.readFileSync(image)
        const chunk = 4 * 1024 * 1024
        const extents: Array<readonly [kind: "data" | "hole", end: number]> = []
        for (let at = 0; at < content.length; at += chunk) {
          const kind = content.subarray(at, at + chunk).every((byte) => byte === 0) ? "hole" : "data"
          if (extents.at(-1)?.[0] === kind) extents.pop()
          extents.push([kind, Math.min(at + chunk, content.length)])
        }
        for (const [kind] of extents) kinds.add(kind)
        const found = yield* Processes.run("python3", ["-c", SEEK, image])
        assert.deepStrictEqual(JSON.parse(found.stdout.toString()), { extents, behind: ["ENXIO", "ENXIO"] })
        const data = extents.reduce((sum, [kind, end], index) => {
          return kind === "data" ? sum + end - (extents[index - 1]?.[1] ?? 0) : sum
        }, 0)
        const stat = fs.statSync(image)
        assert.deepStrictEqual([stat.size, stat.blocks], [content.length, Math.ceil(data / 512)])
        const du = yield* Processes.run("du", ["--block-size=1", image])
        assert.strictEqual(Number.parseInt(du.stdout.toString(), 10), Math.ceil(data / 512) * 512)
      }
      assert.deepStrictEqual([images.length, [...kinds].toSorted()], [3, ["data", "hole"]])
      // In the same mount, a file without holes: its end is the only one.
      const file = path.join(mountPoint, "vm/100/2025-06-15T15:10:00Z/qemu-server.conf")
      const found = yield* Processes.run("python3", ["-c", SEEK, file])
      assert.deepStrictEqual(JSON.parse(found.stdout.toString()), {
        extents: [["data", 58]],
        behind: ["ENXIO", "ENXIO"],
      })
    }),
  )
})

/** Prints the extents of a file as `lseek` tells them, and what it says of the end. */
const SEEK = `
import errno, json, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(fd).st_size
def seek(at, whence):
    try: return os.lseek(fd, at, whence)
    except OSError as error: return errno.errorcode[error.errno]
extents, at = [], 0
while at < size:
    data = seek(at, os.SEEK_DATA)
    kind = "data" if data == at else "hole"
    at = seek(at, os.SEEK_HOLE) if kind == "data" else size if data == "ENXIO" else data
    extents.append([kind, at])
print(json.dumps({"extents": extents, "behind": [seek(size, os.SEEK_DATA), seek(size, os.SEEK_HOLE)]}))
`
