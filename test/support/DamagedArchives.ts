/**
 * One small archive for each kind of damage of §7, with what must be found in it. They stand in `fixtures/should-fail`;
 * `node test/hostile/fixtures.ts` writes them there.
 */
import * as B from "./ArchiveBuilder.ts"

/** What must be found: `kind` is the failure class of §0, or `Note` for what is only reported. */
export interface Expected {
  readonly kind: "Malformed" | "Unsupported" | "Limit" | "IO" | "Note"
  readonly check: string
  readonly path: string
}

export interface Case {
  readonly bytes: Uint8Array
  readonly payload?: Uint8Array
  readonly expected: Expected
  /** Limits of the reader, where the usual ones would need a large archive. */
  readonly limits?: Readonly<Record<string, number>>
}

const around = (children: ReadonlyArray<B.Node>, version: 1 | 2 = 1): B.Built =>
  B.build({ version, children: [B.file("aa", "sound"), ...children, B.file("zz", "sound too")] })

type Made = Omit<Case, "expected"> & { readonly kind?: Expected["kind"]; readonly path?: string }

const cases = new Map<string, Case>()

/** Adds a case; its check is what its name begins with. Malformed, at `/bad`, unless it says otherwise. */
const add = (name: string, { kind = "Malformed", path = "/bad", ...made }: Made): void => {
  const check = name.slice(0, name.indexOf("-"))
  cases.set(name, { ...made, expected: { kind, check, path } })
}

const withItems = (head: B.Head, ...items: ReadonlyArray<Uint8Array>): Uint8Array =>
  around([B.raw("bad", B.entry(head), ...items)]).bytes

const folder = around([B.folder("bad", [B.file("x"), B.file("y")])])
const place = folder.at("bad")

add("H1-item-smaller-than-its-header", { bytes: withItems({}, B.item(B.Type.PAYLOAD, Buffer.from("x"), 5)) })
add("H2-item-across-its-bound", { bytes: withItems({}, B.item(B.Type.PAYLOAD, Buffer.from("x"), 1000)) })
add("H2-item-of-2-to-the-52", { bytes: withItems({}, B.item(B.Type.PAYLOAD, Buffer.from("x"), 1n << 52n)) })
add("H3-device-of-8-bytes", { bytes: withItems({ mode: 0o20600 }, B.item(B.Type.DEVICE, Buffer.alloc(8))) })
add("H4-hard-link-in-an-entry", { bytes: withItems({}, B.hardlink(1, "aa")) })
add("H4-unknown-item", { bytes: withItems({}, B.item(0x1234n, Buffer.alloc(8))), kind: "Unsupported" })
add("A1-too-short", { bytes: folder.bytes.subarray(0, 60), path: "/" })
add("A2-version-3", { bytes: B.build({ head: B.formatVersion(3) }).bytes, kind: "Unsupported", path: "/" })
add("A3-prelude-within", { bytes: withItems({}, B.prelude("x")) })
add("A4-cut-short", { bytes: folder.bytes.subarray(0, -1), path: "/" })
add("A4-trailing-byte", { bytes: Buffer.concat([folder.bytes, Buffer.alloc(1)]), path: "/" })
add("A5-root-that-is-a-file", {
  bytes: Buffer.concat([B.entry(), B.payload("x"), B.goodbye([], 73)]),
  path: "/",
})
add("A6-reference-in-version-1", { bytes: withItems({}, B.payloadRef(16, 3)) })

const split = around([B.file("bad", "content")], 2)
const reference = (offset: number | bigint, size: number | bigint): Omit<Case, "expected"> => {
  const { bytes, payload } = around([B.raw("bad", B.entry(), B.payloadRef(offset, size))], 2)
  return { bytes, payload }
}
add("P1-payload-without-its-start", { bytes: split.bytes, payload: B.poke(split.payload, 0, 0), path: "/" })
add("P2-payload-without-its-end", {
  bytes: split.bytes,
  payload: B.poke(split.payload, split.payload.length - 16, 0),
  kind: "Note",
  path: "/",
})
add("P3-no-payload-where-a-file-leads", { bytes: split.bytes, payload: B.poke(split.payload, 16 + 16 + 5 + 8, 16) })
add("P4-reference-beyond-the-end", reference(100_000, 3))
add("P4-reference-into-the-start", reference(8, 3))
add("P4-reference-of-2-to-the-63", { ...reference(16, 1n << 63n), kind: "Limit" })
add("P5-no-payload-archive", { bytes: split.bytes, kind: "Unsupported", path: "/" })

add("D1-no-tail", { bytes: B.poke(folder.bytes, place.end - 24, 0) })
add("D1-table-of-2-to-the-40-entries", { bytes: B.poke(folder.bytes, place.end - 8, 16 + 24 * 2 ** 40) })
add("D2-no-whole-number-of-items", { bytes: B.poke(folder.bytes, place.end - 8, 16 + 24 * 2 + 8) })
add("D3-table-of-another-folder", { bytes: B.poke(folder.bytes, place.end - 16, place.goodbye - place.start - 1) })
add("D4-child-behind-its-table", { bytes: B.poke(folder.bytes, place.slot("x") + 8, 0) })
add("D4-child-that-is-its-own-parent", {
  bytes: B.poke(folder.bytes, place.slot("x") + 8, place.goodbye - place.nameStart),
})
add("D5-two-children-in-one-place", {
  bytes: B.poke(folder.bytes, place.slot("y") + 8, place.goodbye - folder.at("bad/x").nameStart),
})
add("D6-folder-beside-its-bound", {
  bytes: B.poke(folder.bytes, folder.at("").slot("bad") + 16, place.end - place.nameStart - 1),
})
add("D7-file-of-another-size", {
  bytes: B.poke(folder.bytes, place.slot("x") + 16, 17),
  path: "/bad/x",
})
add("D8-name-with-another-hash", {
  bytes: B.splice(folder.bytes, folder.at("bad/x").nameStart + 16, Buffer.from("z")),
  path: "/bad/z",
})
add("D8-table-out-of-order", {
  bytes: B.splice(
    B.splice(folder.bytes, place.goodbye + 16, folder.bytes.subarray(place.goodbye + 40, place.goodbye + 64)),
    place.goodbye + 40,
    folder.bytes.subarray(place.goodbye + 16, place.goodbye + 40),
  ),
})
add("D9-two-children-of-one-name", {
  bytes: around([B.folder("bad", [B.file("x", "1"), B.file("x", "2", { key: "second" })])]).bytes,
  kind: "Note",
  path: "/bad/x",
})
add("D10-more-children-than-allowed", {
  bytes: around([
    B.folder(
      "bad",
      ["a", "b", "c", "d"].map((name) => B.file(name)),
    ),
  ]).bytes,
  kind: "Limit",
  limits: { directoryEntries: 3 },
})
add("D11-deeper-than-allowed", {
  bytes: around([B.folder("bad", [B.folder("sub", [B.folder("deep", [])])])]).bytes,
  kind: "Limit",
  path: "/bad/sub",
  limits: { depth: 2 },
})

const named = (content: string): Uint8Array =>
  around([{ ...B.file("bad"), filename: B.item(B.Type.FILENAME, Buffer.from(content)) }]).bytes
add("N1-name-without-its-nul", { bytes: named("bad"), path: "/?" })
add("N2-name-that-leads-up", { bytes: named("..\0"), path: "/?" })
add("N2-name-with-a-slash", { bytes: named("a/b\0"), path: "/?" })
add("N3-name-with-a-nul", { bytes: named("b\0d\0"), path: "/?" })
add("N4-name-without-an-entry", { bytes: around([B.raw("bad", B.xattr("user.a", "1"))]).bytes })

add("E1-mode-of-a-folder", { bytes: withItems({ mode: 0o40755 }, B.payload("x")) })
add("E1-mode-out-of-range", { bytes: withItems({ mode: 0o200644 }, B.payload("x")) })
add("E2-too-many-nanoseconds", { bytes: withItems({ nanos: 1_000_000_000 }, B.payload("x")), kind: "Note" })
const groupObj = B.item(B.Type.ACL_GROUP_OBJ, B.u64(5))
add("E3-two-of-what-is-one", { bytes: withItems({}, groupObj, groupObj, B.payload("x")) })
add("E4-link-without-its-nul", { bytes: withItems({ mode: 0o120777 }, B.item(B.Type.SYMLINK, Buffer.from("to"))) })
add("E5-attribute-without-a-name", { bytes: withItems({}, B.item(B.Type.XATTR, Buffer.from("\0v")), B.payload("x")) })
add("E6-two-attributes-of-one-name", {
  bytes: withItems({}, B.xattr("user.a", "1"), B.xattr("user.a", "2"), B.payload("x")),
  kind: "Note",
})
add("E7-more-attributes-than-allowed", {
  bytes: withItems({}, B.xattr("user.a", "1"), B.xattr("user.b", "2"), B.payload("x")),
  kind: "Limit",
  limits: { attributeCount: 1 },
})
add("E8-impossible-permissions", {
  bytes: withItems({}, B.item(B.Type.ACL_GROUP_OBJ, B.u64(8)), B.payload("x")),
  kind: "Note",
})

const back = (distance: number | bigint): Uint8Array => around([B.raw("bad", B.hardlink(distance, "aa"))]).bytes
const link = around([B.raw("bad", B.hardlink(1, "aa"))])
add("L1-hard-link-to-itself", { bytes: back(0) })
add("L1-hard-link-before-the-archive", { bytes: back(1_000_000) })
add("L2-hard-link-to-no-name", { bytes: back(link.at("bad").nameStart - link.at("aa").start) })
add("L3-hard-link-to-a-folder", { bytes: around([B.folder("ab", []), B.linkTo("bad", "ab")]).bytes })
add("L3-hard-link-to-a-hard-link", { bytes: around([B.linkTo("ab", "aa"), B.linkTo("bad", "ab")]).bytes })
add("R1-prelude-larger-than-allowed", {
  bytes: B.build({ version: 2, head: Buffer.concat([B.formatVersion(2), B.prelude("{}{}")]) }).bytes,
  kind: "Limit",
  path: "/",
  limits: { preludeBytes: 3 },
})

/** By name, which begins with the check. */
export const all: ReadonlyMap<string, Case> = cases

/** Bytes of the archives that are damaged in no other way. */
export const suffix = ({ payload }: Case): string => (payload === undefined ? "pxar" : "mpxar")
