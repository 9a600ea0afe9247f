import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import * as JsonSchemas from "./JsonSchemas.ts"
import { asEveryUser, expectRun, onEveryGolden, payloadOf, writeArchive } from "../reading.ts"

/** Golden archives that hold what is a note; see test/services/Verifier.test.ts. */
const withNotes = new Set([Golden.synthV1, Golden.synthV2, Golden.synthV2np, Golden.richV1])

asEveryUser("verify", (as) => {
  onEveryGolden(
    "finds nothing but the known notes",
    Effect.fnUntraced(function* (golden) {
      const notes = withNotes.has(golden) ? 1 : 0
      const code = notes === 0 ? 0 : ExitCode.NOTES
      const args = ["verify", "--json", "--data", golden.archive, ...payloadOf(golden)]
      const lines = JsonSchemas.parse("verify", yield* expectRun(args, code, [], as))
      const files = golden.view().filter(({ hardlink, kind }) => kind === "file" && !hardlink)
      assert.strictEqual(lines.length, notes + 1)
      assert.deepStrictEqual(lines.at(-1), {
        verdict: notes === 0 ? "consistent" : "notes",
        opened: true,
        errors: 0,
        notes,
        entries: golden.view().length,
        content_bytes: files.reduce((sum, { size }) => sum + size, 0),
      })
    }),
  )
})

describe("verify", () => {
  const bad = B.raw("bad", B.entry(), B.item(0x1234n))
  const odd = B.file(Buffer.from([0x6f, 0xff]), "x", { head: B.entry({ nanos: 1_000_000_000 }) })

  it.live("prints a line for each finding, and the verdict", () =>
    Effect.gen(function* () {
      const built = B.build({ children: [B.file("a", "content"), bad, odd] })
      const archive = yield* writeArchive(built)
      const [at, note] = [built.at("bad").start + 56, built.at(Buffer.from([0x6f, 0xff]).toString()).start + 16 + 32]
      assert.deepStrictEqual((yield* expectRun(["verify", "--data", archive], ExitCode.DAMAGED)).split("\n"), [
        `error H4  /bad: unknown item type 0x0000000000001234 (byte ${at} of ${archive})`,
        String.raw`note  E2  /o\xff: 1000000000 nanoseconds taken for 999999999` + ` (byte ${note} of ${archive})`,
        "damaged: 1 error, 1 note, 3 entries, 8 bytes of contents read; pxar has no checksums of contents",
        "",
      ])
    }),
  )

  it.live("says that an archive is sound", () =>
    Effect.gen(function* () {
      const output = yield* expectRun(["verify", Golden.helloV1.archive], 0)
      assert.strictEqual(
        output,
        "consistent: 3 entries, contents not read (--data reads them); pxar has no checksums of contents\n",
      )
    }),
  )

  it.live("has an exit code of its own for notes", () =>
    Effect.gen(function* () {
      const output = yield* expectRun(["verify", yield* writeArchive(B.build({ children: [odd] }))], ExitCode.NOTES)
      assert.match(output, /\nconsistent, but with notes: 1 note, 2 entries, contents not read .*\n$/)
    }),
  )

  it.live("gives paths that are not text in hex, as JSON", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(B.build({ children: [odd] }))
      const [finding] = JsonSchemas.parse("verify", yield* expectRun(["verify", "--json", archive], ExitCode.NOTES))
      assert.deepInclude(finding, { path: String.raw`/o\xff`, path_hex: "2f6fff", check: "E2", severity: "note" })
    }),
  )

  it.live("of an archive that was cut short", () =>
    Effect.gen(function* () {
      const bytes = Golden.load(Golden.treeV1).bytes.subarray(0, -100)
      const archive = yield* writeArchive({ bytes })
      const output = yield* expectRun(["verify", archive], ExitCode.DAMAGED)
      assert.match(output, /^error A4 {2}\/: the index at the end is missing; read from the front, .*\n/)
      assert.match(output, /\ndamaged: 1 error, 626 entries, .*\n$/)
      const lines = JsonSchemas.parse("verify", yield* expectRun(["verify", "--json", archive], ExitCode.DAMAGED))
      assert.deepInclude(lines.at(-1), { verdict: "damaged", opened: true, errors: 1 })
    }),
  )

  it.live("of something else", () =>
    Effect.gen(function* () {
      const output = yield* expectRun(["verify", import.meta.filename], ExitCode.NOT_PXAR)
      assert.match(output, /^error H4 {2}\/: not a pxar archive .*\ncannot be opened: 1 error\n$/)
    }),
  )

  it.live("of what is not there", () =>
    expectRun(["verify", "/nonexistent.pxar"], ExitCode.NO_ARCHIVE, ["/nonexistent.pxar: no such file"]),
  )
})

describe("verify of a split archive", () => {
  const built = B.build({ version: 2, children: [B.file("a", "content"), B.file("b", "more")] })

  it.live("whose payload archive was cut short", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive({ ...built, payload: built.payload.subarray(0, -18) })
      const payload = archive.replace(/mpxar$/, "ppxar")
      assert.deepStrictEqual((yield* expectRun(["verify", archive], ExitCode.DAMAGED)).split("\n"), [
        `note  P2  /: payload archive without its end marker: cut short? (byte 41 of ${payload})`,
        `error P4  /b: payload of 4 bytes crosses the end of the archive (byte 39 of ${payload})`,
        "damaged: 1 error, 1 note, 3 entries, contents not read (--data reads them); pxar has no checksums of contents",
        "",
      ])
    }),
  )

  it.live("whose payload archive is missing: a note, an error if contents are to be read", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive({ bytes: built.bytes }, "alone.mpxar")
      assert.match(yield* expectRun(["verify", archive], ExitCode.NOTES), /^note {2}P5 {2}\/: .* of 2 files /)
      assert.match(yield* expectRun(["verify", "--data", archive], ExitCode.DAMAGED), /^error P5 {2}\/: .* of 2 files /)
    }),
  )

  it.live("whose payload archive is another file", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive({ ...built, payload: Buffer.alloc(100) })
      const output = yield* expectRun(["verify", archive], ExitCode.DAMAGED)
      assert.match(output, /^error P1 {2}\/: .*\nnote {2}P5 {2}\/: .*\ndamaged: 1 error, 1 note, 3 entries, /)
    }),
  )
})
