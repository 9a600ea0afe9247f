import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import type * as Finding from "../../../src/services/verify/Finding.ts"
import type * as Verifier from "../../../src/services/verify/Verifier.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import { type Brief, verify } from "./verifying.ts"

/** Nanoseconds out of range: a note of its own, to see that what comes after a damage is still looked at. */
const after = B.file("zz", "sibling", { head: B.entry({ nanos: 2_000_000_000 }) })

/** An archive in which the children stand between sound ones and one that has a note. */
const around = (children: ReadonlyArray<B.Node>, version: 1 | 2 = 1): B.Built =>
  B.build({ version, children: [B.file("aa", "sound"), ...children, after] })

const siblingNote = (built: B.Built): Brief => ["note", "E2", "/zz", built.at("zz").start + 16 + 32]

/** What a damage looks like: the bytes of both archives, and the one finding it must cause. */
interface Damage {
  readonly bytes: Uint8Array
  readonly payload?: Uint8Array
  readonly finding: Brief
  readonly options?: Verifier.Options
}

const damaged = (built: B.Built, finding: Brief, more: Partial<Damage> = {}): Damage & { readonly sibling: Brief } => ({
  bytes: built.bytes,
  finding,
  sibling: siblingNote(built),
  ...more,
})

/** A file `bad` with these items behind its ENTRY, and the finding at some distance from where they begin. */
const withItems = (
  check: string,
  distance: number,
  items: ReadonlyArray<Uint8Array>,
  head: B.Head = {},
  severity: Finding.Severity = "error",
) => {
  const built = around([B.raw("bad", B.entry(head), ...items)])
  return damaged(built, [severity, check, "/bad", built.at("bad").start + 56 + distance])
}

const folderOf = (...children: ReadonlyArray<B.Node>) => around([B.folder("bad", children)])

const damages: Readonly<Record<string, () => Damage & { readonly sibling: Brief }>> = {
  "H1: an item smaller than its header": () => withItems("H1", 8, [B.item(B.Type.PAYLOAD, Buffer.from("x"), 5)]),
  "H2: an item that crosses its bound": () => withItems("H2", 8, [B.item(B.Type.PAYLOAD, Buffer.from("x"), 1000)]),
  "H3: a content of a wrong size": () =>
    withItems("H3", 8, [B.item(B.Type.DEVICE, Buffer.alloc(8))], { mode: 0o20600 }),
  "H4: a known type in the wrong place": () => withItems("H4", 0, [B.hardlink(1, "aa")]),
  "H4: an unknown type": () => withItems("H4", 0, [B.item(0x1234n, Buffer.alloc(8))]),
  "A3: a prelude within the archive": () => withItems("A3", 0, [B.prelude("x")]),
  "A3: a version within the archive": () => withItems("A3", 0, [B.formatVersion(2)]),
  "A6: a reference in an archive of version 1": () => withItems("A6", 0, [B.payloadRef(16, 3)]),
  "D1: no tail at the end of a folder": () => {
    const built = folderOf(B.file("x"))
    const at = built.at("bad").end - 24
    return damaged(built, ["error", "D1", "/bad", at], { bytes: B.poke(built.bytes, at, 0) })
  },
  "D2: a table of no whole number of items": () => {
    const built = folderOf(B.file("x"))
    const at = built.at("bad").end - 8
    return damaged(built, ["error", "D2", "/bad", at], { bytes: B.poke(built.bytes, at, 16 + 24 * 2 + 8) })
  },
  "D3: the table of another folder": () => {
    const built = folderOf(B.file("x"))
    const { end, goodbye, start } = built.at("bad")
    return damaged(built, ["error", "D3", "/bad", end - 16], {
      bytes: B.poke(built.bytes, end - 16, goodbye - start - 1),
    })
  },
  "D4: a child behind its table": () => {
    const built = folderOf(B.file("x"))
    const at = built.at("bad").slot("x") + 8
    return damaged(built, ["error", "D4", "/bad", at], { bytes: B.poke(built.bytes, at, 0) })
  },
  "D5: two children in one place": () => {
    const built = folderOf(B.file("x"), B.file("y"))
    const { goodbye, slot } = built.at("bad")
    return damaged(built, ["error", "D5", "/bad", slot("y") + 8], {
      bytes: B.poke(built.bytes, slot("y") + 8, goodbye - built.at("bad/x").nameStart),
    })
  },
  "D6: a folder that does not end at its bound": () => {
    const built = folderOf(B.file("x"))
    const at = built.at("").slot("bad") + 16
    const { end, nameStart } = built.at("bad")
    return damaged(built, ["error", "D6", "/bad", at], { bytes: B.poke(built.bytes, at, end - nameStart - 1) })
  },
  "D7: a file of another size in the table": () => {
    const built = around([B.file("bad", "content")])
    const at = built.at("").slot("bad") + 16
    return damaged(built, ["error", "D7", "/bad", at], { bytes: B.poke(built.bytes, at, 17) })
  },
  "D8: a name with another hash": () => {
    const built = around([B.file("bad", "content")])
    return damaged(built, ["error", "D8", "/bid", built.at("").slot("bad")], {
      bytes: B.splice(built.bytes, built.at("bad").nameStart + 17, Buffer.from("i")),
    })
  },
  "D8: a table out of order": () => {
    const built = folderOf(B.file("x"), B.file("y"))
    const { goodbye } = built.at("bad")
    const [first, second] = [goodbye + 16, goodbye + 40]
    const slots = built.bytes.subarray(first, first + 48)
    return damaged(built, ["error", "D8", "/bad", goodbye], {
      bytes: B.splice(B.splice(built.bytes, first, slots.subarray(24)), second, slots.subarray(0, 24)),
    })
  },
  "D9: two children of one name": () => {
    const built = around([B.folder("bad", [B.file("x", "1"), { ...B.file("x", "2"), key: "second" }])])
    return damaged(built, ["note", "D9", "/bad/x", built.at("bad").end])
  },
  "D10: a folder with more entries than are allowed": () => {
    const built = folderOf(...["a", "b", "c", "d"].map((name) => B.file(name)))
    return damaged(built, ["note", "D10", "/bad", built.at("bad").end - 8], {
      options: { limits: { ...Limits.defaults, directoryEntries: 3 } },
    })
  },
  "D11: folders nested more deeply than is allowed": () => {
    const built = around([B.folder("bad", [B.folder("sub", [B.folder("deep", [])])])])
    return damaged(built, ["note", "D11", "/bad/sub", built.at("bad/sub").start], {
      options: { limits: { ...Limits.defaults, depth: 2 } },
    })
  },
  "N1: a name without its NUL": () => {
    const built = around([{ ...B.file("bad"), filename: B.item(B.Type.FILENAME, Buffer.from("bad")) }])
    return damaged(built, ["error", "N1", "/?", built.at("bad").nameStart + 16])
  },
  "N2: a name that leads elsewhere": () => {
    const built = around([B.file("..")])
    return damaged(built, ["error", "N2", "/?", built.at("..").nameStart + 16])
  },
  "N3: a name with a NUL": () => {
    const built = around([{ ...B.file("bad"), filename: B.item(B.Type.FILENAME, Buffer.from("b\0d\0")) }])
    return damaged(built, ["error", "N3", "/?", built.at("bad").nameStart + 16])
  },
  "N4: a name without an entry": () => {
    const built = around([B.raw("bad", B.xattr("user.a", "1"))])
    return damaged(built, ["error", "N4", "/bad", built.at("bad").start])
  },
  "E1: a mode that does not fit the content": () => withItems("E1", 0, [B.payload("x")], { mode: 0o40755 }),
  "E1: an impossible mode": () => withItems("E1", -40, [B.payload("x")], { mode: 0o200644 }),
  "E2: too many nanoseconds": () => withItems("E2", -8, [B.payload("x")], { nanos: 1_000_000_000 }, "note"),
  "E3: two ACLs": () =>
    withItems("E3", 24, [
      B.item(B.Type.ACL_GROUP_OBJ, B.u64(5)),
      B.item(B.Type.ACL_GROUP_OBJ, B.u64(5)),
      B.payload("x"),
    ]),
  "E4: a symbolic link without its NUL": () =>
    withItems("E4", 16, [B.item(B.Type.SYMLINK, Buffer.from("target"))], { mode: 0o120777 }),
  "E5: an attribute without a name": () =>
    withItems("E5", 16, [B.item(B.Type.XATTR, Buffer.from("\0value")), B.payload("x")]),
  "E6: two attributes of one name": () =>
    withItems("E6", -56, [B.xattr("user.a", "1"), B.xattr("user.a", "2"), B.payload("x")], {}, "note"),
  "E7: more attributes than are allowed": () => ({
    ...withItems("E7", 24, [B.xattr("user.a", "1"), B.xattr("user.b", "2"), B.payload("x")], {}, "note"),
    options: { limits: { ...Limits.defaults, attributeCount: 1 } },
  }),
  "E8: impossible permissions": () =>
    withItems("E8", -56, [B.item(B.Type.ACL_GROUP_OBJ, B.u64(8)), B.payload("x")], {}, "note"),
  "E8: a default ACL of a file": () =>
    withItems("E8", -56, [B.item(B.Type.ACL_DEFAULT, B.u64(7, 7, 7, -1)), B.payload("x")], {}, "note"),
  "E8: entries of a default ACL without ACL_DEFAULT": () =>
    withItems("E8", -56, [B.item(B.Type.ACL_DEFAULT_USER, B.u64(5, 7)), B.payload("x")], {}, "note"),
  "E8: entries of an access ACL without ACL_GROUP_OBJ": () =>
    withItems("E8", -56, [B.item(B.Type.ACL_USER, B.u64(5, 7)), B.payload("x")], {}, "note"),
  "E8: entries of a default ACL without a mask": () => {
    const built = around([
      B.folder(
        "bad",
        [],
        Buffer.concat([
          B.entry({ mode: 0o40755 }),
          B.item(B.Type.ACL_DEFAULT, B.u64(7, 7, 7, -1)),
          B.item(B.Type.ACL_DEFAULT_USER, B.u64(5, 7)),
        ]),
      ),
    ])
    return damaged(built, ["note", "E8", "/bad", built.at("bad").start])
  },
  "L1: a hard link to nowhere": () => {
    const built = around([B.raw("bad", B.hardlink(0, "aa"))])
    return damaged(built, ["error", "L1", "/bad", built.at("bad").start + 16])
  },
  "L2: a hard link to something without a name": () => {
    const built = around([B.raw("bad", B.hardlink(1, "aa"))])
    const { nameStart, start } = built.at("bad")
    const target = built.at("aa").start
    return damaged(built, ["error", "L2", "/bad", target], {
      bytes: B.poke(built.bytes, start + 16, nameStart - target),
    })
  },
  "L3: a hard link to a folder": () => {
    const built = around([B.folder("ab", []), B.linkTo("bad", "ab")])
    return damaged(built, ["error", "L3", "/bad", built.at("ab").start])
  },
  "L3: a hard link to a hard link": () => {
    const built = around([B.linkTo("ab", "aa"), B.linkTo("bad", "ab")])
    return damaged(built, ["error", "L3", "/bad", built.at("ab").start])
  },
  "V1: bytes that belong to no child": () => {
    const unlisted = Buffer.concat([B.filename("lost"), B.entry(), B.payload("x")])
    const head = B.entry({ mode: 0o40755 })
    const table = B.goodbye([], head.length + unlisted.length)
    const built = around([B.raw("bad", head, unlisted, table)])
    return damaged(built, ["note", "V1", "/bad", built.at("bad").start + 56])
  },
  "V3: a hard link whose path is another": () => {
    const built = around([B.raw("bad", B.hardlink(1, "zz"))])
    const { nameStart, start } = built.at("bad")
    return damaged(built, ["note", "V3", "/bad", start], {
      bytes: B.poke(built.bytes, start + 16, nameStart - built.at("aa").nameStart),
    })
  },
  "P1: a payload archive without a beginning": () => {
    const built = around([B.file("bad", "content")], 2)
    return damaged(built, ["error", "P1", "/", 0, "test.ppxar"], { payload: B.poke(built.payload, 0, 0) })
  },
  "P2: a payload archive without an end": () => {
    const built = around([B.file("bad", "content")], 2)
    const at = built.payload.length - 16
    return damaged(built, ["note", "P2", "/", at, "test.ppxar"], { payload: B.poke(built.payload, at, 0) })
  },
  "P3: no payload where a reference leads": () => {
    const built = around([B.file("bad", "content")], 2)
    const at = 16 + 16 + "sound".length
    return damaged(built, ["error", "P3", "/bad", at, "test.ppxar"], { payload: B.poke(built.payload, at + 8, 16) })
  },
  "P3: no item at all where a reference leads": () => {
    const built = around([B.file("bad", "content")], 2)
    const at = 16 + 16 + "sound".length
    return damaged(built, ["error", "P3", "/bad", at, "test.ppxar"], { payload: B.poke(built.payload, at, 0x1234) })
  },
  "P4: a reference beyond the end": () => {
    const built = around([B.raw("bad", B.entry(), B.payloadRef(100_000, 3))], 2)
    return damaged(built, ["error", "P4", "/bad", 100_000, "test.ppxar"], { payload: built.payload })
  },
  "P4: a reference into the start marker": () => {
    const built = around([B.raw("bad", B.entry(), B.payloadRef(8, 3))], 2)
    return damaged(built, ["error", "P4", "/bad", built.at("bad").start + 56 + 16], { payload: built.payload })
  },
  "V2: payloads that overlap": () => {
    // The content of `big` holds what looks like a payload; `bad` refers to that.
    const inner = Buffer.concat([Buffer.from("before"), B.payload("inner"), Buffer.from("after")])
    const start = 16 + 16 + "sound".length + 16 + "before".length
    const built = around([B.file("big", inner), B.raw("bad", B.entry(), B.payloadRef(start, 5))], 2)
    return damaged(built, ["note", "V2", "/bad", start, "test.ppxar"], { payload: built.payload })
  },
}

describe("one damage", () => {
  for (const [name, make] of Object.entries(damages)) {
    it.effect(`${name} is found, and what comes after it too`, () =>
      Effect.gen(function* () {
        const { bytes, finding, options, payload, sibling } = make()
        const { findings, result } = yield* verify(
          bytes,
          payload ?? (finding[4] === undefined ? undefined : B.build({ version: 2 }).payload),
          options,
        )
        const expected = [finding, sibling]
        const missing = findings.filter((found) => found[1] === "P5")
        // What is wrong with a table is told when its folder has been walked.
        assert.sameDeepMembers(
          findings.filter((found) => found[1] !== "P5"),
          expected,
        )
        assert.strictEqual(
          missing.length,
          finding[1] === "P1" ? 1 : 0,
          "a useless payload archive leaves files without",
        )
        assert.strictEqual(result, finding[0] === "error" ? "damaged" : "notes")
      }),
    )
  }
})
