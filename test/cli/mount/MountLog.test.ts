/**
 * What `pxar-fuse mount` logs, in which form, and where it goes once nobody looks any more.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as Command from "../../support/Command.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"

const { archive: hello } = Golden.helloV1

/** An archive whose contents are missing: reading is warned of. */
const lonely = Effect.fnUntraced(function* () {
  const file = path.join(yield* Processes.temporaryFolder, "lonely.mpxar")
  fs.copyFileSync(Golden.helloV2.archive, file)
  return file
})

const readContent = (mountPoint: string): void => {
  assert.throws(() => fs.readFileSync(path.join(mountPoint, "hello")), /EIO/)
}

const WARNING =
  /\/hello: .*the payload archive \S+lonely\.ppxar, which is missing: put it there, or name it \(--payload\) \(check P5 at byte 0\)/

/** What is said of it when it is mounted. */
const MISSING =
  /the payload archive \S+lonely\.ppxar is missing: files cannot be read, everything else can \(--payload FILE names it\)/

const JsonLine = Schema.decodeUnknownSync(
  Schema.fromJsonString(
    Schema.Struct({
      time: Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)),
      level: Schema.Literals(["fatal", "error", "warning", "info", "debug"]),
      message: Schema.String,
      operation: Schema.optionalKey(Schema.String),
      path: Schema.optionalKey(Schema.String),
      attribute: Schema.optionalKey(Schema.String),
      offset: Schema.optionalKey(Schema.Int),
      size: Schema.optionalKey(Schema.Int),
      result: Schema.optionalKey(Schema.String),
      bytes: Schema.optionalKey(Schema.Int),
      delivery: Schema.optionalKey(Schema.Literals(["delivered", "abandoned", "refused"])),
      micros: Schema.optionalKey(Schema.Int),
    }),
  ),
  { onExcessProperty: "error" },
)

const linesOf = (text: string): ReadonlyArray<string> => text.trimEnd().split("\n")

describe("the log of a mount in the background", () => {
  beforeEach(need({ mount: true }))

  it.live("is appended to --log-file, with time and process; what was before is on the terminal", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const archive = yield* lonely()
      const logFile = path.join(path.dirname(mountPoint), "log")
      fs.writeFileSync(logFile, "before\n")
      const args = ["--verbose", "--log-file", "log"]
      const cwd = path.dirname(mountPoint)
      const { server, stderr } = yield* Command.mountInBackground(archive, mountPoint, args, { cwd })
      const mounted = `pxar-fuse: ${archive} mounted on ${mountPoint}`
      assert.match(stderr, new RegExp(`^pxar-fuse: warning: ${MISSING.source}\n${mounted}\n$`))
      readContent(mountPoint)
      yield* Command.run(["unmount", mountPoint])
      const [first, warning, summary, ...rest] = linesOf(fs.readFileSync(logFile, "utf8"))
      assert.strictEqual(first, "before")
      assert.match(warning!, new RegExp(`^\\S+T\\S+Z pxar-fuse\\[${server}\\]: warning: ${WARNING.source}$`))
      assert.match(summary!, /: \d+ replies, .*; requests: .*READ \d/)
      assert.deepStrictEqual(rest, [])
    }),
  )

  it.live("goes on in a new file after SIGHUP, for those who rotate logs", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const logFile = path.join(path.dirname(mountPoint), "log")
      const args = ["--debug", "--log-file", logFile]
      const { server } = yield* Command.mountInBackground(hello, mountPoint, args)
      fs.renameSync(logFile, `${logFile}.1`)
      process.kill(server, "SIGHUP")
      yield* Processes.eventually(
        "the new file",
        Effect.sync(() => fs.existsSync(logFile)),
        (there) => there,
      )
      assert.strictEqual(fs.readFileSync(path.join(mountPoint, "hello"), "utf8"), "hi\n")
      const text = Effect.sync(() => fs.readFileSync(logFile, "utf8"))
      yield* Processes.eventually("the request in it", text, (text) => text.includes("READ /hello"))
      assert.notInclude(fs.readFileSync(`${logFile}.1`, "utf8"), "READ")
    }),
  )

  it.live("is where stderr goes, for what Node prints when it crashes", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const logFile = path.join(path.dirname(mountPoint), "log")
      const { server } = yield* Command.mountInBackground(hello, mountPoint, ["--log-file", logFile])
      assert.strictEqual(fs.readlinkSync(`/proc/${server}/fd/2`), logFile)
    }),
  )

  it.live("that cannot be written to ends the start", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const { code, stderr } = yield* Command.run(["mount", hello, mountPoint, "--log-file", "/nonexistent/log"])
      assert.strictEqual(code, ExitCode.TARGET)
      assert.match(stderr, /^pxar-fuse: cannot write to the log file: ENOENT.*\/nonexistent\/log.*\n$/)
      assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
    }),
  )
})

describe("syslog", () => {
  beforeEach(need({ mount: true, root: true, tools: ["python3", "unshare"] }))

  /** A `/dev` of the program's own, with `/dev/log` where a test listens, or without. */
  const withDev = (log: string | undefined): ReadonlyArray<string> => {
    const devices = "mknod -m 666 /dev/null c 1 3 && mknod /dev/fuse c 10 229"
    const link = log === undefined ? "" : `&& ln -s ${log} /dev/log `
    return ["unshare", "-m", "sh", "-c", `mount -t tmpfs tmpfs /dev && ${devices} ${link}&& exec "$0" "$@"`]
  }

  it.live("has the messages of a mount in the background that has no file", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const socket = path.join(path.dirname(mountPoint), "socket")
      const script = `
import socket, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind(sys.argv[1])
print("bound", flush=True)
print(log.recv(4096).decode(), flush=True)`
      const daemon = yield* Processes.start("python3", ["-c", script, socket])
      const output = Effect.sync(() => daemon.stdout().toString())
      yield* Processes.eventually("the log daemon", output, (text) => text.includes("bound\n"))
      const wrapper = withDev(socket)
      const { server, stderr } = yield* Command.mountInBackground(yield* lonely(), mountPoint, [], { wrapper })
      assert.match(stderr, new RegExp(`^pxar-fuse: warning: ${MISSING.source}\n$`))
      // The mount is in a namespace of its own.
      readContent(`/proc/${server}/root${mountPoint}`)
      const { stdout } = yield* daemon.ended
      const warning = linesOf(stdout.toString())[1]!
      const months = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
      const stamp = `${months} [ 1-3]\\d \\d\\d:\\d\\d:\\d\\d`
      // Facility daemon (3), severity warning (4).
      assert.match(warning, new RegExp(`^<28>${stamp} pxar-fuse\\[${server}\\]: warning: ${WARNING.source}$`))
    }),
  )

  it.live("that is not there is said, once and not with --quiet", () =>
    Effect.gen(function* () {
      const wrapper = withDev(undefined)
      const loud = yield* Command.mountInBackground(hello, yield* Processes.mountPoint(), [], { wrapper })
      assert.strictEqual(loud.stderr, "pxar-fuse: no /dev/log here: messages are lost; --log-file FILE keeps them\n")
      const quiet = yield* Command.mountInBackground(hello, yield* Processes.mountPoint(), ["--quiet"], { wrapper })
      assert.strictEqual(quiet.stderr, "")
    }),
  )
})

describe("the log of a mount in the foreground", () => {
  beforeEach(need({ mount: true, tools: ["umount"] }))

  /** What is on stderr after a file without content was read. */
  const log = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
    const mountPoint = yield* Processes.mountPoint()
    const program = yield* Command.mount(yield* lonely(), mountPoint, args)
    readContent(mountPoint)
    yield* program.kill("SIGINT")
    return (yield* program.ended).stderr
  })

  it.live("has errors only with --quiet", () => Effect.map(log("--quiet"), (text) => assert.strictEqual(text, "")))

  it.live("has a line for each request with --debug", () =>
    Effect.gen(function* () {
      const lines = linesOf(yield* log("--debug"))
      const request = (pattern: string) =>
        assert.isTrue(
          lines.some((line) => new RegExp(`^pxar-fuse: ${pattern}$`).test(line)),
          `${pattern} in\n${lines.join("\n")}`,
        )
      request("INIT: ok, 64 bytes, \\d+ µs")
      request("LOOKUP /hello: ok, 128 bytes, \\d+ µs")
      request("READ /hello \\d+ at 0: EIO, \\d+ µs")
    }),
  )

  it.live("is one JSON object a line with --log-format json", () =>
    Effect.gen(function* () {
      const lines = linesOf(yield* log("--debug", "--log-format", "json")).map((line) => JsonLine(line))
      const read = lines.find(({ operation }) => operation === "READ")!
      assert.deepInclude(read, { level: "debug", path: "/hello", offset: 0, result: "EIO", bytes: 0 })
      assert.deepInclude(read, { delivery: "delivered" })
      assert.isAtLeast(read.micros!, 0)
      const warnings = lines.filter(({ level }) => level === "warning").map(({ message }) => message)
      assert.match(warnings[0]!, MISSING)
      assert.match(warnings[1]!, WARNING)
      assert.match(lines.at(-1)!.message, /requests: /)
    }),
  )

  it.live("is JSON also when the mount is refused", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* Command.run(["mount", hello, "/nonexistent/mnt", "--log-format", "json"])
      assert.strictEqual(code, ExitCode.MOUNT_POINT_MISSING)
      const [line, ...rest] = linesOf(stderr)
      assert.deepInclude(JsonLine(line), { level: "fatal" })
      assert.match(JsonLine(line).message, /^cannot mount on \/nonexistent\/mnt: /)
      assert.deepStrictEqual(rest, [])
    }),
  )
})

describe("colours", () => {
  beforeEach(need({ tools: ["script"] }))

  const ESCAPE = "\u001b["

  const onTerminal = (env: NodeJS.ProcessEnv) => {
    const words = Command.commandLine(["mount", "--help"]).map((word) => `'${word}'`)
    const { NO_COLOR: _, ...rest } = process.env
    return Effect.map(
      Processes.run("script", ["-qfec", words.join(" "), "/dev/null"], { env: { ...rest, TERM: "xterm", ...env } }),
      ({ stdout }) => stdout.toString(),
    )
  }

  it.live("are on a terminal, unless NO_COLOR is set, and nowhere else", () =>
    Effect.gen(function* () {
      assert.include(yield* onTerminal({}), ESCAPE)
      assert.notInclude(yield* onTerminal({ NO_COLOR: "1" }), ESCAPE)
      const { stdout } = yield* Command.run(["mount", "--help"])
      assert.notInclude(stdout.toString(), ESCAPE)
    }),
  )
})
