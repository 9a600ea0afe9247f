import { assert, describe, it } from "@effect/vitest"
import * as B from "./ArchiveBuilder.ts"
import * as Golden from "./Golden.ts"

const root = B.entry({ mode: 0o40755, seconds: 1_700_000_000 })

describe("ArchiveBuilder", () => {
  it("writes the worked example of §10.1 byte for byte", () => {
    const built = B.build({
      root,
      children: [
        B.file("hello", "hi\n", {
          head: B.entry({ mode: 0o100644, uid: 1000, gid: 1000, seconds: 1_700_000_001, nanos: 500_000_000 }),
        }),
        B.raw("link", B.entry({ mode: 0o120777, uid: 1000, gid: 1000, seconds: 1_700_000_002 }), B.symlink("hello")),
      ],
    })
    assert.strictEqual(built.bytes.toString("hex"), Golden.load(Golden.helloV1).bytes.toString("hex"))
  })

  it("writes the split archive with a hard link byte for byte", () => {
    const built = B.build({
      version: 2,
      root,
      children: [
        B.file("a", "hi\n", { head: B.entry({ mode: 0o100644, uid: 1000, gid: 1000, seconds: 1 }) }),
        B.folder("d", [B.linkTo("b", "a")], B.entry({ mode: 0o40755, seconds: 2 })),
      ],
    })
    const golden = Golden.load(Golden.hardlinkV2)
    assert.strictEqual(built.bytes.toString("hex"), golden.bytes.toString("hex"))
    assert.strictEqual(built.payload.toString("hex"), golden.payload?.toString("hex"))
  })

  it("says where things are: the positions of §10.4", () => {
    const built = B.build({ root, children: [B.file("a", "hi\n"), B.folder("d", [B.linkTo("b", "a")])] })
    assert.strictEqual(built.at("a").nameStart, 0x38)
    assert.strictEqual(built.at("a").start, 0x4a)
    assert.strictEqual(built.at("d/b").nameStart, 0xdf)
    assert.strictEqual(built.at("d").goodbye, 0x10b)
    assert.strictEqual(built.at("d").end, 0x14b)
    assert.strictEqual(built.at("").goodbye, 0x14b)
    assert.strictEqual(built.at("").end, 419)
  })
})
