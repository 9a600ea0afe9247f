import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ByteSource from "../../../src/services/bytes/ByteSource.ts"
import * as DiskPartitions from "../../../src/services/virtual/DiskPartitions.ts"

const SECTOR = 512

/** A disk of so many sectors. */
const disk = (sectors: number) => {
  const bytes = new Uint8Array(sectors * SECTOR)
  return { bytes, view: new DataView(bytes.buffer) }
}

/** Writes a record of four entries: type, first sector, sectors. */
const writeRecord = (
  { bytes, view }: ReturnType<typeof disk>,
  sector: number,
  entries: ReadonlyArray<readonly [type: number, start: number, count: number]>,
) => {
  for (const [index, [type, start, count]] of entries.entries()) {
    const at = sector * SECTOR + 446 + 16 * index
    bytes[at + 4] = type
    view.setUint32(at + 8, start, true)
    view.setUint32(at + 12, count, true)
  }
  bytes.set([0x55, 0xaa], sector * SECTOR + 510)
}

const found = (bytes: Uint8Array) =>
  Effect.map(DiskPartitions.find(ByteSource.fromBytes(bytes)), (partitions) =>
    partitions.map(({ length, number, start }) => [number, start / SECTOR, length / SECTOR]),
  )

describe("DiskPartitions", () => {
  it.effect("finds primary and logical partitions of an MBR", () =>
    Effect.gen(function* () {
      const image = disk(200)
      writeRecord(image, 0, [
        [0x83, 2, 20],
        [0x82, 22, 10],
        [0x05, 40, 100],
      ])
      writeRecord(image, 40, [
        [0x83, 2, 8],
        [0x05, 20, 40],
      ])
      writeRecord(image, 60, [[0x83, 1, 30]])
      assert.deepStrictEqual(yield* found(image.bytes), [
        [1, 2, 20],
        [2, 22, 10],
        [5, 42, 8],
        [6, 61, 30],
      ])
    }),
  )

  it.effect("finds the partitions of a GPT, by their numbers", () =>
    Effect.gen(function* () {
      const image = disk(100)
      writeRecord(image, 0, [[0xee, 1, 99]])
      image.bytes.set(Buffer.from("EFI PART"), SECTOR)
      image.view.setBigUint64(SECTOR + 72, 2n, true)
      image.view.setUint32(SECTOR + 80, 4, true)
      image.view.setUint32(SECTOR + 84, 128, true)
      for (const [index, first, last] of [
        [0, 10n, 19n],
        [2, 30n, 49n],
      ] as const) {
        const at = 2 * SECTOR + 128 * index
        image.bytes.fill(7, at, at + 16)
        image.view.setBigUint64(at + 32, first, true)
        image.view.setBigUint64(at + 40, last, true)
      }
      assert.deepStrictEqual(yield* found(image.bytes), [
        [1, 10, 10],
        [3, 30, 20],
      ])
    }),
  )

  it.effect("cuts what reaches beyond the end, leaves out what begins there, and does not follow a loop for ever", () =>
    Effect.gen(function* () {
      const image = disk(50)
      writeRecord(image, 0, [
        [0x83, 40, 1000],
        [0x83, 60, 1],
        [0x05, 10, 20],
      ])
      writeRecord(image, 10, [
        [0x83, 1, 1],
        [0x05, 1, 1],
      ])
      writeRecord(image, 11, [
        [0x83, 1, 1],
        [0x05, 1, 1],
      ])
      const partitions = yield* found(image.bytes)
      assert.deepStrictEqual(partitions[0], [1, 40, 10])
      assert.isAtMost(partitions.length, 130)
    }),
  )

  it.effect("finds none in what has no table: nothing, a file system, random bytes", () =>
    Effect.gen(function* () {
      const fileSystem = disk(10)
      fileSystem.bytes.fill(0x20, 3, 510)
      fileSystem.bytes.set([0x55, 0xaa], 510)
      for (const bytes of [new Uint8Array(), new Uint8Array(100), disk(10).bytes, fileSystem.bytes]) {
        assert.deepStrictEqual(yield* found(bytes), [])
      }
    }),
  )
})
