import { assert, describe, it } from "@effect/vitest"
import * as ForeignFile from "../../src/domain/ForeignFile.ts"
import * as Digest from "node:crypto"

const head = (start: Uint8Array | string, at = 0): Uint8Array => {
  const bytes = new Uint8Array(ForeignFile.HEAD_SIZE).fill(0x41)
  bytes.set(typeof start === "string" ? Buffer.from(start, "latin1") : start, at)
  return bytes
}

const what = (bytes: Uint8Array): string => ForeignFile.recognise(bytes)?.what ?? "unknown"

/** The first 8 bytes of the SHA-256 of a text: how Proxmox Backup makes its magic numbers (datastore §2.1). */
const magicOf = (text: string): Uint8Array => Digest.createHash("sha256").update(text).digest().subarray(0, 8)

describe("ForeignFile.recognise", () => {
  it.each([
    ["dynamic sized chunk index", magicOf("Proxmox Backup dynamic sized chunk index v1.0"), ".didx"],
    ["fixed sized chunk index", magicOf("Proxmox Backup fixed sized chunk index v1.0"), ".fidx"],
    ["blob", magicOf("Proxmox Backup uncompressed blob v1.0"), ".blob"],
    ["compressed blob", magicOf("Proxmox Backup zstd compressed blob v1.0"), "compressed"],
    ["encrypted blob", magicOf("Proxmox Backup encrypted blob v1.0"), "encrypted"],
    ["encrypted compressed blob", magicOf("Proxmox Backup zstd compressed encrypted blob v1.0"), "encrypted and"],
    ["gzip", "\x1f\x8b\x08", "gzip"],
    ["zstd", "\x28\xb5\x2f\xfd", "zstd"],
    ["xz", "\xfd7zXZ\0", "xz"],
    ["bzip2", "BZh9", "bzip2"],
    ["zip", "PK\x03\x04", "a zip"],
    ["VMA", "VMA\0", "VMA"],
    ["a page", "<!DOCTYPE html>", "web page"],
    ["qcow2", "QFI\xfb", "qcow2"],
  ])("knows %s", (_, start, expected) => {
    assert.include(what(head(start)), expected)
  })

  it("knows tar by its magic number, and by its checksum where it has none", () => {
    assert.strictEqual(what(head("ustar", 257)), "an uncompressed tar archive")
    const old = new Uint8Array(ForeignFile.HEAD_SIZE)
    old.set(Buffer.from("file\0"))
    old.set(Buffer.from("0000644\0", "latin1"), 100)
    const sum = old.reduce((total, byte) => total + byte, 0) + 8 * 0x20
    old.set(Buffer.from(`${sum.toString(8).padStart(6, "0")}\0 `, "latin1"), 148)
    assert.strictEqual(what(old), "an uncompressed tar archive")
    old[0]! ^= 1
    assert.strictEqual(what(old), "unknown")
  })

  it("knows a file that was never written", () => {
    assert.include(what(new Uint8Array(ForeignFile.HEAD_SIZE)), "zeros")
  })

  it("says nothing of what it does not know, and of short files", () => {
    for (const bytes of [head("hello"), new Uint8Array(0), Buffer.from("\x1f"), Buffer.from("usta")]) {
      assert.isUndefined(ForeignFile.recognise(bytes))
    }
  })
})
