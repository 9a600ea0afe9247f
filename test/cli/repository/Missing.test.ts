/** `--missing zeros`: files that have lost something are read nevertheless, and each is named. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Digest from "../../../src/domain/datastore/Digest.ts"
import { chunkPath } from "../../../src/services/chunks/ChunkStore.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as BackupMaker from "../../support/BackupMaker.ts"
import * as Command from "../../support/Command.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"
import * as Random from "../../support/Random.ts"
import { lines, run } from "./stores.ts"
import { createHash } from "node:crypto"

const CHUNK = 64 * 1024
const random = Random.make(3)
const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, () => 1 + random.below(255))
const small = Array.from({ length: 150 }, (_, at) => [`small-${at}`, bytesOf(1000 + at)] as const)
const large = bytesOf(5 * CHUNK)
const archive = B.build({
  version: 2,
  children: [
    B.file("first", "whole"),
    B.file("large", large),
    B.folder(
      "many",
      small.map(([name, content]) => B.file(name, content)),
    ),
    B.file("last", "whole"),
  ],
})
const image = bytesOf(4 * CHUNK)

/** A datastore of one backup, which has lost the third and the sixth chunk of the payload archive, and the second of an image. */
const store = Effect.gen(function* () {
  const folder = path.join(yield* Processes.temporaryFolder, "store")
  const files = {
    "root.mpxar.didx": archive.bytes,
    "root.ppxar.didx": archive.payload,
    "disk.img.fidx": image,
  }
  const id = { namespace: [], type: "host", id: "a", time: "2026-01-01T00:00:00Z" } as const
  yield* BackupMaker.make(BackupMaker.intoFolder(folder), { id, files, chunkSize: CHUNK })
  const lose = (content: Uint8Array, chunk: number): string => {
    const part = content.subarray(chunk * CHUNK, (chunk + 1) * CHUNK)
    const digest = createHash("sha256").update(part).digest()
    fs.rmSync(path.join(folder, chunkPath(digest)))
    return Digest.toHex(digest)
  }
  lose(archive.payload, 2)
  lose(archive.payload, 5)
  lose(image, 1)
  return folder
})

/** Where a file's content is in the payload archive. */
const startOf = (content: Uint8Array): number => archive.payload.indexOf(Buffer.from(content.subarray(0, 500)))

/** What is left of a file, and how its losses are told. */
const leftOf = (content: Uint8Array) => {
  const at = startOf(content)
  const left = content.slice()
  const told: Array<string> = []
  for (const chunk of [2, 5]) {
    const start = Math.max(0, chunk * CHUNK - at)
    const end = Math.min(content.length, (chunk + 1) * CHUNK - at)
    if (start >= end) continue
    left.fill(0, start, end)
    told.push(`bytes ${start} to ${end} are lost and read as zeros: `)
  }
  return { left, told }
}

const affected = [
  ["large", large] as const,
  ...small.map(([name, content]) => [`many/${name}`, content] as const),
].filter(([, content]) => leftOf(content).told.length > 0)

const AT = "host/a/2026-01-01T00:00:00Z"

/** Checks that each file with a loss is named as often as it has losses, and no other. */
const namesAll = (said: string): void => {
  const told = lines(said).filter((line) => line.includes("read as zeros"))
  for (const [name, content] of affected) {
    const own = told.filter((line) => line.includes(`${AT}/root.pxar/${name}: `))
    const expected = leftOf(content).told
    assert.strictEqual(own.length, expected.length, name)
    for (const part of expected)
      assert.isTrue(
        own.some((line) => line.includes(part)),
        `${name}: ${part}`,
      )
  }
  const all = affected.reduce((sum, [, content]) => sum + leftOf(content).told.length, 0)
  assert.strictEqual(told.filter((line) => line.includes("root.pxar")).length, all)
}

describe("--missing zeros", () => {
  it("has files that lose all, a part, or nothing", () => {
    assert.isAbove(affected.length, 5)
    assert.isBelow(affected.length, small.length)
    assert.lengthOf(leftOf(large).told, 2)
  })

  it.live("is said by cat for the file that is printed", () =>
    Effect.gen(function* () {
      const folder = yield* store
      const args = ["cat", `${folder}::host/a/latest/root.pxar`, "large", "--missing", "zeros"]
      const ended = yield* Command.run(args)
      assert.strictEqual(ended.code, 0, ended.stderr)
      assert.isTrue(Buffer.from(leftOf(large).left).equals(ended.stdout))
      assert.lengthOf(lines(ended.stderr), 2)
      for (const part of leftOf(large).told) assert.include(ended.stderr, `root.pxar/large: ${part}`)
      const other = yield* run(["cat", `${folder}::host/a/latest/root.pxar`, "last", "--missing", "zeros"])
      assert.deepStrictEqual([other.stdout, other.stderr], ["whole", ""])
    }),
  )

  it.live("is said by extract for every file, once, of an image too; without it they are left out", () =>
    Effect.gen(function* () {
      const folder = yield* store
      const target = path.join(yield* Processes.temporaryFolder, "out")
      const ended = yield* run(["extract", folder, target, "--missing", "zeros"])
      assert.strictEqual(ended.code, 0, ended.stderr)
      namesAll(ended.stderr)
      for (const [name, content] of affected) {
        const extracted = fs.readFileSync(path.join(target, AT, "root.pxar", name))
        assert.isTrue(extracted.equals(leftOf(content).left), name)
      }
      assert.include(ended.stderr, `disk.img: bytes ${CHUNK} to ${2 * CHUNK} are lost and read as zeros: `)
      const disk = image.slice()
      disk.fill(0, CHUNK, 2 * CHUNK)
      assert.isTrue(fs.readFileSync(path.join(target, AT, "disk.img")).equals(disk))
      const without = yield* run(["extract", folder, `${target}-2`])
      assert.notStrictEqual(without.code, 0)
      for (const [name] of affected)
        assert.isFalse(fs.existsSync(path.join(`${target}-2`, AT, "root.pxar", name)), name)
      assert.isTrue(fs.existsSync(path.join(`${target}-2`, AT, "root.pxar/last")))
    }),
  )

  it.live("is said by a stream of all files", () =>
    Effect.gen(function* () {
      const folder = yield* store
      const args = ["extract", "--to-stdout", "tar", `${folder}::host/a`, "--missing", "zeros"]
      const ended = yield* Command.run(args)
      assert.strictEqual(ended.code, 0, ended.stderr)
      namesAll(ended.stderr)
      for (const [name, content] of affected) assert.isAtLeast(ended.stdout.indexOf(leftOf(content).left), 0, name)
    }),
  )
})

describe("--missing zeros of a mount", () => {
  beforeEach(need({ mount: true }))

  it.live("is said once, however often a file is read", () =>
    Effect.gen(function* () {
      const folder = yield* store
      const mountPoint = yield* Processes.mountPoint()
      const mounted = yield* Command.mount(folder, mountPoint, ["--missing", "zeros"])
      for (const _ of [1, 2]) {
        yield* Effect.promise(async () => {
          for (const [name, content] of affected) {
            const bytes = await fs.promises.readFile(path.join(mountPoint, AT, "root.pxar", name))
            assert.isTrue(bytes.equals(leftOf(content).left), name)
          }
        })
      }
      yield* Processes.signal(mounted.pid, "SIGTERM")
      const { stderr } = yield* mounted.ended
      namesAll(stderr)
    }),
  )
})
