/**
 * A partition of a disk in a mounted datastore is mounted itself: the way to files of a virtual machine.
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { TestContext } from "vitest"
import * as BackupMaker from "../support/BackupMaker.ts"
import * as Command from "../support/Command.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

const SECTOR = 512
const START = 2048
const MIB = 1024 * 1024

/** Why this machine cannot mount a file; `undefined` if it can. Containers often have no loop devices. */
const noLoop = (): string | undefined => {
  const file = path.join(fs.mkdtempSync("/tmp/pxar-fuse-loop-"), "image")
  fs.writeFileSync(file, new Uint8Array(MIB))
  const { status, stderr, stdout } = spawnSync("losetup", ["--find", "--show", "--read-only", file])
  if (status === 0) spawnSync("losetup", ["--detach", stdout.toString().trim()])
  fs.rmSync(path.dirname(file), { recursive: true })
  return status === 0 ? undefined : `needs loop devices: ${stderr.toString().trim()}`
}

const loops = (context: TestContext): void => {
  const missing = noLoop()
  if (missing !== undefined) context.skip(missing)
}

/** A disk with an MBR, and in its only partition an ext4 with these files. */
const disk = (folder: string, files: Readonly<Record<string, Uint8Array>>): Uint8Array => {
  const content = path.join(folder, "content")
  const partition = path.join(folder, "partition")
  fs.mkdirSync(content)
  for (const [name, bytes] of Object.entries(files)) fs.writeFileSync(path.join(content, name), bytes)
  const made = spawnSync("mke2fs", ["-q", "-t", "ext4", "-d", content, partition, "16M"])
  assert.strictEqual(made.status, 0, made.stderr.toString())
  const inside = fs.readFileSync(partition)
  const whole = Buffer.alloc(START * SECTOR + inside.length + 12345 * SECTOR)
  whole.set(inside, START * SECTOR)
  whole[446 + 4] = 0x83
  whole.writeUInt32LE(START, 446 + 8)
  whole.writeUInt32LE(inside.length / SECTOR, 446 + 12)
  whole.writeUInt16LE(0xaa55, 510)
  return whole
}

describe("a disk in a mounted datastore", () => {
  beforeEach(need({ mount: true, root: true, tools: ["losetup", "mke2fs"] }))
  beforeEach(loops)

  it.live("has partitions that are mounted read-only, with all that is in them", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const files = {
        small: Buffer.from("a file of a virtual machine\n"),
        large: Buffer.from(Array.from({ length: 3 * MIB }, (_, i) => (i * 31 + (i >> 9)) & 0xff)),
      }
      const store = path.join(folder, "store")
      const id = { namespace: [], type: "vm", id: "100", time: "2026-01-01T00:00:00Z" } as const
      yield* BackupMaker.make(BackupMaker.intoFolder(store), {
        id,
        files: { "drive-scsi0.img.fidx": disk(folder, files) },
        chunkSize: MIB,
      })
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* Command.mount(store, mountPoint)
      const partition = path.join(mountPoint, "vm/100/latest/drive-scsi0.img.parts/p1")
      const inner = path.join(folder, "vm")
      fs.mkdirSync(inner)
      const mounted = yield* Processes.run("mount", ["-o", "ro,loop,noload", partition, inner])
      assert.deepStrictEqual([mounted.code, mounted.stderr], [0, ""])
      yield* Effect.addFinalizer(() => Processes.run("umount", [inner]))
      for (const [name, bytes] of Object.entries(files)) {
        assert.isTrue(fs.readFileSync(path.join(inner, name)).equals(bytes), name)
      }
      assert.throws(() => fs.writeFileSync(path.join(inner, "new"), ""), /EROFS/)
      assert.strictEqual(program.stderr(), "")
    }),
  )
})
