import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as KeyFile from "../../../src/domain/datastore/KeyFile.ts"

const RAW = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
const PROTECTED = Buffer.alloc(64, 1).toString("base64")
const SALT = Buffer.alloc(32, 2).toString("base64")
const scrypt = (change: Record<string, unknown>) =>
  JSON.stringify({ kdf: { Scrypt: { n: 65536, r: 8, p: 1, salt: SALT, ...change } }, data: PROTECTED })
const check = (text: string) => Result.match(KeyFile.parse(text), { onSuccess: () => "", onFailure: (f) => f.check })

describe("KeyFile", () => {
  it("reads a key without a passphrase, with `kdf` null or left out", () => {
    for (const kdf of [{ kdf: null }, {}]) {
      const file = Result.getOrThrow(KeyFile.parse(JSON.stringify({ ...kdf, data: RAW })))
      assert.deepStrictEqual(file.derivation, { _tag: "None" })
      assert.deepStrictEqual(
        [...file.data],
        Array.from({ length: 32 }, (_, i) => i),
      )
    }
  })

  it("reads base64 without its padding", () => {
    assert.strictEqual(check(JSON.stringify({ data: RAW.replace("=", "") })), "")
  })

  it("reads what lies between the markers of a paper key", () => {
    const paper = `Subject: x\n\n-----BEGIN PROXMOX BACKUP KEY-----\n{"data":"${RAW}"}\n-----END PROXMOX BACKUP KEY-----\n█▀▀`
    assert.strictEqual(check(paper), "")
  })

  it("keeps the hint", () => {
    assert.strictEqual(Result.getOrThrow(KeyFile.parse(JSON.stringify({ data: RAW, hint: "the cat" }))).hint, "the cat")
  })

  it("takes what the reference client writes", () => {
    assert.strictEqual(check(scrypt({})), "")
    assert.strictEqual(check(JSON.stringify({ kdf: { PBKDF2: { iter: 65535, salt: SALT } }, data: PROTECTED })), "")
  })

  it.each([
    ["no JSON", "hello"],
    ["a list", "[]"],
    ["no data", "{}"],
    ["data that is no base64", JSON.stringify({ data: "***" })],
    ["31 bytes", JSON.stringify({ data: Buffer.alloc(31).toString("base64") })],
    ["a protected key of 63 bytes", scrypt({}).replace(PROTECTED, Buffer.alloc(63).toString("base64"))],
    ["a kdf in the wrong case", scrypt({}).replace("Scrypt", "scrypt")],
    ["a terabyte of memory", scrypt({ n: 2 ** 30 })],
    ["hours of work", scrypt({ n: 2, p: 2 ** 30, r: 1 })],
    ["an n that is no power of two", scrypt({ n: 65535 })],
    ["an n of 1", scrypt({ n: 1 })],
    ["a negative r", scrypt({ r: -8 })],
    ["PBKDF2 without iterations", JSON.stringify({ kdf: { PBKDF2: { iter: 0, salt: SALT } }, data: PROTECTED })],
    ["a fingerprint too short", JSON.stringify({ data: RAW, fingerprint: "00:11" })],
  ])("refuses %s", (_, text) => {
    assert.strictEqual(check(text), "KeyFileInvalid")
  })
})
