/** Owners, modes, ACLs, capabilities, times and chattr flags: together, and each left out. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { beforeEach, type TestContext } from "vitest"
import type * as Extractor from "../../../src/services/extract/Extractor.ts"
import * as ReadSyscalls from "../../../src/services/posix/ReadSyscalls.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Materialize from "../../support/Materialize.ts"
import { need } from "../../support/Requirements.ts"
import { attributesOf, extract, modeOf, sandbox } from "./extraction.ts"

beforeEach(need({ root: true }))

describe("attributes", () => {
  const CAPABILITY = Buffer.from("0100000201000000000000000000000000000000", "hex")
  const rich = Buffer.concat([
    B.entry({ mode: 0o106775, uid: 1000, gid: 1001, seconds: -5, nanos: 7 }),
    B.xattr("user.k", "v"),
    B.xattr("trusted.t", "w"),
    B.item(B.Type.ACL_USER, B.u64(5, 7)),
    B.item(B.Type.ACL_GROUP_OBJ, B.u64(5)),
    B.item(B.Type.FCAPS, CAPABILITY),
  ])
  const built = B.build({ children: [B.file("x", "content", { head: rich })] })
  const names = ["security.capability", "system.posix_acl_access", "trusted.t", "user.k"]

  const cases: ReadonlyArray<readonly [string, Partial<Extractor.Options>, number, ReadonlyArray<string>]> = [
    ["all are restored together", {}, 0o6775, names],
    ["xattrs: false", { xattrs: false }, 0o6775, names.slice(0, 2)],
    ["fcaps: false", { fcaps: false }, 0o6775, names.slice(1)],
    // The group bits of the archive are the ACL's mask; the owning group itself had r-x.
    ["acls: false gives the group its own permissions", { acls: false }, 0o6755, [names[0]!, ...names.slice(2)]],
    ["permissions: false leaves the mode to the umask", { permissions: false }, 0o644, [names[0]!, ...names.slice(2)]],
    // Set-id bits are for the owner in the archive, and nobody else.
    ["owner: false leaves set-id bits out", { owner: false }, 0o775, names],
  ]
  for (const [name, options, mode, attributes] of cases) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const { target } = yield* sandbox
        const umask = process.umask(0o022)
        const { report } = yield* Effect.ensuring(
          extract(built, target, options),
          Effect.sync(() => process.umask(umask)),
        )
        assert.strictEqual(report.unexpected, 0)
        const { gid, mtimeNs, uid } = fs.statSync(path.join(target, "x"), { bigint: true })
        assert.strictEqual(modeOf(target, "x"), mode)
        assert.deepStrictEqual([uid, gid], options.owner === false ? [0n, 0n] : [1000n, 1001n])
        assert.strictEqual(mtimeNs, -4_999_999_993n)
        assert.deepStrictEqual(Object.keys(attributesOf(target, "x")).toSorted(), attributes)
      }),
    )
  }

  it.effect("of symbolic links and special files are restored too", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const head = (mode: number) =>
        Buffer.concat([B.entry({ mode, uid: 7, gid: 8, seconds: -1, nanos: 5 }), B.xattr("trusted.t", "w")])
      const special = B.build({
        children: [
          B.raw("link", head(0o120777), B.symlink("/no/such")),
          B.raw("fifo", head(0o10640)),
          B.raw("socket", head(0o140604)),
          B.raw("device", head(0o60462), B.device(7, 0)),
        ],
      })
      const { problems } = yield* extract(special, target)
      assert.deepStrictEqual(problems, [])
      for (const [name, mode] of [
        ["link", 0o777],
        ["fifo", 0o640],
        ["socket", 0o604],
        ["device", 0o462],
      ] as const) {
        const { gid, mtimeNs, uid } = fs.lstatSync(path.join(target, name), { bigint: true })
        assert.deepStrictEqual([uid, gid, mtimeNs, modeOf(target, name)], [7n, 8n, -999_999_995n, mode], name)
        assert.deepStrictEqual(attributesOf(target, name), { "trusted.t": "77" }, name)
      }
    }),
  )

  it.effect("an ACL that cannot be is left out, and the group gets no more than its own", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const head = Buffer.concat([
        B.entry({ mode: 0o100670 }),
        B.item(B.Type.ACL_USER, B.u64(5, 99)),
        B.item(B.Type.ACL_GROUP_OBJ, B.u64(4)),
      ])
      const { problems } = yield* extract(B.build({ children: [B.file("x", "", { head })] }), target)
      assert.deepStrictEqual(problems, ["Anomaly x"])
      assert.strictEqual(modeOf(target, "x"), 0o640)
    }),
  )
})

/** Skips tests where temporary files have no chattr flags. */
const needFlags = (context: TestContext): void => {
  const probe = path.join(os.tmpdir(), `pxar-fuse-flags-${process.pid}`)
  fs.writeFileSync(probe, "")
  const has = Materialize.setFlags(probe, NODUMP)
  fs.rmSync(probe)
  if (!has) context.skip("needs a file system with chattr flags")
}

const NODUMP = 0x40
const IMMUTABLE = 0x10

describe("chattr flags", () => {
  beforeEach(needFlags)

  const NODUMP_FLAG = 0x10_0000n
  const IMMUTABLE_FLAG = 0x40_0000n

  const flagsOf = (file: string): number => {
    const fd = fs.openSync(file, "r")
    try {
      return ReadSyscalls.getFlags(fd) & (NODUMP | IMMUTABLE)
    } finally {
      fs.closeSync(fd)
    }
  }

  it.effect("are restored last: on files that are linked to later, and on folders that are written into", () =>
    Effect.gen(function* () {
      const { target } = yield* sandbox
      const flags = IMMUTABLE_FLAG | NODUMP_FLAG
      const built = B.build({
        children: [
          B.file("file", "1", { head: B.entry({ mode: 0o100644, flags, seconds: 3 }) }),
          B.folder("folder", [B.linkTo("link", "file")], B.entry({ mode: 0o40755, flags, seconds: 4 })),
        ],
      })
      const shown = ["file", "folder"].map((name) => path.join(target, name))
      yield* Effect.addFinalizer(() => Effect.sync(() => shown.map((file) => Materialize.setFlags(file, 0))))
      const { problems } = yield* extract(built, target)
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual(shown.map(flagsOf), [NODUMP | IMMUTABLE, NODUMP | IMMUTABLE])
      assert.deepStrictEqual(
        shown.map((file) => fs.statSync(file).mtimeMs),
        [3000, 4000],
      )
      assert.strictEqual(fs.statSync(path.join(target, "folder/link")).nlink, 2)
    }),
  )
})
