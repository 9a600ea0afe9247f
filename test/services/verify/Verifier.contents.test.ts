import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import * as PathText from "../../../src/domain/PathText.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import type * as Finding from "../../../src/services/verify/Finding.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { recorded } from "../archive/helpers.ts"
import { type Brief, ARCHIVE, run, sourcesOf, brief, verify } from "./verifying.ts"

describe("an archive without a beginning or an end", () => {
  const sound = B.build({ children: [B.file("a", "content")] })
  const cases: Readonly<Record<string, { readonly bytes: Uint8Array; readonly finding: Brief }>> = {
    "A1: too short": { bytes: sound.bytes.subarray(0, 60), finding: ["error", "A1", "/", 0] },
    "A2: an unknown version": {
      bytes: B.build({ head: B.formatVersion(3) }).bytes,
      finding: ["error", "A2", "/", 16],
    },
    "A3: two preludes": {
      bytes: B.build({ head: Buffer.concat([B.formatVersion(2), B.prelude("x"), B.prelude("y")]) }).bytes,
      finding: ["error", "A3", "/", 24 + 17],
    },
    "A4: cut short": { bytes: sound.bytes.subarray(0, -1), finding: ["error", "A4", "/", sound.bytes.length - 25] },
    "A4: with bytes after its end": {
      bytes: Buffer.concat([sound.bytes, Buffer.alloc(1)]),
      finding: ["error", "A4", "/", sound.bytes.length - 23],
    },
    "A5: a root that begins elsewhere": {
      bytes: B.poke(sound.bytes, sound.bytes.length - 16, sound.at("").goodbye - 1),
      finding: ["error", "A5", "/", sound.bytes.length - 16],
    },
    "A5: a root that is a file": {
      bytes: B.build({ root: Buffer.concat([B.entry(), B.payload("x")]) }).bytes,
      finding: ["error", "A5", "/", 0],
    },
    "H4: no archive at all": {
      bytes: Buffer.from("this is just some text, which nobody would take for an archive at all, though it is long"),
      finding: ["error", "H4", "/", 0],
    },
  }
  for (const [name, { bytes, finding }] of Object.entries(cases)) {
    it.effect(`${name}: that is the finding`, () =>
      Effect.gen(function* () {
        const { findings, verdict } = yield* run(sourcesOf(bytes))
        assert.deepStrictEqual(findings.map(brief), [finding])
        assert.strictEqual(verdict.result, "damaged")
        // A root without its index is read from the front.
        const opens = /^A4|^A5: a root that begins/.test(name)
        assert.strictEqual(verdict.failure?.check, opens ? undefined : finding[1])
        assert.strictEqual(verdict.entries, opens ? 2 : 0)
      }),
    )
  }
})

describe("contents", () => {
  const built = B.build({
    version: 2,
    children: [B.file("a", "first"), B.file("b", "x".repeat(3_000_000)), B.file("c"), B.linkTo("d", "b")],
  })

  it.effect("are read when that is asked for, each file once", () =>
    Effect.gen(function* () {
      const { findings, verdict } = yield* run(sourcesOf(built.bytes, built.payload), { data: true })
      assert.deepStrictEqual(findings, [])
      assert.strictEqual(verdict.contentBytes, 3_000_005)
      assert.strictEqual(verdict.entries, 5)
    }),
  )

  it.effect("are not read otherwise", () =>
    Effect.gen(function* () {
      const payload = recorded(built.payload, "test.ppxar")
      const { verdict } = yield* run({
        archive: fromBytes(built.bytes, ARCHIVE),
        payload: { _tag: "Present", source: payload },
      })
      assert.strictEqual(verdict.result, "consistent")
      assert.isTrue(payload.reads.every(([, length]) => length <= 16))
    }),
  )

  it.effect("that cannot be read are a finding (H6), and others are read", () =>
    Effect.gen(function* () {
      const payload = recorded(built.payload, "test.ppxar")
      payload.failOn = (offset, length) => length > 16 && offset < 2_000_000 && offset > 1_000_000
      const { findings, verdict } = yield* run(
        { archive: fromBytes(built.bytes, ARCHIVE), payload: { _tag: "Present", source: payload } },
        { data: true },
      )
      const begin = 16 + 16 + 5 + 16
      assert.deepStrictEqual(findings.map(brief), [["error", "H6", "/b", begin + 1024 * 1024, "test.ppxar"]])
      assert.strictEqual(verdict.contentBytes, 5 + 1024 * 1024)
    }),
  )

  it.effect("in a payload archive that is missing are a note (P5), an error when they were to be read", () =>
    Effect.gen(function* () {
      const at = built.at("a").start + 56
      assert.deepStrictEqual(yield* verify(built.bytes), { findings: [["note", "P5", "/", at]], result: "notes" })
      assert.deepStrictEqual(yield* verify(built.bytes, undefined, { data: true }), {
        findings: [["error", "P5", "/", at]],
        result: "damaged",
      })
    }),
  )

  it.effect("of a payload archive that was cut short are reported one by one", () =>
    Effect.gen(function* () {
      const { findings } = yield* verify(built.bytes, built.payload.subarray(0, 1000))
      const start = 16 + 16 + 5
      assert.deepStrictEqual(findings, [
        ["note", "P2", "/", 984, "test.ppxar"],
        ["error", "P4", "/b", start, "test.ppxar"],
        ["error", "P4", "/c", start + 16 + 3_000_000, "test.ppxar"],
      ])
    }),
  )

  it.effect("that two files share are no overlap, and are read once", () =>
    Effect.gen(function* () {
      const shared = B.build({
        version: 2,
        children: [B.file("a", "first"), B.raw("b", B.entry(), B.payloadRef(16, 5)), B.file("c", "third")],
      })
      const { findings, verdict } = yield* run(sourcesOf(shared.bytes, shared.payload), { data: true })
      assert.deepStrictEqual(findings, [])
      assert.strictEqual(verdict.contentBytes, 10)
    }),
  )
})

describe("the prelude", () => {
  it.effect("longer than is allowed is a note (R1)", () =>
    Effect.gen(function* () {
      const { bytes } = B.build({ version: 2, head: Buffer.concat([B.formatVersion(2), B.prelude("x".repeat(100))]) })
      const { findings } = yield* verify(bytes, B.build({ version: 2 }).payload, {
        limits: { ...Limits.defaults, preludeBytes: 99 },
      })
      assert.deepStrictEqual(findings, [["note", "R1", "/", 40]])
    }),
  )
})

describe("the golden archives", () => {
  const notes: Readonly<Record<string, ReadonlyArray<readonly [check: string, path: string]>>> = {
    // Written to be odd: see the archives' manifest.
    "synth-v1": [["E8", "/meta/acl-nogroupobj"]],
    "synth-v2": [["E8", "/meta/acl-nogroupobj"]],
    "synth-v2np": [["E8", "/meta/acl-nogroupobj"]],
    "tiny/rich-v1": [["E8", "/"]],
  }
  for (const golden of Golden.all) {
    it.effect(`${golden.name} is sound`, () =>
      Effect.gen(function* () {
        const { bytes, payload } = Golden.load(golden)
        const { findings, verdict } = yield* run(sourcesOf(bytes, payload), { data: true })
        const expected = notes[golden.name] ?? []
        assert.deepStrictEqual(
          findings.map(({ check, path, severity }) => [severity, check, PathText.print(path)]),
          expected.map(([check, path]) => ["note", check, path]),
        )
        assert.strictEqual(verdict.result, expected.length === 0 ? "consistent" : "notes")
        assert.strictEqual(verdict.entries, golden.view().length)
        const files = golden.view().filter(({ hardlink, kind }) => kind === "file" && !hardlink)
        assert.strictEqual(
          verdict.contentBytes,
          files.reduce((sum, { size }) => sum + size, 0),
        )
      }),
    )
  }
})

describe("an archive with any byte changed", () => {
  for (const golden of [Golden.hardlinkV1, Golden.hardlinkV2, Golden.richV1, Golden.legacyV1]) {
    it.effect(`${golden.name} is verified to the end`, () =>
      Effect.gen(function* () {
        const { bytes, payload } = Golden.load(golden)
        for (let at = 0; at < bytes.length; at++) {
          for (const flip of [0x01, 0x80, 0xff]) {
            const changed = B.splice(bytes, at, Buffer.from([bytes[at]! ^ flip]))
            const { findings, verdict } = yield* run(sourcesOf(changed, payload), { data: true })
            const errors = findings.filter(({ severity }) => severity === "error").length
            assert.strictEqual(verdict.errors, errors, `byte ${at}`)
          }
        }
      }),
    )
  }
})

describe("progress", () => {
  it.effect("is told, and ends at the end", () =>
    Effect.gen(function* () {
      const { bytes, payload } = Golden.load(Golden.treeV2)
      const seen: Array<Finding.Progress> = []
      yield* run(sourcesOf(bytes, payload), { data: true, onProgress: (progress) => seen.push(progress) })
      assert.isAbove(seen.length, 3)
      assert.isTrue(seen.every(({ position }, i) => i === 0 || position >= seen[i - 1]!.position))
      assert.deepStrictEqual(seen.at(-1), { entries: 626, position: bytes.length, contentBytes: 3_553_203 })
    }),
  )
})
