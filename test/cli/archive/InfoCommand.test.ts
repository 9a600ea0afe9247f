import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import * as JsonSchemas from "./JsonSchemas.ts"
import { asEveryUser, expectRun, onEveryGolden, payloadOf, writeArchive } from "../reading.ts"

const infoOf = (output: string) => {
  const [info, ...more] = JsonSchemas.parse("info", output)
  assert.strictEqual(more.length, 0)
  return info!
}

asEveryUser("info", (as) => {
  onEveryGolden(
    "has the right numbers",
    Effect.fnUntraced(function* (golden) {
      const info = infoOf(yield* expectRun(["info", "--json", golden.archive, ...payloadOf(golden)], 0, [], as))
      const own = golden.view().filter(({ hardlink }) => !hardlink)
      assert.strictEqual(info.archive, golden.archive)
      assert.strictEqual(info.version, golden.version)
      assert.strictEqual(info.size, fs.statSync(golden.archive).size)
      assert.strictEqual(info.entries, golden.view().length)
      assert.strictEqual(
        Object.values(info.kinds).reduce((sum, count) => sum + count, 0),
        own.length,
      )
      const sizes = own.filter(({ kind }) => kind === "file").map(({ size }) => size)
      assert.strictEqual(
        info.contents,
        sizes.reduce((sum, size) => sum + size, 0),
      )
      assert.deepStrictEqual(
        info.payload,
        golden.payload === undefined
          ? undefined
          : { archive: golden.payload, size: fs.statSync(golden.payload).size, complete: true, unreferenced: 0 },
      )
    }),
  )
})

describe("info", () => {
  it.live("says it in words", () =>
    Effect.gen(function* () {
      const built = B.build({
        version: 2,
        head: Buffer.concat([B.formatVersion(2), B.prelude('{"exclude-patterns": "*.o\\n"}')]),
        children: [
          B.raw("a", B.entry(), B.xattr("user.a", "1"), B.payloadRef(16, 2000)),
          B.folder("d", [B.linkTo("b", "a"), B.file(Buffer.from([0xff]))]),
        ],
      })
      const payload = Buffer.concat([
        B.item(B.Type.PAYLOAD_START_MARKER),
        B.payload("x".repeat(2000)),
        B.payload("not referred to"),
        B.payload(""),
        B.item(B.Type.PAYLOAD_TAIL_MARKER),
      ])
      const archive = yield* writeArchive({ bytes: built.bytes, payload })
      assert.deepStrictEqual((yield* expectRun(["info", archive], 0)).split("\n"), [
        `archive      ${archive}`,
        "version      2 (split)",
        `size         ${built.bytes.length} bytes`,
        `payload      ${archive.replace("mpxar", "ppxar")}`,
        `payload size 2.0 KiB (${payload.length.toLocaleString("en")} bytes)`,
        "payload end  complete",
        "unreferenced 47 bytes",
        "contents     2.0 KiB (2,000 bytes)",
        "entries      5",
        "             2 folders, 2 files, 1 hard link",
        "attributes   1 extended attribute of 1 entry, 0 ACLs, 0 default ACLs, capabilities of 0 files",
        "deepest      /d/b (2 levels)",
        String.raw`prelude      {"exclude-patterns":"*.o\n"}`,
        "largest                2,000 /a",
        String.raw`                           0 /d/\xff`,
        "",
      ])
    }),
  )

  it.live("gives a prelude that is no JSON in hex", () =>
    Effect.gen(function* () {
      const head = Buffer.concat([B.formatVersion(2), B.prelude(Buffer.from([0xff, 0x00]))])
      const archive = yield* writeArchive({ bytes: B.build({ version: 2, head }).bytes }, "test.mpxar")
      const info = infoOf(yield* expectRun(["info", "--json", archive], 0))
      assert.deepStrictEqual(info.prelude, { size: 2, hex: "ff00" })
      assert.strictEqual(info.payload_missing, false)
    }),
  )

  it.live("says that the payload archive is missing", () =>
    Effect.gen(function* () {
      const { bytes } = B.build({ version: 2, children: [B.file("a", "x")] })
      const archive = yield* writeArchive({ bytes }, "test.mpxar")
      assert.include(yield* expectRun(["info", archive], 0), "payload      missing: contents of files cannot be read\n")
      assert.strictEqual(infoOf(yield* expectRun(["info", "--json", archive], 0)).payload_missing, true)
    }),
  )

  it.live("says that the payload archive was cut short", () =>
    Effect.gen(function* () {
      const built = B.build({ version: 2, children: [B.file("a", "x")] })
      const archive = yield* writeArchive({ ...built, payload: built.payload.subarray(0, -16) })
      const output = yield* expectRun(["info", archive], 0, ["warning: ", "without its end marker"])
      assert.include(output, "payload end  end marker missing: cut short?\n")
    }),
  )

  it.live("counts what cannot be read, and has the exit code of a damage", () =>
    Effect.gen(function* () {
      const archive = yield* writeArchive(
        B.build({ children: [B.raw("bad", B.entry(), B.item(0x1234n)), B.file("c"), { ...B.file("c"), key: "twin" }] }),
      )
      const output = yield* expectRun(["info", "--json", archive], ExitCode.DAMAGED, ["1 entry cannot be read"])
      assert.deepInclude(infoOf(output), { unreadable: 1, hidden: 1, entries: 2 })
    }),
  )

  it.live("of something else says so", () =>
    expectRun(["info", import.meta.filename], ExitCode.NOT_PXAR, ["not a pxar archive"]),
  )

  it.live("of a payload archive says what to give instead", () =>
    expectRun(["info", Golden.helloV2.payload!], ExitCode.UNSUPPORTED, ["give the .mpxar file"]),
  )
})
