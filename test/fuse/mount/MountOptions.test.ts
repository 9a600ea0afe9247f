import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import type { MountError } from "../../../src/fuse/mount/MountError.ts"
import * as MountOptions from "../../../src/fuse/mount/MountOptions.ts"

const parse = (...values: ReadonlyArray<string>): MountOptions.MountOptions =>
  Result.getOrThrow(MountOptions.parse(values))

const refusal = (value: string): MountError => {
  const result = MountOptions.parse([value])
  assert.isTrue(Result.isFailure(result), value)
  return Result.getOrThrow(Result.flip(result))
}

describe("the defaults", () => {
  it("are read-only, nosuid, nodev and default_permissions", () => {
    assert.deepStrictEqual(parse(), MountOptions.defaults)
    assert.strictEqual(MountOptions.kernelFlags(MountOptions.defaults), 1 | 2 | 4)
    assert.strictEqual(MountOptions.kernelType(MountOptions.defaults), "fuse.pxar-fuse")
    assert.strictEqual(
      MountOptions.kernelData(MountOptions.defaults, 7, 1000, 100),
      "fd=7,rootmode=40000,user_id=1000,group_id=100,default_permissions",
    )
    assert.strictEqual(
      MountOptions.helperOptions(MountOptions.defaults, "/srv/a.pxar"),
      "ro,nosuid,nodev,default_permissions,fsname=/srv/a.pxar,subtype=pxar-fuse",
    )
  })

  it("are not changed by reading options", () => {
    parse("suid,fsname=x")
    assert.isTrue(MountOptions.defaults.noSuid)
    assert.isUndefined(MountOptions.defaults.fsname)
  })
})

describe("parse", () => {
  it("reads every known option", () => {
    const options = parse("suid,dev,noexec,noatime,no_default_permissions", "allow_other,max_read=65536", "nonempty")
    assert.deepStrictEqual(options, {
      noSuid: false,
      noDev: false,
      noExec: true,
      noAtime: true,
      defaultPermissions: false,
      allowOther: true,
      allowRoot: false,
      nonEmpty: true,
      nfsExport: false,
      remount: false,
      fsname: undefined,
      subtype: "pxar-fuse",
      maxRead: 65536,
    })
    assert.strictEqual(MountOptions.kernelFlags(options), 1 | 8 | 1024)
    assert.strictEqual(
      MountOptions.kernelData(options, 3, 0, 0),
      "fd=3,rootmode=40000,user_id=0,group_id=0,allow_other,max_read=65536",
    )
    assert.strictEqual(
      MountOptions.helperOptions(options, "a"),
      "ro,noexec,noatime,allow_other,max_read=65536,fsname=a,subtype=pxar-fuse",
    )
  })

  it("lets the later word win, within a value and across values", () => {
    assert.isFalse(parse("noexec,exec").noExec)
    assert.isTrue(parse("exec", "noexec").noExec)
    assert.strictEqual(parse("fsname=a,fsname=b").fsname, "b")
  })

  it("drops empty words and those that are for fstab only", () => {
    const words = "defaults,auto,noauto,,user,nouser,users,_netdev,nofail,x-systemd.automount,x-a=b\\,c,comment=hello"
    assert.deepStrictEqual(parse(words, "", ",ro,"), MountOptions.defaults)
    assert.deepStrictEqual(parse("user=ada,X-mount.mkdir,relatime,nodiratime,lazytime,async"), MountOptions.defaults)
  })

  it("takes a backslash as the way to write commas and backslashes", () => {
    assert.strictEqual(parse(String.raw`fsname=a\,b\\c\d=e,ro`).fsname, String.raw`a,b\cd=e`)
    assert.strictEqual(parse("fsname=a\\").fsname, "a\\")
    assert.strictEqual(parse("fsname=a\nb").fsname, "a\nb")
  })

  it("refuses rw with the way out", () => {
    assert.strictEqual(
      refusal("ro,rw").message,
      "mount option rw: an archive is read-only: mount it with ro (in fstab too)",
    )
  })

  it("takes allow_root as allow_other for the kernel, with its checks of permissions only", () => {
    const options = parse("allow_other,allow_root")
    assert.deepInclude(options, { allowOther: false, allowRoot: true })
    assert.include(MountOptions.kernelData(options, 3, 7, 8), "default_permissions,allow_other")
    assert.deepInclude(parse("allow_root,allow_other"), { allowOther: true, allowRoot: false })
    assert.include(refusal("no_default_permissions,allow_root").message, "goes with default_permissions only")
  })

  it("refuses what it does not know, and says what it knows", () => {
    for (const option of ["foo", "RO", "ro=1", "nosuid ", "foo=bar", "constructor", "__proto__", "=", "auto_unmount"]) {
      const error = refusal(`ro,${option}`)
      assert.strictEqual(error.reason, "UnknownOption")
      assert.include(error.message, `mount option ${option}: unknown; known are ro, nosuid, suid`)
      assert.include(error.message, "fsname=, subtype=, max_read=")
    }
  })

  it("names the words of its caller too", () => {
    const error = Result.getOrThrow(Result.flip(MountOptions.parse(["foo"], ["payload", "verbose"])))
    assert.match(error.message, /max_read=, payload, verbose$/)
  })

  it("refuses bad values", () => {
    for (const option of ["fsname=", "subtype=", "max_read=", "max_read=0", "max_read=4k", "max_read=4294967296"]) {
      const error = refusal(option)
      assert.strictEqual(error.reason, "UnknownOption")
      assert.include(error.message, "needs a")
    }
    assert.strictEqual(parse("max_read=4294967295").maxRead, 4294967295)
  })
})

describe("helperOptions", () => {
  const Name = Schema.String.pipe(Schema.check(Schema.isMinLength(1)))

  it.prop("writes any names so that they can be read back", [Name, Name], ([source, subtype]) => {
    const printed = MountOptions.helperOptions({ ...MountOptions.defaults, subtype }, source)
    assert.deepStrictEqual(parse(printed), { ...MountOptions.defaults, fsname: source, subtype })
  })

  it("escapes as libfuse does", () => {
    assert.include(MountOptions.helperOptions(MountOptions.defaults, "/a,b\\c"), String.raw`fsname=/a\,b\\c,`)
  })
})
