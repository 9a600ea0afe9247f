/**
 * `mount -t fuse.pxar-fuse` and lines of `/etc/fstab`, with the system's mount(8) and mount.fuse3.
 *
 * mount(8) starts helpers with an almost empty environment and finds the command by the shell's own PATH. A mount
 * namespace of the test's own has it there.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import { run } from "../reading.ts"
import * as Command from "../../support/Command.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"

const { archive: hello } = Golden.helloV1

/** Runs a shell script where `pxar-fuse` is installed; `$MNT` is an empty folder, `$A` an archive, `$W` a work folder. */
const script = Effect.fnUntraced(function* (text: string) {
  const folder = yield* Processes.temporaryFolder
  const mountPoint = path.join(folder, "mnt")
  fs.mkdirSync(mountPoint)
  fs.mkdirSync(path.join(folder, "bin"))
  const command = path.join(folder, "bin", "pxar-fuse")
  fs.writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${Command.MAIN}' "$@"\n`, { mode: 0o755 })
  const prelude = 'trap \'umount -l "$MNT" 2>&-\' EXIT\nmount --bind "$W/bin" /usr/local/sbin || exit\n'
  const ended = yield* Processes.run("unshare", ["-m", "--propagation", "private", "sh", "-c", prelude + text], {
    env: { PATH: process.env["PATH"], W: folder, MNT: mountPoint, A: hello },
  })
  return { ...ended, stdout: ended.stdout.toString().replaceAll(mountPoint, "MNT") }
})

describe("mount -t fuse.pxar-fuse", () => {
  beforeEach(need({ mount: true, root: true, tools: ["mount.fuse3", "unshare", "umount"] }))

  it.live("mounts with options in fstab form, flags of mount among them", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* script(`
        mount -t fuse.pxar-fuse "$A" "$MNT" -o noexec,nofail,x-systemd.automount,comment=hi,relatime,pid_file="$W/pid",log-file="$W/log" || exit
        cat "$MNT/hello"
        test -d "/proc/$(cat "$W/pid")" && echo served
        grep " $MNT " /proc/mounts
        umount "$MNT"
      `)
      assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      const [content, served, line] = stdout.split("\n")
      assert.deepStrictEqual([content, served], ["hi", "served"])
      // mount(8) says rw,dev,suid where nothing is said.
      assert.match(line!, /^\S+ MNT fuse\.pxar-fuse ro,nosuid,nodev,noexec,relatime,/)
    }),
  )

  it.live("takes a line of fstab, and mount -a leaves alone what is mounted", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* script(`
        echo "$A $MNT fuse.pxar-fuse ro,allow_other,nofail,_netdev,log_file=$W/log 0 0" > "$W/fstab"
        mount -T "$W/fstab" -a && mount -T "$W/fstab" -a || exit
        grep " $MNT " /proc/mounts
        umount "$MNT"
      `)
      assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      assert.match(stdout, /^\S+hello-v1.pxar MNT fuse\.pxar-fuse ro,nosuid,nodev,.*allow_other.* 0 0\n$/)
    }),
  )

  it.live("fails with the message and the exit code of pxar-fuse", () =>
    Effect.gen(function* () {
      const missing = yield* script('mount -t fuse.pxar-fuse /nonexistent.pxar "$MNT"')
      assert.strictEqual(missing.code, ExitCode.NO_ARCHIVE)
      assert.strictEqual(missing.stderr, "pxar-fuse: /nonexistent.pxar: no such file [PXF-OPEN-MISSING]\n")
      const unknown = yield* script('mount -t fuse.pxar-fuse "$A" "$MNT" -o frob=3')
      assert.strictEqual(unknown.code, ExitCode.USAGE)
      assert.match(unknown.stderr, /^pxar-fuse: mount option frob=3: unknown; known are .*pid-file/)
    }),
  )
})

describe("the systemd units in docs/systemd", () => {
  beforeEach(need({ tools: ["systemd-analyze"] }))

  it.live("are valid, and name the flags that there are", () =>
    Effect.gen(function* () {
      const units = path.join(import.meta.dirname, "../../../docs/systemd")
      const folder = yield* Processes.temporaryFolder
      const files = fs.readdirSync(units).map((name) => {
        const file = path.join(folder, name)
        const text = fs.readFileSync(path.join(units, name), "utf8")
        // Where the tests run it is not installed.
        fs.writeFileSync(file, text.replace("ExecStart=pxar-fuse ", `ExecStart=${process.execPath} ${Command.MAIN} `))
        return file
      })
      assert.strictEqual(files.length, 5)
      const verified = yield* Processes.run("systemd-analyze", ["verify", "--man=no", ...files])
      assert.deepInclude(verified, { code: 0, stderr: "" })
      const { stderr } = yield* run(["mount", "--foreground", "-o", "allow_other", "/nonexistent.pxar", "/mnt"])
      assert.strictEqual(stderr, "pxar-fuse: /nonexistent.pxar: no such file [PXF-OPEN-MISSING]\n")
    }),
  )
})
