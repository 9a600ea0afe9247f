/**
 * Every exit code of the table in docs/cli.md, provoked: with a message that says what is wrong and with which file.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Command from "../../support/Command.ts"
import * as Datastores from "../../support/Datastores.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import { type Needs, need } from "../../support/Requirements.ts"

/** A way to an exit code. */
interface Way {
  readonly code: number
  /**
   * A shell script that ends with it. `x` is the command, `as_nobody` runs it as an ordinary user; `$A` and `$B` are
   * archives, `$LARGE` one with a file that fits into no pipe, `$SPLIT` a split one without its payload archive that has
   * an archive in it. The current folder is empty but for `mnt`.
   */
  readonly script: string
  /** What stderr says, all of it. */
  readonly saying: RegExp
  readonly needs?: Needs
}

const mounting: Needs = { mount: true, root: true, tools: ["umount"] }
const asNobody: Needs = { root: true, otherUsers: true, tools: ["setpriv"] }

const ways: ReadonlyArray<Way> = [
  { code: ExitCode.SUCCESS, script: 'x list "$A"', saying: /^$/ },
  {
    code: ExitCode.INTERNAL,
    // Nobody knows a bug of this program: one is put in.
    script: `echo 'JSON.stringify = () => { throw new TypeError("broken") }' > bug.mjs
      NODE_OPTIONS="--import=./bug.mjs" x list --json "$A"`,
    saying: /^pxar-fuse: bug in this program, please report it\n.*TypeError: broken/s,
  },
  {
    code: ExitCode.USAGE,
    script: 'x list "$A" --longer',
    saying: /^pxar-fuse: .*--longer.* \(see pxar-fuse list --help\)\n$/,
  },
  {
    code: ExitCode.NO_ARCHIVE,
    script: "x info nothing.pxar",
    saying: /^pxar-fuse: nothing\.pxar: no such file \[PXF-OPEN-MISSING\]\n$/,
  },
  {
    code: ExitCode.NOT_PXAR,
    script: "echo text > text.pxar; x cat text.pxar a",
    saying: /^pxar-fuse: text\.pxar: not a pxar archive/,
  },
  {
    code: ExitCode.UNSUPPORTED,
    script: 'x list "${B%.mpxar}.ppxar"',
    saying: /^pxar-fuse: \S+\.ppxar: .*give the \.mpxar file/,
  },
  {
    code: ExitCode.DAMAGED,
    // The size of the first item.
    script: `cp "$A" bad.pxar; printf '\\310\\001' | dd of=bad.pxar bs=1 seek=8 conv=notrunc 2> dd.log; x extract bad.pxar out`,
    saying: /^pxar-fuse: bad\.pxar: .*\(check H3 at byte 8\)/,
  },
  {
    code: ExitCode.READ_FAILED,
    script: 'x mount --quiet "$SPLIT" mnt && x list mnt/inner.pxar; code=$?; umount mnt; exit $code',
    saying: /^pxar-fuse: mnt\/inner\.pxar: .*EIO/,
    needs: mounting,
  },
  {
    code: ExitCode.NO_ENTRY,
    script: 'x cat "$A" not/there',
    saying: /^pxar-fuse: not\/there: no such file or folder in the archive \[PXF-PATH-NOT-FOUND\]\n$/,
  },
  {
    code: ExitCode.OUTPUT_FAILED,
    script: 'x list "$A" > /dev/full',
    saying: /^pxar-fuse: cannot write to stdout: .*no space left/,
  },
  {
    code: ExitCode.MOUNT_POINT_MISSING,
    script: 'x mount "$A" missing',
    saying:
      /^pxar-fuse: cannot mount on missing: no such directory: create it \(mkdir -p missing\) \[PXF-MOUNT-POINT-MISSING\]\n$/,
  },
  {
    code: ExitCode.MOUNT_POINT_OCCUPIED,
    script: 'touch mnt/file; x mount "$A" mnt',
    saying: /^pxar-fuse: cannot mount on \S*mnt: .*not empty.*-o nonempty/,
  },
  {
    code: ExitCode.ARCHIVE_INSIDE,
    script: 'cp "$A" mnt/a.pxar; x mount mnt/a.pxar mnt',
    saying: /^pxar-fuse: cannot mount on \S*mnt: .*a\.pxar.*: mount it somewhere else \[PXF-MOUNT-ARCHIVE-INSIDE\]\n$/,
  },
  {
    code: ExitCode.NO_FUSE,
    script: `unshare -m sh -c 'mount -t tmpfs tmpfs /dev && mknod -m 666 /dev/null c 1 3 && exec "$@"' sh \\
      "$NODE" "$MAIN" mount "$A" mnt`,
    saying: /^pxar-fuse: cannot mount on \S*mnt: no FUSE in this kernel .*modprobe fuse/,
    needs: { ...mounting, tools: ["unshare"] },
  },
  {
    code: ExitCode.NOT_PERMITTED,
    script: 'cp "$A" secret.pxar; chmod 0 secret.pxar; as_nobody list secret.pxar',
    saying: /^pxar-fuse: secret\.pxar: permission denied \[PXF-OPEN-DENIED\]\n$/,
    needs: asNobody,
  },
  {
    code: ExitCode.NO_FUSERMOUNT,
    script: 'mkdir own; chown 65534 own; PATH=/nowhere as_nobody mount "$A" own',
    saying: /^pxar-fuse: cannot mount on \S*own: no fusermount3 on PATH: .*apt-get install fuse3/,
    needs: { ...asNobody, mount: true },
  },
  {
    code: ExitCode.MOUNT_FAILED,
    script: 'x mount "$A" mnt -o "subtype=$(printf "%5000s" "" | tr " " x)"',
    saying: /^pxar-fuse: cannot mount on \S*mnt: mount: EINVAL \[PXF-MOUNT-FAILED\]\n$/,
    needs: mounting,
  },
  {
    code: ExitCode.NOT_MOUNTED,
    script: "x unmount mnt",
    saying: /^pxar-fuse: nothing is mounted on \S*mnt \[PXF-NOT-MOUNTED\]\n$/,
  },
  {
    code: ExitCode.NO_FUSE_NATIVE,
    script: `unshare -m sh -c 'mount -t tmpfs tmpfs "$0"; exec "$@"' "\${MAIN%/dist/*}/node_modules/fuse-native" \\
      "$NODE" "$MAIN" mount --transport fuse-native "$A" mnt`,
    saying: /not installed: apt-get install libfuse2, then npm install fuse-native/,
    needs: { ...mounting, tools: ["unshare"] },
  },
  {
    code: ExitCode.SESSION_LOST,
    // What is on the descriptor is no kernel.
    script: 'head -c 200 /dev/zero > zero; x mount --foreground "$A" /dev/fd/3 3<> zero',
    saying: /\npxar-fuse: the connection to the kernel broke: .*\n$/,
  },
  { code: ExitCode.NOTES, script: 'x verify "$NOTES"', saying: /^$/ },
  {
    code: ExitCode.DIFFERENT,
    script: 'x diff "$A" "$LARGE"',
    saying: /^pxar-fuse: 1 added, \d removed, 1? ?\d? ?changed from \S+ to \S+\n$/,
  },
  {
    code: ExitCode.INCOMPLETE,
    script: 'mkdir out; touch out/hello; x extract --allow-existing-dirs "$A" out',
    saying: /^pxar-fuse: .*hello.*(?:exists|there already)/m,
  },
  {
    code: ExitCode.TARGET,
    script: "touch new.pxar; x create new.pxar mnt",
    saying: /^pxar-fuse: .*new\.pxar.*exists/,
  },
  {
    code: ExitCode.KEY,
    script: 'x list "$ENCRYPTED::host/alpha/2024-01/root.pxar"',
    saying: /^pxar-fuse: .*root\.pxar\.didx: is encrypted: the key [0-9a-f:]+ is needed \(--key-file\)/,
  },
  {
    code: ExitCode.UNHEALTHY,
    script: "x doctor /nonexistent/root.pxar",
    saying: /^$/,
  },
  {
    code: ExitCode.INTERRUPTED,
    script: `mkfifo pipe; "$NODE" "$MAIN" cat "$LARGE" large > pipe & exec 3< pipe
      head -c 1 <&3 > /dev/null; kill -TERM $!; wait $!`,
    saying: /^$/,
  },
  {
    code: ExitCode.OUTPUT_CLOSED,
    script: '{ x cat "$LARGE" large; echo $? > code; } | head -c 1 > /dev/null; exit "$(cat code)"',
    saying: /^$/,
  },
]

let archives: string

beforeAll(() => {
  archives = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "pxar-fuse-"))
  fs.chmodSync(archives, 0o755)
  const large = B.build({ children: [B.file("large", Buffer.alloc(4 * 1024 * 1024, "x"))] })
  fs.writeFileSync(path.join(archives, "large.pxar"), large.bytes)
  const inner = Golden.load(Golden.helloV1).bytes
  fs.writeFileSync(
    path.join(archives, "lonely.mpxar"),
    B.build({ version: 2, children: [B.file("inner.pxar", inner)] }).bytes,
  )
})

afterAll(() => fs.rmSync(archives, { recursive: true }))

const prelude = `
  x() { "$NODE" "$MAIN" "$@"; }
  as_nobody() { /usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups "$NODE" "$MAIN" "$@"; }
`

describe.concurrent("the exit code", () => {
  it("of every class is provoked below", () => {
    assert.deepStrictEqual(
      ways.map(({ code }) => code),
      ExitCode.meanings.map(([code]) => code),
    )
  })

  for (const { code, needs = {}, saying, script } of ways) {
    it.live(`${code}: ${ExitCode.meanings.find(([known]) => known === code)?.[1]}`, (context) =>
      Effect.gen(function* () {
        need(needs)(context)
        const cwd = yield* Processes.temporaryFolder
        fs.mkdirSync(path.join(cwd, "mnt"))
        const ended = yield* Processes.run("sh", ["-c", prelude + script], {
          cwd,
          env: {
            PATH: process.env["PATH"],
            NODE: process.execPath,
            MAIN: Command.MAIN,
            A: Golden.helloV1.archive,
            B: Golden.synthV2.archive,
            NOTES: Golden.synthV1.archive,
            LARGE: path.join(archives, "large.pxar"),
            ENCRYPTED: Datastores.store("datastore-encrypted"),
            SPLIT: path.join(archives, "lonely.mpxar"),
          },
        })
        assert.strictEqual(ended.code, code, ended.stderr)
        assert.match(ended.stderr, saying)
      }),
    )
  }
})
