import { assert, describe, it } from "vitest"
import * as ForwardReaders from "../../../src/services/bytes/ForwardReaders.ts"

const KIB = 1024
const MIB = 1024 * KIB
const stream: ForwardReaders.Stream = { chunkSize: 4 * MIB }

const make = () => ForwardReaders.make({ window: 64 * MIB })

/** Reads forward in steps; returns where reading ahead should end after each. */
const forward = (readers: ForwardReaders.ForwardReaders, from: number, step: number, count: number, of = stream) =>
  Array.from({ length: count }, (_, i) => readers.visit(of, from + i * step, from + (i + 1) * step).until)

describe("ForwardReaders", () => {
  it("reads nothing ahead for one who has been in two places only", () => {
    assert.deepStrictEqual(forward(make(), 0, 128 * KIB, 2), [0, 0])
  })

  it("reads sixteen times ahead of what was read, and never more than the window", () => {
    const ends = forward(make(), 0, 128 * KIB, 100)
    assert.strictEqual(ends[2], 17 * 3 * 128 * KIB)
    assert.strictEqual(ends[99], 100 * 128 * KIB + 64 * MIB)
  })

  it("follows one who skips from file to file, and one whose requests come in another order", () => {
    const readers = make()
    for (let file = 0; file < 100; file++) readers.visit(stream, file * 20_000, file * 20_000 + 4000)
    assert.isAbove(readers.visit(stream, 2_000_000, 2_004_000).until, 16 * MIB)
    const [a, b] = [readers.visit(stream, 2_136_000, 2_268_000), readers.visit(stream, 2_004_000, 2_136_000)]
    assert.strictEqual(a, b)
    assert.strictEqual(b.position, 2_268_000)
  })

  it("follows one who lists each folder before it reads it, whose table is at its end, as one", () => {
    const readers = make()
    const size = 8 * MIB
    for (let folder = 0; folder < 40; folder++) {
      const [start, end] = [folder * size, (folder + 1) * size]
      readers.visit(stream, end - 512, end)
      for (let child = start; child < end; child += 160 * KIB) readers.visit(stream, child, child + 512)
      for (let at = start; at < end; at += 128 * KIB) readers.visit(stream, at, at + 128 * KIB)
    }
    assert.strictEqual(readers.visit(stream, 40 * size, 40 * size + 512).until, 40 * size + 512 + 64 * MIB)
  })

  it("reads nothing ahead for one who jumps about", () => {
    const readers = make()
    const ends = Array.from({ length: 200 }, (_, i) => {
      const start = ((i * 7919) % 1000) * MIB
      return readers.visit(stream, start, start + 4 * KIB).until
    })
    assert.deepStrictEqual([...new Set(ends)], [0])
  })

  it("shares the window among those who go forward, and takes back the part of one who has gone", () => {
    const readers = make()
    const other: ForwardReaders.Stream = { chunkSize: 4 * MIB }
    forward(readers, 0, MIB, 8)
    assert.strictEqual(forward(readers, 0, MIB, 8, other)[7], 8 * MIB + 32 * MIB)
    // The first is not seen any more.
    assert.strictEqual(forward(readers, 8 * MIB, MIB, 300, other)[299], 308 * MIB + 64 * MIB)
  })

  it("begins again with one who was interrupted", () => {
    const readers = make()
    forward(readers, 0, MIB, 8)
    readers.drop(readers.visit(stream, 8 * MIB, 9 * MIB))
    assert.strictEqual(readers.visit(stream, 9 * MIB, 10 * MIB).until, 0)
  })
})
