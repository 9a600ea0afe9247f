/**
 * What people give in place of an archive: every command calls it what it is, says what to do, and ends with the code for
 * no archive.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import { run } from "../reading.ts"

const padded = (...bytes: ReadonlyArray<number>) => Buffer.concat([Uint8Array.from(bytes), Buffer.alloc(8184)])

const tar = () => {
  const bytes = Buffer.alloc(10_240)
  bytes.write("ustar\u000000", 257, "latin1")
  bytes.write("etc/hostname")
  return bytes
}

const files: ReadonlyArray<readonly [name: string, bytes: Uint8Array, saying: RegExp]> = [
  ["a.pxar.didx", padded(0x1c, 0x91, 0x4e, 0xa5, 0x19, 0xba, 0xb3, 0xcd), /index of chunks .*inside its datastore/],
  ["d.img.fidx", padded(0x2f, 0x7f, 0x41, 0xed, 0x91, 0xfd, 0x0f, 0xcd), /disk image .*proxmox-backup-client map/],
  ["i.json.blob", padded(0x42, 0xab, 0x38, 0x07, 0xbe, 0x83, 0x70, 0xa1), /blob .*proxmox-backup-client restore/],
  ["a.pxar.zst", padded(0x28, 0xb5, 0x2f, 0xfd), /zstd; decompress it first, with unzstd/],
  ["a.pxar.gz", padded(0x1f, 0x8b, 8), /gzip; decompress it first, with gunzip/],
  ["a.tar", tar(), /an uncompressed tar archive; `tar -xf` extracts it/],
  ["zeros.pxar", Buffer.alloc(4096), /zeros .*not finished/],
]

describe("what is no archive", () => {
  for (const [name, bytes, saying] of files) {
    it.live(`${name} is called what it is`, () =>
      Effect.gen(function* () {
        const folder = yield* Processes.temporaryFolder
        const file = path.join(folder, name)
        fs.writeFileSync(file, bytes)
        const commands = [
          ["list", file],
          ["cat", file, "x"],
          ["info", file],
          ["verify", file],
          ["diff", file, file],
        ]
        for (const words of [
          ...commands,
          ["extract", file, path.join(folder, "out")],
          ["diff", Golden.helloV1.archive, file],
        ]) {
          const { code, stderr, stdout } = yield* run(words)
          assert.strictEqual(code, ExitCode.NOT_PXAR, words.join(" "))
          const said = (stderr + stdout.toString()).replaceAll(file, "")
          assert.match(said, saying)
          assert.notInclude(said, "check H4")
        }
      }),
    )
  }
})
