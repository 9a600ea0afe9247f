/**
 * Disks of machines, partitioned in both ways: files in their partitions are read by the tools of each file system, and by
 * the kernel, and equal their source; listings say what the partitions hold.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { spawnSync } from "node:child_process"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as BackupMaker from "../support/BackupMaker.ts"
import * as Command from "../support/Command.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

const MIB = 1024 * 1024

/** Files by their names: one of a few chunks, one small. */
const files: Readonly<Record<string, Buffer>> = {
  "large.bin": crypto
    .createHash("shake256", { outputLength: 3 * MIB + 123 })
    .update("large")
    .digest(),
  "letter.txt": Buffer.from("Dear Ada,\n"),
}

/** Runs a program to its end; the test fails if that goes wrong. */
const tool = (command: string, ...args: ReadonlyArray<string>): Buffer => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { maxBuffer: 64 * MIB })
  assert.strictEqual(status, 0, `${command} ${args.join(" ")}: ${error?.message ?? stderr.toString()}`)
  return stdout
}

/** Images of an ext4, a FAT and an NTFS file system with the files, in this order. */
const fileSystems = (folder: string): ReadonlyArray<Buffer> => {
  const source = path.join(folder, "source")
  fs.mkdirSync(source)
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(source, name), content)
  const image = (name: string, size: number): string => {
    fs.writeFileSync(path.join(folder, name), "")
    fs.truncateSync(path.join(folder, name), size)
    return path.join(folder, name)
  }
  const ext4 = image("ext4", 16 * MIB)
  tool("mkfs.ext4", "-q", "-L", "root disk", "-d", source, ext4)
  const fat = image("fat", 16 * MIB)
  tool("mkfs.fat", "-n", "BOOT", fat)
  const ntfs = image("ntfs", 16 * MIB)
  tool("mkntfs", "-q", "-F", "-Q", "-L", "Windows", ntfs)
  for (const name of Object.keys(files)) {
    tool("mcopy", "-i", fat, path.join(source, name), `::${name}`)
    tool("ntfscp", "-f", ntfs, path.join(source, name), name)
  }
  return [ext4, fat, ntfs].map((file) => fs.readFileSync(file))
}

const tables = {
  gpt: ["label: gpt", 'type=linux, name="Main"', "type=uefi", "type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"],
  dos: ["label: dos", "type=83", "type=c", "type=7"],
} as const

/** A disk with these file systems, each in a partition. */
const disk = (folder: string, table: keyof typeof tables, parts: ReadonlyArray<Buffer>): Buffer => {
  const file = path.join(folder, table)
  fs.writeFileSync(file, "")
  fs.truncateSync(file, 64 * MIB)
  const [label = "", ...rows] = tables[table]
  const lines = rows.map((row, at) => `start=${(1 + 17 * at) * 2048}, size=${16 * 2048}, ${row}`)
  const { status, stderr } = spawnSync("sfdisk", ["-q", file], { input: [label, "", ...lines, ""].join("\n") })
  assert.strictEqual(status, 0, stderr.toString())
  const bytes = fs.readFileSync(file)
  for (const [at, part] of parts.entries()) part.copy(bytes, (1 + 17 * at) * MIB)
  return bytes
}

const TIME = "2024-01-01T00:00:00Z"

/** A mounted datastore with a machine that has both disks; path of its backup. */
const machine = Effect.gen(function* () {
  const folder = yield* Processes.temporaryFolder
  const parts = fileSystems(folder)
  const root = path.join(folder, "store")
  yield* BackupMaker.make(BackupMaker.intoFolder(root), {
    id: { namespace: [], type: "vm", id: "100", time: TIME },
    files: { "gpt.img.fidx": disk(folder, "gpt", parts), "dos.img.fidx": disk(folder, "dos", parts) },
  })
  const mountPoint = yield* Processes.mountPoint()
  yield* Command.mount(root, mountPoint)
  return { root, at: path.join(mountPoint, "vm/100", TIME) }
})

const tools = ["mkfs.ext4", "mkfs.fat", "mkntfs", "sfdisk", "mcopy", "debugfs", "ntfscat", "getfattr"] as const

describe("the disks of a machine", () => {
  beforeEach(need({ mount: true, tools }))

  it.live(
    "give the files of their partitions to the tools of each file system",
    () =>
      Effect.gen(function* () {
        const { at } = yield* machine
        for (const table of Object.keys(tables)) {
          const part = (number: number) => path.join(at, `${table}.img.parts`, `p${number}`)
          for (const [name, content] of Object.entries(files)) {
            const read = {
              ext4: tool("debugfs", "-R", `cat /${name}`, part(1)),
              fat: tool("mcopy", "-i", part(2), `::${name}`, "-"),
              ntfs: tool("ntfscat", "-f", part(3), name),
            }
            for (const [kind, bytes] of Object.entries(read)) {
              assert.strictEqual(Buffer.compare(bytes, content), 0, `${name} of ${kind} in ${table}`)
            }
          }
        }
      }),
    60_000,
  )

  it.live(
    "say what their partitions hold: in listings, and as attributes",
    () =>
      Effect.gen(function* () {
        const { at, root } = yield* machine
        const said = Effect.fnUntraced(function* (table: string) {
          const folder = `${table}.img.parts`
          const { stdout } = yield* Command.run(["list", "-l", `${root}::vm/100/${TIME}`, folder])
          return [...stdout.toString().matchAll(/\/(p\d)  \((.*)\)$/gm)].map(([, part, text]) => `${part} ${text}`)
        })
        assert.deepStrictEqual(yield* said("gpt"), [
          'p1 ext4 "root disk", Linux filesystem "Main"',
          'p2 vfat "BOOT", EFI System',
          "p3 ntfs, Microsoft basic data",
        ])
        assert.deepStrictEqual(yield* said("dos"), [
          'p1 ext4 "root disk", Linux',
          'p2 vfat "BOOT", W95 FAT32 (LBA)',
          "p3 ntfs, HPFS/NTFS/exFAT",
        ])
        const attributes = tool("getfattr", "-d", path.join(at, "gpt.img.parts/p1")).toString()
        assert.include(attributes, 'user.pxar-fuse.filesystem="ext4"')
      }),
    60_000,
  )
})

describe("the disks of a machine, mounted by the kernel", () => {
  beforeEach(need({ mount: true, root: true, tools: [...tools, "losetup"] }))

  it.live(
    "show the same files through a loop device",
    (context) =>
      Effect.gen(function* () {
        const { at } = yield* machine
        const part = path.join(at, "gpt.img.parts/p1")
        const made = yield* Processes.run("losetup", ["--find", "--show", "--read-only", part])
        if (made.code !== 0) return context.skip(`needs a loop device: ${made.stderr}`)
        const device = made.stdout.toString().trim()
        yield* Effect.addFinalizer(() => Effect.asVoid(Processes.run("losetup", ["--detach", device])))
        const target = yield* Processes.temporaryFolder
        const mounted = yield* Processes.run("mount", ["-t", "ext4", "-o", "ro,noload", device, target])
        if (mounted.code !== 0) return context.skip(`needs ext4 in the kernel: ${mounted.stderr}`)
        yield* Effect.addFinalizer(() => Effect.asVoid(Processes.run("umount", [target])))
        for (const [name, content] of Object.entries(files)) {
          assert.strictEqual(Buffer.compare(fs.readFileSync(path.join(target, name)), content), 0, name)
        }
      }),
    60_000,
  )
})
