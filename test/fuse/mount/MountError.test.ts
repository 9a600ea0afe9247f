import { assert, describe, it } from "@effect/vitest"
import { MountError, type Reason, shellWord } from "../../../src/fuse/mount/MountError.ts"

const message = (reason: Reason, mountPoint: string, detail: string): string =>
  new MountError({ reason, mountPoint, detail }).message

describe("the message", () => {
  const cases: ReadonlyArray<readonly [Reason, string, string]> = [
    ["MountPointMissing", "realpath: ENOENT", "no such directory: create it (mkdir -p /mnt/a)"],
    ["MountPointNotDirectory", "opendir: ENOTDIR", "not a directory: an archive is mounted on an empty directory"],
    ["MountPointOccupied", "the directory is not empty", "the directory is not empty"],
    [
      "NoDevice",
      "open /dev/fuse: ENOENT",
      "no FUSE in this kernel (open /dev/fuse: ENOENT): load it (modprobe fuse), in a container pass in /dev/fuse",
    ],
    [
      "NotPermitted",
      "mount: EPERM",
      "mount: EPERM: mount as root or on a directory you own; a container needs CAP_SYS_ADMIN and /dev/fuse",
    ],
    [
      "NoFusermount",
      "spawn fusermount3: ENOENT",
      "no fusermount3 on PATH: install the package fuse3 (apt-get install fuse3), or mount as root",
    ],
    ["Failed", "mount: EINVAL", "mount: EINVAL"],
  ]
  for (const [reason, detail, expected] of cases) {
    it(`of ${reason} says what, where and what to do`, () => {
      assert.strictEqual(message(reason, "/mnt/a", detail), `cannot mount on /mnt/a: ${expected}`)
    })
  }

  it("of UnknownOption has no mount point", () => {
    const error = new MountError({ reason: "UnknownOption", detail: "foo: unknown" })
    assert.strictEqual(error.message, "mount option foo: unknown")
    assert.strictEqual(error._tag, "MountError")
  })

  it("is one line whatever the names are", () => {
    assert.strictEqual(
      message("Failed", "/a\nb\u001b[1m", "x\ty\r\n"),
      String.raw`cannot mount on '/a\x0ab\x1b[1m': x?y??`,
    )
  })
})

describe("shellWord", () => {
  it("quotes only what a shell would take apart", () => {
    assert.strictEqual(shellWord("/mnt/a-b_c.d:e@f"), "/mnt/a-b_c.d:e@f")
    assert.strictEqual(shellWord("/mnt/a b"), "'/mnt/a b'")
    assert.strictEqual(shellWord("/it's"), String.raw`'/it'\''s'`)
    assert.strictEqual(shellWord("~"), "'~'")
    assert.strictEqual(shellWord(""), "''")
  })
})
