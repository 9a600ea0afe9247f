/** A mount among other people: what they put in its way, and who does not read what it says. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as MountTable from "../../../src/fuse/mount/MountTable.ts"
import * as Command from "../../support/Command.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import { need, NOBODY } from "../../support/Requirements.ts"

const { archive: hello } = Golden.helloV1

const listed = (mountPoint: string) => Processes.run("ls", [mountPoint])

/** The beginning of a Python program that goes on as another user. */
const asUser = (user: number): string =>
  `import os, socket, time\nos.setgroups([]); os.setgid(${user}); os.setuid(${user})`

/** A folder of another user with a file of root's beside it. */
const othersFolder = Effect.gen(function* () {
  const folder = yield* Processes.temporaryFolder
  const theirs = path.join(folder, "theirs")
  const precious = path.join(folder, "precious")
  fs.mkdirSync(theirs)
  fs.writeFileSync(precious, "PRECIOUS\n")
  const asOther = (...lines: ReadonlyArray<string>) =>
    Effect.map(Processes.run("python3", ["-c", [asUser(NOBODY), ...lines].join("\n")]), ({ code, stderr }) =>
      assert.strictEqual(code, 0, stderr),
    )
  fs.chownSync(theirs, NOBODY, NOBODY)
  return { asOther, precious, theirs }
})

describe("files that root writes in a folder of another user", () => {
  beforeEach(need({ mount: true, root: true, tools: ["python3"] }))

  it.live("the pid file replaces a link there, and leaves alone what that led to", () =>
    Effect.gen(function* () {
      const { asOther, precious, theirs } = yield* othersFolder
      const mountPoint = yield* Processes.mountPoint()
      const file = path.join(theirs, "pid")
      yield* asOther(`os.symlink("${precious}", "${file}")`)
      const next = Number(fs.readFileSync("/proc/loadavg", "utf8").split(" ")[4])
      yield* asOther(`for i in range(${next}, ${next} + 3000): os.symlink("${precious}", "${file}.%d" % i)`)
      const { code } = yield* Command.run(["mount", hello, mountPoint, "--pid-file", file])
      assert.strictEqual(code, 0)
      assert.isTrue(fs.lstatSync(file).isFile())
      assert.strictEqual(fs.readFileSync(precious, "utf8"), "PRECIOUS\n")
      yield* Command.run(["unmount", mountPoint])
      assert.isFalse(fs.existsSync(file))
      assert.strictEqual(fs.readFileSync(precious, "utf8"), "PRECIOUS\n")
    }),
  )

  it.live("the log file is not reached over a link of theirs", () =>
    Effect.gen(function* () {
      const { asOther, precious, theirs } = yield* othersFolder
      const mountPoint = yield* Processes.mountPoint()
      const log = path.join(theirs, "log")
      yield* asOther(`os.symlink("${precious}", "${log}")`)
      const { code, stderr } = yield* Command.run(["mount", hello, mountPoint, "--verbose", "--log-file", log])
      assert.strictEqual(code, ExitCode.TARGET)
      assert.include(stderr, `log on the way is a link of user ${NOBODY}, which is not followed`)
      assert.strictEqual(fs.readFileSync(precious, "utf8"), "PRECIOUS\n")
      assert.isUndefined(yield* MountTable.find(mountPoint))
    }),
  )

  it.live("the log file is reached over a link of root's", () =>
    Effect.gen(function* () {
      const { precious, theirs } = yield* othersFolder
      const mountPoint = yield* Processes.mountPoint()
      const log = path.join(path.dirname(theirs), "log")
      fs.symlinkSync("precious", log)
      yield* Command.run(["mount", hello, mountPoint, "--verbose", "--log-file", log])
      yield* Command.run(["unmount", mountPoint])
      assert.match(fs.readFileSync(precious, "utf8"), /^PRECIOUS\n.* repl(?:y|ies), /s)
    }),
  )

  it.live("a pid file in the mount itself is refused, and nothing waits for anything", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { code, stderr } = yield* Command.run(["mount", hello, mountPoint, "--pid-file", `${mountPoint}/pid`])
      assert.strictEqual(code, ExitCode.TARGET)
      assert.match(stderr, /cannot write the process id: EROFS/)
      assert.isUndefined(yield* MountTable.find(mountPoint))
    }),
  )
})

describe("nobody who does not read makes a mount wait", () => {
  beforeEach(need({ mount: true, tools: ["python3"] }))

  it.live("a FIFO as log file that nobody reads is an error of the start", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const fifo = path.join(path.dirname(mountPoint), "log")
      execFileSync("mkfifo", [fifo])
      const { code, stderr } = yield* Command.run(["mount", hello, mountPoint, "--log-file", fifo])
      assert.strictEqual(code, ExitCode.TARGET)
      assert.include(stderr, `${fifo}: nobody reads this FIFO`)
    }),
  )

  it.live("one whose reader pauses loses messages, and says so when it is read again", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const fifo = path.join(path.dirname(mountPoint), "log")
      execFileSync("mkfifo", [fifo])
      const reader = fs.openSync(fifo, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
      yield* Effect.addFinalizer(() => Effect.sync(() => fs.closeSync(reader)))
      yield* Command.mountInBackground(hello, mountPoint, ["--debug", "--log-file", fifo])
      // Each is more than a pipe, and more than is kept, holds of the log.
      const asks = `import os\nfor i in range(6000):\n try: os.stat("${mountPoint}/no-such-name-%d" % i)\n except OSError: pass`
      assert.strictEqual((yield* Processes.run("python3", ["-c", asks])).code, 0)
      assert.strictEqual((yield* listed(mountPoint)).stdout.toString(), "hello\nlink\n")
      const buffer = Buffer.alloc(65_536)
      let text = ""
      const read = Effect.sync(() => {
        try {
          text += buffer.toString("utf8", 0, fs.readSync(reader, buffer))
        } catch (error) {
          assert.strictEqual((error as NodeJS.ErrnoException).code, "EAGAIN")
        }
        return text
      })
      const said = (text: string) => /\d+ messages were lost: nobody read them/.test(text)
      yield* Processes.eventually("the log to tell of what was lost", read, said)
    }),
  )

  it.live("a terminal or pipe on stderr that nobody reads does not stop a mount in the foreground", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const paused = `
import os, subprocess, sys, time
r, w = os.pipe()
p = subprocess.Popen(sys.argv[1:], stderr=w)
while not os.path.ismount("${mountPoint}"): time.sleep(0.01)
for i in range(6000):
  try: os.stat("${mountPoint}/no-such-name-%d" % i)
  except OSError: pass
print(",".join(sorted(os.listdir("${mountPoint}"))))
p.terminate(); p.wait()
print(p.returncode)`
      const command = Command.commandLine(["mount", "--foreground", "--debug", hello, mountPoint])
      const { stdout } = yield* Processes.run("python3", ["-c", paused, ...command])
      assert.strictEqual(stdout.toString(), "hello,link\n0\n")
    }),
  )

  it.live("a full notify socket is told when it has room", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const full = `
import os, socket, subprocess, sys, time
name = "${path.dirname(mountPoint)}/notify"
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(name)
c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); c.connect(name); c.setblocking(False)
n = 0
try:
  while True: c.send(b"x"); n += 1
except BlockingIOError: pass
p = subprocess.Popen(sys.argv[1:], env={**os.environ, "NOTIFY_SOCKET": name}, stderr=subprocess.DEVNULL)
while not os.path.ismount("${mountPoint}"): time.sleep(0.01)
print(",".join(sorted(os.listdir("${mountPoint}"))))
for i in range(n): s.recv(100)
s.settimeout(10)
print(s.recv(1000).decode().split("\\n")[0])
p.terminate(); p.wait()
print(p.returncode)`
      const command = Command.commandLine(["mount", "--foreground", hello, mountPoint])
      const { stdout } = yield* Processes.run("python3", ["-c", full, ...command])
      assert.strictEqual(stdout.toString(), "hello,link\nREADY=1\n0\n")
    }),
  )
})

describe("status and unmount among mounts of others", () => {
  beforeEach(need({ mount: true, root: true, tools: ["python3"] }))

  /** A user who is not known to this machine, so that nobody's mounts are in the way. */
  const USER = 54_321

  it.live("a flood of sockets of another user keeps root's own mount from nobody", () =>
    Effect.gen(function* () {
      const run = `/run/user/${USER}`
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          fs.mkdirSync(run, { recursive: true, mode: 0o700 })
          fs.chownSync(run, USER, USER)
        }),
        () => Effect.sync(() => fs.rmSync(run, { recursive: true, force: true })),
      )
      const flood = `
os.mkdir("${run}/pxar-fuse")
kept = []
for i in range(300):
  s = socket.socket(socket.AF_UNIX); s.bind("${run}/pxar-fuse/%d.sock" % i); s.listen(9); kept.append(s)
print("ready", flush=True)
time.sleep(60)`
      const other = yield* Processes.start("python3", ["-c", `${asUser(USER)}\n${flood}`])
      yield* Processes.eventually("the sockets", Effect.sync(other.stdout), (out) => out.toString() === "ready\n")
      const mountPoint = yield* Processes.mountPoint()
      const { server } = yield* Command.mountInBackground(hello, mountPoint)
      const connections = `
import subprocess, sys
p = subprocess.run(["strace", "-f", "-qq", "-e", "trace=connect", *sys.argv[1:]], capture_output=True, text=True)
print(p.stderr.count("${run}"))`
      const command = Command.commandLine(["status"])
      const all = yield* Command.run(["status"])
      assert.include(all.stdout.toString(), `process ${server}, since`)
      const asked = yield* Processes.run("python3", ["-c", connections, ...command])
      if (asked.code === 0) assert.isAtMost(Number(asked.stdout), 64)
      const one = yield* Command.run(["status", mountPoint])
      assert.include(one.stdout.toString(), `process ${server}, since`)
    }),
  )

  it.live("three who unmount at once all find it done", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { serverEnded } = yield* Command.mountInBackground(hello, mountPoint)
      const ends = yield* Effect.all(
        Array.from({ length: 3 }, () => Command.run(["unmount", mountPoint])),
        { concurrency: "unbounded" },
      )
      for (const { code, stderr } of ends) {
        if (code === ExitCode.SUCCESS) continue
        assert.strictEqual(code, ExitCode.NOT_MOUNTED, stderr)
        assert.include(stderr, "nothing is mounted on")
      }
      assert.isTrue(ends.some(({ code }) => code === ExitCode.SUCCESS))
      yield* serverEnded
    }),
  )

  it.live("a bind mount that keeps the process is named", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const other = path.join(path.dirname(mountPoint), "other")
      fs.mkdirSync(other)
      yield* Command.mountInBackground(hello, mountPoint)
      yield* Processes.run("mount", ["--bind", mountPoint, other])
      const { code, stderr } = yield* Command.run(["unmount", mountPoint])
      assert.strictEqual(code, 0)
      assert.include(stderr, `${mountPoint} is unmounted, but it is mounted on ${other} too`)
      assert.strictEqual((yield* listed(other)).stdout.toString(), "hello\nlink\n")
      yield* Command.run(["unmount", other])
    }),
  )

  it.live("a process with a mount namespace of its own that keeps it is named", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      yield* Command.mountInBackground(hello, mountPoint)
      const script = "echo ready; exec sleep 60"
      const holder = yield* Processes.start("unshare", ["-m", "--propagation", "private", "sh", "-c", script])
      yield* Processes.eventually("the namespace", Effect.sync(holder.stdout), (out) => out.toString() === "ready\n")
      const { code, stderr } = yield* Command.run(["unmount", mountPoint])
      assert.strictEqual(code, 0)
      assert.match(
        stderr,
        new RegExp(`is unmounted, but process ${holder.pid} \\(\\w+\\) still has it, in another mount`),
      )
      yield* holder.kill("SIGKILL")
    }),
  )

  it.live("a mount whose folder was renamed is unmounted by SIGTERM, and by its new name", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const above = path.dirname(mountPoint)
      for (const byName of [false, true]) {
        fs.mkdirSync(`${above}/x/mnt`, { recursive: true })
        const { server, serverEnded } = yield* Command.mountInBackground(hello, `${above}/x/mnt`)
        fs.renameSync(`${above}/x`, `${above}/y`)
        if (byName) assert.strictEqual((yield* Command.run(["unmount", `${above}/y/mnt`])).code, 0)
        else yield* Processes.signal(server, "SIGTERM")
        yield* serverEnded
        assert.deepStrictEqual(yield* Processes.mountsBelow(above), [])
        fs.rmSync(`${above}/y`, { recursive: true })
      }
    }),
  )
})

describe("where nobody has mounted /proc", () => {
  beforeEach(need({ mount: true, root: true, tools: ["unshare"] }))

  it.live("mount says that it is missing, and what to do", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const script = 'umount -l /proc && exec "$@"'
      const wrapper = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh"]
      for (const words of [["mount", hello, mountPoint], ["status"], ["unmount", mountPoint]]) {
        const { code, stderr } = yield* Command.run(words, { wrapper })
        assert.strictEqual(code, ExitCode.MOUNT_FAILED, words[0])
        assert.include(stderr, "/proc is not mounted here", words[0])
        assert.include(stderr, "mount -t proc proc /proc", words[0])
      }
    }),
  )
})
