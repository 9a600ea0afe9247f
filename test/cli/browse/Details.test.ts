import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as CapabilityText from "../../../src/domain/pxar/CapabilityText.ts"
import * as Details from "../../../src/cli/browse/Details.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import * as Tree from "../../support/Tree.ts"

const detailsOf = Effect.fnUntraced(function* (bytes: Uint8Array, path: string) {
  const archive = Archive.fromReader(yield* Tree.openBytes(bytes))
  return Details.lines(yield* archive.find(Buffer.from(path)))
})

/** The rows of a label, the label left out. */
const valuesOf = (lines: ReadonlyArray<string>, label: string): ReadonlyArray<string> => {
  const from = lines.findIndex((line) => line.startsWith(label.padEnd(14)))
  const rest = lines.slice(from + 1)
  const end = rest.findIndex((line) => !line.startsWith(" "))
  return from < 0 ? [] : lines.slice(from, end < 0 ? undefined : from + 1 + end).map((line) => line.slice(14))
}

const tree = Golden.load(Golden.treeV1).bytes

describe("details", () => {
  it.effect("of ACLs are as getfacl shows them", () =>
    Effect.gen(function* () {
      const lines = yield* detailsOf(tree, "acl/both")
      const access = ["user::rwx", "user:1002:rwx", "group::r-x", "mask::rwx", "other::r-x"]
      assert.deepStrictEqual(valuesOf(lines, "ACL"), access)
      const byDefault = ["user::rwx", "user:1003:r-x", "group::r-x", "mask::r-x", "other::r-x"]
      assert.deepStrictEqual(valuesOf(lines, "default ACL"), byDefault)
    }),
  )

  it.effect("of a hard link are its target's, and say so", () =>
    Effect.gen(function* () {
      const lines = yield* detailsOf(tree, "zz-root-link")
      assert.deepStrictEqual(valuesOf(lines, "hard link to"), ["/hard/a-first"])
      assert.deepStrictEqual(valuesOf(lines, "mode"), ["-rw-r----- (0640)"])
    }),
  )

  it.effect("of values that are not text are in hex, and cut where they are long", () =>
    Effect.gen(function* () {
      const head = Buffer.concat([
        B.entry(),
        B.xattr(
          "user.bytes",
          Uint8Array.from({ length: 40 }, (_, i) => i),
        ),
        B.xattr("user.long", "x".repeat(2000)),
      ])
      const lines = yield* detailsOf(B.build({ children: [B.file("f", "", { head })] }).bytes, "f")
      assert.deepStrictEqual(valuesOf(lines, "attribute"), [
        "user.bytes =",
        "  000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "  2021222324252627",
      ])
      assert.strictEqual(lines.at(-1)!.trim(), "… 2,000 bytes")
    }),
  )

  it.effect("of devices and links say where they lead", () =>
    Effect.gen(function* () {
      const { bytes } = B.build({
        children: [
          B.raw("dev", B.entry({ mode: 0o60600 }), B.device(8, 1)),
          B.raw("link", B.entry({ mode: 0o120777 }), B.symlink(Buffer.from([0xff]))),
        ],
      })
      assert.deepStrictEqual(valuesOf(yield* detailsOf(bytes, "dev"), "device"), ["8, 1"])
      assert.deepStrictEqual(valuesOf(yield* detailsOf(bytes, "link"), "target"), [String.raw`\xff`])
    }),
  )

  it.effect("of an impossible ACL say why it is not shown", () =>
    Effect.gen(function* () {
      const acl = B.item(B.Type.ACL_USER, B.u64(1000, 0o77))
      const head = Buffer.concat([B.entry(), acl])
      const lines = yield* detailsOf(B.build({ children: [B.file("f", "", { head })] }).bytes, "f")
      assert.match(
        valuesOf(lines, "problems").join(),
        /access ACL with impossible permissions .*\(check E8 at byte \d+\)/,
      )
    }),
  )
})

const u32 = (...values: ReadonlyArray<number>): Uint8Array => {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, 4 * index)
  return bytes
}

describe("capabilities", () => {
  for (const [what, value, expected] of [
    ["cap_net_raw=ep", u32(0x0200_0001, 1 << 13, 0, 0, 0), "cap_net_raw=ep"],
    ["several sets", u32(0x0200_0000, (1 << 12) | (1 << 13), 1 << 12, 0, 0), "cap_net_admin=ip cap_net_raw=p"],
    ["those above 31", u32(0x0200_0001, 0, 0, 1 << 8, 0), "cap_checkpoint_restore=ep"],
    ["those of the future", u32(0x0200_0001, 0, 0, 0x8000_0000, 0), "63=ep"],
    ["of a user namespace", u32(0x0300_0001, 1, 0, 0, 0, 1000), "cap_chown=ep [rootid=1000]"],
    ["version 1", u32(0x0100_0001, 1, 0), "cap_chown=ep"],
    ["none", u32(0x0200_0000, 0, 0, 0, 0), "="],
    ["a wrong size", u32(0x0200_0001, 1, 0, 0), undefined],
    ["an unknown version", u32(0x0400_0001, 1, 0, 0, 0), undefined],
    ["nothing", u32(), undefined],
  ] as const) {
    it(what, () => assert.strictEqual(CapabilityText.print(value), expected))
  }
})
