/**
 * `pxar-fuse mount` in the background: when the command returns, what it leaves behind, and what it takes to end that.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as FuseMount from "../../../src/fuse/mount/FuseMount.ts"
import * as MountOptions from "../../../src/fuse/mount/MountOptions.ts"
import * as MountTable from "../../../src/fuse/mount/MountTable.ts"
import * as Command from "../../support/Command.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"

const { archive: hello } = Golden.helloV1

const content = (mountPoint: string): string => fs.readFileSync(path.join(mountPoint, "hello"), "utf8")

/** A field of proc_pid_stat(5), counted from 1. */
const stat = (pid: number, field: number): number => {
  const text = fs.readFileSync(`/proc/${pid}/stat`, "latin1")
  return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[field - 3])
}

const PARENT = 4
const SESSION = 6

describe("a mount in the background", () => {
  beforeEach(need({ mount: true }))

  it.live("answers when the command returns, which says nothing where no person looks", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { stderr, stdout } = yield* Command.mountInBackground(hello, mountPoint, ["--log-file", "/dev/null"])
      assert.strictEqual(content(mountPoint), "hi\n")
      assert.deepStrictEqual({ stderr, stdout: stdout.toString() }, { stderr: "", stdout: "" })
    }),
  )

  it.live("holds nothing of whoever started it: session, folder, streams, descriptors, environment", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const file = yield* Command.write("inherited", "")
      const wrapper = ["bash", "-c", `exec 3<>${file} 40<>${file}; exec "$@"`, "bash"]
      const { server } = yield* Command.mountInBackground(hello, mountPoint, ["--log-file", "/dev/null"], { wrapper })
      assert.strictEqual(stat(server, SESSION), server)
      assert.notStrictEqual(stat(server, PARENT), process.pid)
      assert.strictEqual(fs.readlinkSync(`/proc/${server}/cwd`), "/")
      const target = (descriptor: number | string): string => fs.readlinkSync(`/proc/${server}/fd/${descriptor}`)
      assert.deepStrictEqual([0, 1, 2].map(target), ["/dev/null", "/dev/null", "/dev/null"])
      const descriptors = fs.readdirSync(`/proc/${server}/fd`).map(target)
      assert.notInclude(descriptors, file)
      assert.strictEqual(content(mountPoint), "hi\n")
    }),
  )

  it.live("says what is missing when there are too few descriptors for another process", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      for (const limit of [32, 30, 28, 26, 24]) {
        const wrapper = ["bash", "-c", `ulimit -n ${limit}; exec "$@"`, "bash"]
        const { code, stderr } = yield* Command.run(["mount", hello, mountPoint, "--log-file", "/dev/null"], {
          wrapper,
        })
        if (code !== ExitCode.SUCCESS) {
          assert.strictEqual(code, ExitCode.MOUNT_FAILED, stderr)
          assert.include(stderr, "cannot go on in the background: too many open files, see `ulimit -n`")
          return
        }
        assert.strictEqual((yield* Command.run(["unmount", mountPoint])).code, ExitCode.SUCCESS)
      }
      assert.fail("24 descriptors are enough for everything")
    }),
  )

  it.live("is what was asked for, byte by byte, and says so in the list of processes", () =>
    Effect.gen(function* () {
      const folder = yield* Processes.temporaryFolder
      const archive = path.join(folder, 'b\u00e4ck"up \u{1f4be}\n.pxar')
      fs.copyFileSync(hello, archive)
      const mountPoint = path.join(yield* Processes.mountPoint(), "\u007f\\ \u2028'")
      const { server } = yield* Command.mountInBackground(archive, mountPoint, ["--auto-mountpoint", "--umask=077"])
      assert.strictEqual(content(mountPoint), "hi\n")
      assert.strictEqual(fs.statSync(path.join(mountPoint, "hello")).mode & 0o777, 0o700)
      const words = fs.readFileSync(`/proc/${server}/cmdline`, "utf8").split("\0")
      assert.deepStrictEqual(words.slice(1, 5), [...Command.commandLine([]).slice(1), "mount", archive, mountPoint])
    }),
  )

  it.live("does not come to be when nobody says what to mount", () =>
    Effect.gen(function* () {
      const options = { env: { ...process.env, _PXAR_FUSE_PARENT: "3" } }
      const { code, stderr } = yield* Command.run([], {
        ...options,
        wrapper: ["sh", "-c", 'exec "$@" 3</dev/null', "sh"],
      })
      assert.strictEqual(code, ExitCode.INTERNAL)
      assert.match(
        stderr,
        /^pxar-fuse: cannot go on in the background: the settings of the mount did not arrive: .*\n$/,
      )
    }),
  )

  it.live("ends with SIGTERM, and leaves nothing mounted", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { server, serverEnded } = yield* Command.mountInBackground(hello, mountPoint)
      process.kill(server, "SIGTERM")
      yield* serverEnded
      assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
    }),
  )

  it.live("does not come to be when the command is told to end before it returns", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const command = yield* Command.start(["mount", hello, mountPoint])
      const children = Effect.sync(() =>
        fs.readFileSync(`/proc/${command.pid}/task/${command.pid}/children`, "latin1").trim(),
      )
      const server = Number(yield* Processes.eventually("the server to start", children, (pids) => pids !== ""))
      process.kill(server, "SIGSTOP")
      yield* command.kill("SIGINT")
      process.kill(server, "SIGCONT")
      assert.strictEqual((yield* command.ended).code, ExitCode.INTERRUPTED)
      assert.isFalse(yield* Processes.isAlive(server))
      assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
    }),
  )

  it.live("takes a connection that a privileged parent has mounted", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const options = { mountPoint, fsname: "passed", options: MountOptions.defaults }
      const { descriptor } = yield* FuseMount.mount(options)
      yield* Command.mountInBackground(hello, "/dev/fd/3", [], { descriptor })
      assert.strictEqual(content(mountPoint), "hi\n")
    }),
  )
})

describe("the terminal", () => {
  beforeEach(need({ mount: true, tools: ["script"] }))

  /** Runs `pxar-fuse` in a shell on a terminal of its own; the shell stays there when it is done. */
  const onTerminal = (args: ReadonlyArray<string>) => {
    const words = Command.commandLine(args).map((word) => `'${word}'`)
    return Processes.start("script", ["-qfec", `${words.join(" ")}; echo "status $?"; exec sleep 60`, "/dev/null"])
  }

  it.live("can be closed: a mount in the background stays", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const pidFile = path.join(yield* Processes.temporaryFolder, "pid")
      const terminal = yield* onTerminal(["mount", hello, mountPoint, "--pid-file", pidFile])
      const output = Effect.sync(() => terminal.stdout().toString())
      const text = yield* Processes.eventually("the command", output, (text) => text.includes("status"))
      assert.match(text, /pxar-fuse: \S+ mounted on \S+ by process \d+; pxar-fuse unmount ends it\r\n/)
      assert.include(text, "status 0")
      yield* terminal.kill("SIGKILL")
      yield* terminal.ended
      assert.strictEqual(content(mountPoint), "hi\n")
      const server = Number(fs.readFileSync(pidFile, "utf8"))
      assert.isTrue(yield* Processes.isAlive(server))
      assert.strictEqual(content(mountPoint), "hi\n")
      process.kill(server, "SIGTERM")
      yield* Processes.eventually("the server to end", Processes.isAlive(server), (alive) => !alive)
    }),
  )

  it.live("ends a mount in the foreground when it is closed", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const terminal = yield* onTerminal(["mount", "--foreground", hello, mountPoint])
      const mounted = Effect.orDie(MountTable.find(mountPoint))
      yield* Processes.eventually("the mount", mounted, (entry) => entry !== undefined)
      yield* terminal.kill("SIGKILL")
      yield* Processes.eventually("the mount to end", mounted, (entry) => entry === undefined)
    }),
  )
})
