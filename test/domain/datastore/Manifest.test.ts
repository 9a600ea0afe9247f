import * as crypto from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import * as CanonicalJson from "../../../src/domain/datastore/CanonicalJson.ts"
import * as Manifest from "../../../src/domain/datastore/Manifest.ts"
import { hex } from "./hex.ts"

const CSUM = "057fabcd6c107f42868b44d377bf20471c8b37c268611ab453d14a6e31815694"
const ID_KEY = hex("7c2c013efd07f3b25717a485263343cd4d292a4b65c200bb3b18ea227abe225c")

const json = (change: Record<string, unknown> = {}, file: Record<string, unknown> = {}) =>
  JSON.stringify({
    "backup-type": "host",
    "backup-id": "demo",
    "backup-time": 1_600_000_000,
    files: [{ filename: "root.pxar.didx", size: 5, csum: CSUM, "crypt-mode": "sign-only", ...file }],
    ...change,
  })
const isRefused = (text: string) => {
  const parsed = Manifest.parse(text)
  return Result.isFailure(parsed) && parsed.failure.check === "ManifestInvalid"
}
const hmac = (key: Uint8Array, text: string) => crypto.createHmac("sha256", key).update(text).digest("hex")

describe("Manifest", () => {
  it("says what the signature of datastore §9.5 covers", () => {
    const { signed } = Result.getOrThrow(Manifest.parse(json()))
    assert.deepStrictEqual(signed, [
      `{"backup-id":"demo","backup-time":1600000000,"backup-type":"host","files":[{"crypt-mode":"sign-only","csum":"${CSUM}","filename":"root.pxar.didx","size":5}]}`,
    ])
    assert.strictEqual(
      hmac(ID_KEY, signed[0] as string),
      "73bff94dc6c9373a3bbaf48b1f4a13b037186e021436aea58045fb1bfb5714ab",
    )
  })

  it("covers the value that the reference implementation asserts (datastore §10)", () => {
    const file = (filename: string, mode: string, byte: string) => ({
      filename,
      size: 200,
      csum: byte.repeat(32),
      "crypt-mode": mode,
    })
    const { signed } = Result.getOrThrow(
      Manifest.parse(
        json({
          "backup-id": "elsa",
          "backup-time": 1_593_179_765,
          files: [file("test1.img.fidx", "encrypt", "01"), file("abc.blob", "none", "02")],
        }),
      ),
    )
    const idKey = hex("758495a21c31047f543f46d694700e02d168568bab37bb0ceece947b591f5100")
    assert.strictEqual(
      hmac(idKey, signed[0] as string),
      "d7b446fb7db081662081d4b40fedd858a1d6307a5aff4ecff7d5bf4fd35679e9",
    )
  })

  it("leaves the signature and what is unprotected out of what is covered", () => {
    const plain = Result.getOrThrow(Manifest.parse(json())).signed
    const more = json({
      signature: "00".repeat(32),
      unprotected: { notes: "changed", "key-fingerprint": "00".repeat(32) },
    })
    const parsed = Result.getOrThrow(Manifest.parse(more))
    assert.deepStrictEqual(parsed.signed, plain)
    assert.strictEqual(parsed.notes, "changed")
    assert.strictEqual(parsed.fingerprint, Array.from({ length: 32 }, () => "00").join(":"))
  })

  it("covers unknown fields as clients up to 4.1.8 did, and the known ones alone as later ones do", () => {
    assert.strictEqual(Result.getOrThrow(Manifest.parse(json({ extra: 1 }))).signed.length, 2)
  })

  it("takes a file without a mode for a plain one", () => {
    assert.strictEqual(
      Result.getOrThrow(Manifest.parse(json({}, { "crypt-mode": undefined }))).files[0]?.cryptMode,
      "none",
    )
  })

  it.each<[string, string]>([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["another type", json({ "backup-type": "lxc" })],
    ["an id that is no text", json({ "backup-id": 1 })],
    ["a time with a fraction", json({ "backup-time": 1.5 })],
    ["no files", json({ files: undefined })],
    ["a file of less than no bytes", json({}, { size: -1 })],
    ["a size that is text", json({}, { size: "5" })],
    ["a size beyond 2^53", json({}, { size: 2 ** 53 })],
    ["a checksum too short", json({}, { csum: "00" })],
    ["an unknown mode", json({}, { "crypt-mode": "ENCRYPT" })],
    ["a fingerprint too short", json({ unprotected: { "key-fingerprint": "00" } })],
    ["a signature too short", json({ signature: "00" })],
    ["files nested without end", json({ files: "[".repeat(10) })],
  ])("refuses %s", (_, text) => assert.isTrue(isRefused(text)))

  it("survives nesting that would use up a stack", () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`
    assert.isTrue(Result.isSuccess(Manifest.parse(json().replace("{", `{"deep":${deep},`))))
  })

  it.each([
    ["../../etc/passwd.blob", undefined],
    ["root.pxar.zip", undefined],
    [".hidden.blob", undefined],
    ["root.pxar.didx", "dynamic"],
    ["drive.img.fidx", "fixed"],
    ["a.conf.blob", "blob"],
  ])("says of %s how it is stored", (filename, storage) => {
    assert.strictEqual(Result.getOrThrow(Manifest.parse(json({}, { filename }))).files[0]?.storage, storage as never)
  })

  it("reads what it writes", () => {
    const file = { name: "root.pxar.didx", size: 5, checksum: hex(CSUM), cryptMode: "sign-only" } as const
    const fields = { type: "host", id: "demo", time: 1_600_000_000, files: [file], notes: "n" } as const
    const parsed = Result.getOrThrow(Manifest.parse(Manifest.encode(fields, hex(CSUM))))
    assert.deepStrictEqual(parsed.files, [{ ...file, storage: "dynamic" }])
    assert.deepStrictEqual(parsed.signature, hex(CSUM))
    assert.deepStrictEqual(parsed.signed, Result.getOrThrow(Manifest.parse(json())).signed)
  })
})

describe("CanonicalJson", () => {
  const Json = Schema.Union([Schema.String, Schema.Int, Schema.Boolean])
  it.prop(
    "is what JSON.stringify gives of objects built in order",
    [
      Arbitrary.array(
        Arbitrary.schema(Schema.Tuple([Schema.String.pipe(Schema.check(Schema.isPattern(/^[a-z]{1,6}$/))), Json])),
        { maxLength: 8 },
      ),
    ],
    ([members]) => {
      const given = Object.fromEntries(members)
      const sorted = Object.fromEntries(Object.entries(given).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      assert.strictEqual(Result.getOrThrow(CanonicalJson.format(given)), JSON.stringify(sorted))
    },
  )

  it("has no text for null, fractions and what is nested deeply", () => {
    for (const value of [null, { a: null }, [1.5], Number.NaN, 2 ** 53])
      assert.isTrue(Result.isFailure(CanonicalJson.format(value)))
  })
})
