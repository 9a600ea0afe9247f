/**
 * What `pxar-fuse mount` refuses: one line that names the file and says what to do, an exit code for each class of
 * failure, and nothing left mounted.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as MountTable from "../../../src/fuse/mount/MountTable.ts"
import { mount, mountInBackground, type Options, run, write } from "../../support/Command.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import { need, NOBODY } from "../../support/Requirements.ts"

const { archive: treeV1 } = Golden.treeV1
const { archive: hello } = Golden.helloV1

/** The program must refuse with one line on stderr that says all of `saying`, and leave nothing mounted. */
const refuses = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  code: number,
  saying: ReadonlyArray<string>,
  options: Options = {},
) {
  const before = yield* Processes.mountsBelow("/")
  const ended = yield* run(args, options)
  const lines = ended.stderr.split("\n")
  assert.strictEqual(lines.length, 2, `one line: ${ended.stderr}`)
  assert.match(lines[0]!, /^pxar-fuse: /)
  for (const part of saying) assert.include(lines[0], part)
  assert.deepStrictEqual({ code: ended.code, stdout: ended.stdout.toString() }, { code, stdout: "" })
  // Others may mount meanwhile, elsewhere.
  const own = (yield* Processes.mountsBelow("/")).filter((mountPoint) => args.includes(mountPoint))
  assert.deepStrictEqual(
    own,
    before.filter((mountPoint) => args.includes(mountPoint)),
  )
})

const refusesArchive = Effect.fnUntraced(function* (archive: string, code: number, ...saying: ReadonlyArray<string>) {
  yield* refuses(["mount", archive, yield* Processes.mountPoint()], code, [archive, ...saying])
})

describe.concurrent("an archive is refused", () => {
  it.live("that does not exist", () => refusesArchive("/nonexistent/x.pxar", ExitCode.NO_ARCHIVE, "no such file"))

  it.live("that is a folder without archives", () =>
    refusesArchive("/etc", ExitCode.NO_ARCHIVE, "no archive in this folder"),
  )

  for (const [what, content] of [
    ["text", "no archive at all\n".repeat(100)],
    ["an empty file", ""],
    ["a few bytes", "pxar"],
  ] as const) {
    it.live(`that is ${what}`, () =>
      Effect.flatMap(write("x.pxar", content), (file) => refusesArchive(file, ExitCode.NOT_PXAR, "pxar archive")),
    )
  }

  it.live("that is the payload archive of a split one", () =>
    refusesArchive(Golden.synthV2.payload!, ExitCode.UNSUPPORTED, "payload half", "give the .mpxar file"),
  )

  it.live("whose --payload does not exist", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const args = ["mount", Golden.helloV2.archive, mountPoint, "--payload", "/nonexistent/x.ppxar"]
      yield* refuses(args, ExitCode.NO_ARCHIVE, ["/nonexistent/x.ppxar", "no such file"])
    }),
  )

  it.live("whose --payload is none", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const args = ["mount", Golden.helloV2.archive, mountPoint, "--payload", treeV1]
      yield* refuses(args, ExitCode.DAMAGED, [treeV1, "not the payload half of a split pxar archive"])
    }),
  )

  it.live("of version 1 that is given a --payload", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const args = ["mount", hello, mountPoint, "--payload", Golden.helloV2.payload!]
      yield* refuses(args, ExitCode.UNSUPPORTED, [hello, "has no payload archive"])
    }),
  )
})

describe.concurrent("an archive whose end is not as it should be is mounted from the front, which is said", () => {
  const bytes = Golden.load(Golden.treeV1).bytes
  for (const [what, content] of [
    ["truncated by 1 byte", bytes.subarray(0, -1)],
    ["truncated by 24 bytes", bytes.subarray(0, -24)],
    ["truncated by 1000 bytes", bytes.subarray(0, -1000)],
    ["with bytes after its end", Buffer.concat([bytes, Buffer.from("more")])],
  ] as const) {
    it.live(what, () =>
      Effect.gen(function* () {
        const file = yield* write("x.pxar", content)
        const mountPoint = yield* Processes.mountPoint()
        const { stderr } = yield* mountInBackground(file, mountPoint)
        assert.include(stderr, `${file}: the index at the end is missing; read from the front`)
        const names = yield* Effect.promise(() => fs.promises.readdir(mountPoint))
        assert.includeMembers(names, ["acl", "many", "sizes"])
      }),
    )
  }
})

describe.concurrent("a mount point is refused", () => {
  const refusesPlace = (mountPoint: string, code: number, ...saying: ReadonlyArray<string>) =>
    refuses(["mount", hello, mountPoint], code, [mountPoint, ...saying])

  it.live("that does not exist, with the command that creates it", () =>
    refusesPlace("/nonexistent/mnt", ExitCode.MOUNT_POINT_MISSING, "mkdir -p /nonexistent/mnt"),
  )

  it.live("that is a file", () =>
    Effect.flatMap(write("file", ""), (file) =>
      refusesPlace(file, ExitCode.MOUNT_POINT_MISSING, "not a directory", "empty directory"),
    ),
  )

  it.live("that is not empty", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      yield* Effect.promise(() => fs.promises.writeFile(path.join(mountPoint, "file"), ""))
      yield* refusesPlace(mountPoint, ExitCode.MOUNT_POINT_OCCUPIED, "not empty", "-o nonempty")
    }),
  )

  it.live("that the archive is inside of, even with -o nonempty", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const archive = path.join(mountPoint, "x.pxar")
      yield* Effect.promise(() => fs.promises.copyFile(hello, archive))
      const saying = [archive, mountPoint, "mount it somewhere else"]
      yield* refuses(["mount", archive, mountPoint], ExitCode.ARCHIVE_INSIDE, saying)
      yield* refuses(["mount", archive, mountPoint, "-o", "nonempty"], ExitCode.ARCHIVE_INSIDE, saying)
    }),
  )
})

describe("an occupied mount point", () => {
  beforeEach(need({ mount: true }))

  it.live("is refused, and what is mounted there stays", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      yield* mount(treeV1, mountPoint)
      yield* refuses(["mount", hello, mountPoint], ExitCode.MOUNT_POINT_OCCUPIED, [mountPoint, "pxar-fuse unmount"])
      assert.strictEqual((yield* MountTable.find(mountPoint))?.source, treeV1)
    }),
  )
})

describe.concurrent("a system is refused", () => {
  beforeEach(need({ mount: true, root: true, tools: ["setpriv", "unshare"] }))

  it.live("without /dev/fuse", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const hide = 'mount -t tmpfs tmpfs /dev && mknod -m 666 /dev/null c 1 3 && exec "$0" "$@"'
      yield* refuses(
        ["mount", hello, mountPoint],
        ExitCode.NO_FUSE,
        [mountPoint, "no FUSE in this kernel (open /dev/fuse: ENOENT)", "modprobe fuse", "pass in /dev/fuse"],
        { wrapper: ["unshare", "-m", "sh", "-c", hide] },
      )
    }),
  )

  it.live("where root has not the right to mount", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      yield* refuses(
        ["mount", hello, mountPoint],
        ExitCode.NOT_PERMITTED,
        [mountPoint, "mount: EPERM", "CAP_SYS_ADMIN"],
        { wrapper: ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"] },
      )
    }),
  )
})

describe.concurrent("an ordinary user is refused", () => {
  beforeEach((context) => {
    need({ mount: true, root: true, otherUsers: true, tools: ["fusermount3"] })(context)
    fs.chmodSync("/dev/fuse", 0o666)
  })

  const nobody = { uid: NOBODY, gid: NOBODY, cwd: "/" }

  it.live("on a folder of somebody else", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const saying = [mountPoint, "fusermount3: user has no write access", "on a directory you own"]
      yield* refuses(["mount", hello, mountPoint], ExitCode.NOT_PERMITTED, saying, nobody)
    }),
  )

  it.live("without fusermount3, with the package to install", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint("mnt", NOBODY)
      const saying = [mountPoint, "no fusermount3 on PATH", "apt-get install fuse3"]
      const env = { ...process.env, PATH: "/nonexistent" }
      yield* refuses(["mount", hello, mountPoint], ExitCode.NO_FUSERMOUNT, saying, { ...nobody, env })
    }),
  )

  it.live("an archive that may not be read", () =>
    Effect.gen(function* () {
      const archive = yield* write("x.pxar", Golden.load(Golden.helloV1).bytes, 0o600)
      const mountPoint = yield* Processes.mountPoint("mnt", NOBODY)
      yield* refuses(["mount", archive, mountPoint], ExitCode.NOT_PERMITTED, [archive, "permission denied"], nobody)
    }),
  )
})

describe.concurrent("a command line is refused", () => {
  const refusesArguments = (args: ReadonlyArray<string>, ...saying: ReadonlyArray<string>) =>
    Effect.flatMap(Processes.mountPoint(), (mountPoint) =>
      refuses(
        args.map((argument) => (argument === "MNT" ? mountPoint : argument)),
        ExitCode.USAGE,
        saying,
      ),
    )

  it.live("with an unknown mount option, with those that are known", () =>
    refusesArguments(["mount", hello, "MNT", "-o", "ro,compress"], "compress", "nosuid", "allow_other", "max_read="),
  )

  it.live("with the mount option rw", () =>
    refusesArguments(["mount", hello, "MNT", "-o", "rw"], "an archive is read-only"),
  )

  it.live("without a mount point", () => refusesArguments(["mount", hello], "mountpoint", "pxar-fuse mount --help"))

  it.live("with an unknown flag", () => refusesArguments(["mount", hello, "MNT", "--fast"], "--fast"))

  it.live("with an unknown command", () => refusesArguments(["mound", hello, "MNT"], "mound"))

  it.live("with a flag that is almost one", () => refusesArguments(["mount", hello, "MNT", "--verbos"], "--verbos"))
})

describe("help", () => {
  it.live("is printed on stdout, with exit code 0", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run(["mount", "--help"])
      assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      for (const word of ["pxar-fuse mount", "--payload", "--options", "--verbose", "umount"]) {
        assert.include(stdout.toString(), word)
      }
    }),
  )
})
