/** Each damage of `fixtures/should-fail` is found, by its check and at its path, and its siblings stay readable. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Limits from "../../src/domain/pxar/Limits.ts"
import * as PathText from "../../src/domain/PathText.ts"
import * as Archive from "../../src/services/tree/Archive.ts"
import * as ArchiveReader from "../../src/services/archive/ArchiveReader.ts"
import * as ArchiveBytes from "../../src/services/bytes/ArchiveBytes.ts"
import type * as Finding from "../../src/services/verify/Finding.ts"
import * as Verifier from "../../src/services/verify/Verifier.ts"
import * as DamagedArchives from "../support/DamagedArchives.ts"

interface Line extends DamagedArchives.Expected {
  readonly limits?: Partial<Limits.Limits>
}

const folder = path.join(import.meta.dirname, "../../fixtures/should-fail")
const manifest = JSON.parse(fs.readFileSync(path.join(folder, "manifest.json"), "utf8")) as Record<string, Line>

const findings = Effect.fnUntraced(function* (name: string, limits: Limits.Limits) {
  const sources = yield* ArchiveBytes.open(path.join(folder, name))
  const events = yield* Stream.runCollect(Verifier.verify(sources, { data: true, limits }))
  return events.filter((event): event is Finding.Finding => event._tag === "Finding")
})

describe("verify", () => {
  for (const [name, { limits, ...expected }] of Object.entries(manifest)) {
    it.effect(`finds ${name}`, () =>
      Effect.gen(function* () {
        const found = yield* findings(name, { ...Limits.defaults, ...limits })
        const brief = found.map(({ check, kind, path }) => ({ kind, check, path: PathText.print(path) }))
        assert.deepInclude(brief, expected)
        // A payload archive that is of no use leaves files without.
        const others = brief.filter(({ check }) => check !== expected.check && check !== "P5")
        assert.deepStrictEqual(others, [], "one damage, one finding")
      }).pipe(Effect.scoped),
    )
  }
})

describe("what is beside the damage", () => {
  const inside = Object.entries(manifest).filter(([, line]) => line.path !== "/")
  for (const [name, { limits }] of inside) {
    it.effect(`is readable in ${name}`, () =>
      Effect.gen(function* () {
        const sources = yield* ArchiveBytes.open(path.join(folder, name))
        const options = { limits: { ...Limits.defaults, ...limits } }
        const archive = Archive.fromReader(yield* ArchiveReader.make(sources.archive, sources.payload, options))
        for (const [sibling, content] of Object.entries({ aa: "sound", zz: "sound too" })) {
          const found = yield* archive.find(Buffer.from(sibling))
          assert.strictEqual(Buffer.from(yield* archive.read(found, 0, 100)).toString(), content)
        }
      }).pipe(Effect.scoped),
    )
  }
})

describe("the folder", () => {
  it("holds what `node test/hostile/fixtures.ts` writes, and nothing else of those names", () => {
    for (const [name, damaged] of DamagedArchives.all) {
      const file = path.join(folder, `${name}.${DamagedArchives.suffix(damaged)}`)
      assert.isTrue(fs.readFileSync(file).equals(damaged.bytes), name)
    }
    const archives = fs.readdirSync(folder).filter((name) => /\.m?pxar$/.test(name))
    assert.deepStrictEqual(archives.sort(), Object.keys(manifest).sort())
  })

  it("has a case for every check of §7 that bytes can fail", () => {
    const checks = new Set(Object.values(manifest).map(({ check }) => check))
    const numbered = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `${letter}${i + 1}`)
    const wanted = [
      ...[numbered("H", 4), numbered("A", 6), numbered("P", 5), numbered("D", 11), numbered("N", 4)].flat(),
      ...[numbered("E", 8), numbered("L", 3), ["R1"]].flat(),
    ]
    assert.deepStrictEqual(
      wanted.filter((check) => !checks.has(check)),
      [],
    )
  })
})
