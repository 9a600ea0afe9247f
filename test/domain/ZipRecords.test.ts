/** Records of zip with numbers that archives of a test's own never have: an oracle lists files that are mostly holes. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ZipRecords from "../../src/domain/ZipRecords.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ tools: ["7z", "bsdtar", "unzip"] }))

const entry = (name: string, size: number): ZipRecords.ZipEntry => ({
  name: new TextEncoder().encode(name),
  isFolder: false,
  mode: 0o644,
  mtimeSeconds: 1_700_000_000n,
  mtimeNanos: 0,
  method: ZipRecords.methods.Stored,
  size,
  compressed: size,
  crc: undefined,
})

describe("an archive with entries of more than 4 GiB", () => {
  it.live.each<readonly [number, number]>([
    [0xffff_fffe, 3],
    // 4 GiB less one is what stands for "see the ZIP64 field"; unzip takes it for a mistake.
    [0x1_0000_0000, 3],
    [5_000_000_003, 5_000_000_004],
  ])("of %j bytes is listed with their sizes", ([first, second]) =>
    Effect.gen(function* () {
      const file = path.join(yield* Processes.temporaryFolder, "a.zip")
      const descriptor = fs.openSync(file, "w")
      let at = 0
      const write = (bytes: Uint8Array): void => void (at += fs.writeSync(descriptor, bytes, 0, bytes.length, at))
      const directory: Array<Uint8Array> = []
      for (const each of [entry("first", first), entry("second", second), entry("third", 0)]) {
        const start = at
        write(ZipRecords.local(each))
        at += each.compressed
        write(ZipRecords.descriptor(each, 0x1234_5678))
        directory.push(ZipRecords.central({ ...each, crc: 0x1234_5678, start, isDescribed: true }))
      }
      const start = at
      for (const record of directory) write(record)
      write(ZipRecords.end(3, at - start, start))
      fs.closeSync(descriptor)
      const unzip = yield* Processes.run("unzip", ["-Z", "-l", file])
      assert.strictEqual(unzip.code, 0, unzip.stderr)
      const sizes = unzip.stdout
        .toString()
        .split("\n")
        .filter((line) => line.startsWith("-rw"))
        .map((line) => Number(line.split(/\s+/)[3]))
      assert.deepStrictEqual(sizes, [first, second, 0])
      const sevenZip = yield* Processes.run("7z", ["l", "-slt", file])
      assert.strictEqual(sevenZip.code, 0, sevenZip.stderr)
      assert.deepStrictEqual(
        [...sevenZip.stdout.toString().matchAll(/^Size = (\d+)$/gm)].map(([, size]) => Number(size)),
        [first, second, 0],
      )
      const bsdtar = yield* Processes.run("bsdtar", ["-tvf", file])
      assert.strictEqual(bsdtar.code, 0, bsdtar.stderr)
      assert.deepStrictEqual(
        bsdtar.stdout
          .toString()
          .trim()
          .split("\n")
          .map((line) => Number(line.split(/\s+/)[4])),
        [first, second, 0],
      )
    }),
  )
})

describe("the end of an archive", () => {
  it.each([
    [65_534, 10, 10, 22],
    [65_535, 10, 10, 98],
    [1, 10, 0xffff_fffe, 22],
    [1, 10, 0xffff_ffff, 98],
    [1, 0xffff_ffff, 10, 98],
  ])("of %d entries, %d bytes of directory at %d has %d bytes", (entries, size, start, length) =>
    assert.strictEqual(ZipRecords.end(entries, size, start).length, length),
  )
})
