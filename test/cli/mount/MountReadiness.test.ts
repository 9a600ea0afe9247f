/**
 * How others learn that `pxar-fuse mount` is ready, and which process it is: pid file, descriptor, systemd's socket.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as MountTable from "../../../src/fuse/mount/MountTable.ts"
import * as Command from "../../support/Command.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"

const { archive: hello } = Golden.helloV1

describe("--pid-file", () => {
  beforeEach(need({ mount: true }))

  it.live("holds the id of the process that serves, while it does", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const folder = path.dirname(mountPoint)
      yield* Command.run(["mount", hello, mountPoint, "--pid-file", "server.pid"], { cwd: folder })
      const text = fs.readFileSync(path.join(folder, "server.pid"), "utf8")
      assert.match(text, /^\d+\n$/)
      assert.include(fs.readFileSync(`/proc/${text.trim()}/cmdline`, "utf8"), mountPoint)
      yield* Command.run(["unmount", mountPoint])
      assert.deepStrictEqual(fs.readdirSync(folder), ["mnt"])
    }),
  )

  it.live("is left alone at the end if it holds another id by then", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const file = path.join(path.dirname(mountPoint), "server.pid")
      yield* Command.run(["mount", hello, mountPoint, "--pid-file", file])
      fs.writeFileSync(file, "1\n")
      yield* Command.run(["unmount", mountPoint])
      assert.strictEqual(fs.readFileSync(file, "utf8"), "1\n")
    }),
  )

  it.live("that cannot be written ends the start, with nothing mounted", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { code, stderr } = yield* Command.run(["mount", hello, mountPoint, "--pid-file", "/nonexistent/pid"])
      assert.strictEqual(code, ExitCode.TARGET)
      assert.match(stderr, /^pxar-fuse: cannot write the process id: ENOENT.*\/nonexistent\/pid.*\n$/)
      assert.isUndefined(yield* MountTable.find(mountPoint))
    }),
  )
})

describe("--notify-fd", () => {
  beforeEach(need({ mount: true }))

  for (const flag of ["--foreground", "--quiet"]) {
    it.live(`gets a newline when the mount answers, and is closed (${flag})`, () =>
      Effect.gen(function* () {
        const mountPoint = yield* Processes.mountPoint()
        // cat ends when nobody has the pipe's other end any more.
        const script = `{ "$@" 5>&1 >/dev/null 2>&1 & } | { cat; cat ${mountPoint}/hello; }`
        const args = ["mount", flag, hello, mountPoint, "--notify-fd", "5"]
        const { stdout } = yield* Command.run(args, { wrapper: ["sh", "-c", script, "sh"] })
        assert.strictEqual(stdout.toString(), "\nhi\n")
        assert.strictEqual((yield* Command.run(["unmount", mountPoint])).code, 0)
      }),
    )
  }

  for (const flag of ["--foreground", "--quiet"]) {
    it.live(`that is not open ends the start, with nothing mounted (${flag})`, () =>
      Effect.gen(function* () {
        const mountPoint = yield* Processes.mountPoint()
        const { code, stderr } = yield* Command.run(["mount", flag, hello, mountPoint, "--notify-fd", "999999999"])
        assert.strictEqual(code, ExitCode.USAGE)
        assert.match(stderr, /^pxar-fuse: cannot tell that the mount is ready: descriptor 999999999: EBADF.*\n$/)
        assert.isUndefined(yield* MountTable.find(mountPoint))
      }),
    )
  }
})

/** A service manager's socket: prints a line for each datagram. */
const receiver = Effect.fnUntraced(function* (address: string) {
  const script = `
import socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1].replace("@", "\\0"))
print("bound", flush=True)
while True:
    print(repr(manager.recv(4096).decode()), flush=True)`
  const program = yield* Processes.start("python3", ["-c", script, address])
  const lines = Effect.sync(() => program.stdout().toString().split("\n").slice(0, -1))
  const line = (index: number) =>
    Effect.map(
      Processes.eventually(`message ${index} of ${address}`, lines, (lines) => lines.length > index),
      (lines) => lines[index]!,
    )
  yield* line(0)
  return line
})

describe("systemd's notification", () => {
  beforeEach(need({ mount: true, tools: ["python3"] }))

  for (const kind of ["path", "abstract"] as const) {
    it.live(`comes when the mount answers and when it ends (socket by ${kind})`, () =>
      Effect.gen(function* () {
        const mountPoint = yield* Processes.mountPoint()
        const socket = path.join(path.dirname(mountPoint), "notify")
        const address = kind === "path" ? socket : `@${socket}`
        const message = yield* receiver(address)
        const env = { ...process.env, NOTIFY_SOCKET: address }
        const { server, serverEnded } = yield* Command.mountInBackground(hello, mountPoint, [], { env })
        assert.strictEqual(yield* message(1), `'READY=1\\nSTATUS=mounted on ${mountPoint}\\nMAINPID=${server}'`)
        assert.strictEqual(fs.readFileSync(path.join(mountPoint, "hello"), "utf8"), "hi\n")
        process.kill(server, "SIGTERM")
        assert.strictEqual(yield* message(2), "'STOPPING=1'")
        yield* serverEnded
      }),
    )
  }

  it.live("that nobody takes is a warning, not the end", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const env = { ...process.env, NOTIFY_SOCKET: "/nonexistent/notify" }
      const program = yield* Command.mount(hello, mountPoint, [], { env })
      yield* program.kill("SIGINT")
      const { code, stderr } = yield* program.ended
      assert.strictEqual(code, 0)
      assert.include(stderr, "pxar-fuse: warning: cannot notify /nonexistent/notify (NOTIFY_SOCKET): ENOENT\n")
    }),
  )
})
