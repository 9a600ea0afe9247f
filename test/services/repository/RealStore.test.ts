/**
 * The datastore that the reference client wrote through a real server: each stream and blob has the bytes that the
 * reference tools read, with each kind of key.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"
import * as KeyFile from "../../../src/domain/datastore/KeyFile.ts"
import * as Namespace from "../../../src/domain/datastore/Namespace.ts"
import * as SnapshotId from "../../../src/domain/datastore/SnapshotId.ts"
import * as KeyUnlock from "../../../src/services/keys/KeyUnlock.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as stores from "./stores.ts"

const sha256 = (bytes: Uint8Array) => crypto.createHash("sha256").update(bytes).digest("hex")
const PASSPHRASES: Readonly<Record<string, string>> = {
  "enc-scrypt.json": "correct horse",
  "enc-scrypt-paper.txt": "correct horse",
  "enc-pbkdf2.json": "pbk pass word",
  "master-private.pem": "masterpw",
}
const idOf = ({ ns, snapshot }: Datastores.RealSnapshot) => {
  const namespace = Namespace.toPath(ns === "" ? [] : ns.split("/"))
  return Result.getOrThrow(SnapshotId.parse(namespace === "" ? snapshot : `${namespace}/${snapshot}`))
}

const open = Effect.fnUntraced(function* (row: Datastores.RealSnapshot, key: string | null = row.key) {
  const files = key === null ? [] : [Datastores.realKeyFile(key)]
  const keys = yield* stores.keyRing(files, key === null ? undefined : PASSPHRASES[key])
  const repository = yield* stores.at(Datastores.realStore(), { keys })
  return yield* repository.snapshot(idOf(row))
})

describe("the datastore of a real server", () => {
  it.live.each(Datastores.realSnapshots())("$ns $snapshot, key $key", (row) =>
    Effect.gen(function* () {
      const snapshot = yield* open(row)
      assert.strictEqual(snapshot.signature, row.key === null ? "unsigned" : "valid")
      assert.deepStrictEqual(snapshot.warnings, [])
      for (const { name, sha256: digest, size } of row.streams) {
        const source = yield* snapshot.stream(name)
        assert.deepStrictEqual([source.size, source.warnings], [size, []], name)
        const hash = crypto.createHash("sha256")
        const piece = new Uint8Array(1024 * 1024)
        for (let at = 0; at < size; at += piece.length) {
          const target = piece.subarray(0, Math.min(piece.length, size - at))
          yield* source.read(target, at)
          hash.update(target)
        }
        assert.strictEqual(hash.digest("hex"), digest, name)
      }
      for (const { name, sha256: digest, size } of row.archives) {
        // The reference client restores nothing of its own log.
        if (!name.endsWith(".blob") || name === "client.log.blob") continue
        const content = yield* snapshot.blob(name)
        assert.deepStrictEqual([content.length, sha256(content)], [size, digest], name)
      }
    }),
  )

  it.live("gives the key that is wrapped for the master key, which opens the backup", () =>
    Effect.gen(function* () {
      const row = Datastores.realSnapshots().find(({ archives }) =>
        archives.some(({ name }) => name === "rsa-encrypted.key.blob"),
      ) as Datastores.RealSnapshot
      const snapshot = yield* open(row)
      const wrapped = yield* snapshot.blob("rsa-encrypted.key.blob")
      const pem = fs.readFileSync(Datastores.realKeyFile("master-private.pem"), "utf8")
      const passphrase = Redacted.make(PASSPHRASES["master-private.pem"] as string)
      const key = yield* Effect.flatMap(KeyUnlock.unwrap(wrapped, { pem, passphrase }), ({ file }) =>
        KeyUnlock.unlock(file, undefined),
      )
      assert.strictEqual(key.fingerprint, snapshot.manifest.fingerprint)
      for (const wrong of [undefined, Redacted.make("wrong")]) {
        const error = yield* Effect.flip(KeyUnlock.unwrap(wrapped, { pem, passphrase: wrong }))
        assert.strictEqual(error.check, "MasterKeyRefused")
        assert.notInclude(error.message, "wrong\n")
      }
    }),
  )

  it.live.each([
    ["enc-none.json", "enc-none-paper.txt"],
    ["enc-scrypt.json", "enc-scrypt-paper.txt"],
  ])("opens what %s opens with its paper key %s", ([file, paper]) =>
    Effect.gen(function* () {
      const row = Datastores.realSnapshots().find(({ key }) => key === file) as Datastores.RealSnapshot
      assert.strictEqual((yield* open(row, paper)).signature, "valid")
    }),
  )

  it.live("unlocks a PBKDF2 key, and shows the hint of one that stays locked", () =>
    Effect.gen(function* () {
      const read = (name: string) =>
        Result.getOrThrow(KeyFile.parse(fs.readFileSync(Datastores.realKeyFile(name), "utf8")))
      const unlocked = yield* KeyUnlock.unlock(read("enc-pbkdf2.json"), Redacted.make("pbk pass word"))
      assert.strictEqual(unlocked.fingerprint, read("enc-pbkdf2.json").fingerprint)
      const error = yield* Effect.flip(KeyUnlock.unlock(read("enc-scrypt.json"), Redacted.make("not this one")))
      assert.strictEqual(error.check, "PassphraseWrong")
      assert.include(error.message, "battery staple")
      assert.notInclude(error.message, "not this one")
    }),
  )
})
