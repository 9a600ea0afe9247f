/** `pxar-fuse mount --transport`, as a person uses it. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Command from "../../support/Command.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import { need, NOBODY } from "../../support/Requirements.ts"

const { archive } = Golden.helloV1
const hello = (mountPoint: string): string => fs.readFileSync(path.join(mountPoint, "hello"), "utf8")

describe("--transport", () => {
  beforeEach(need({ mount: true, root: true, fuseNative: true, tools: ["umount"] }))

  it.live("fuse-native serves until SIGINT, also while a file is open, and leaves nothing", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* Command.mount(archive, mountPoint, ["--transport", "fuse-native", "--verbose"])
      assert.strictEqual(hello(mountPoint), "hi\n")
      const descriptor = fs.openSync(path.join(mountPoint, "hello"), "r")
      yield* program.kill("SIGINT")
      const { code, stderr } = yield* program.ended
      // It tells the server, which is gone.
      yield* Effect.ignore(Effect.try({ try: () => fs.closeSync(descriptor), catch: String }))
      assert.strictEqual(code, 0)
      assert.match(stderr, /is in use.*: detached/)
      assert.match(stderr, /requests: .*GETATTR \d+.*INIT 1/)
      assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
    }),
  )

  it.live("fuse-native works in the background, as a word of -o, and logs requests with --debug", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const log = path.join(yield* Processes.temporaryFolder, "log")
      const args = ["-o", "bridge=fuse-native", "--debug", "--log-file", log]
      const { serverEnded } = yield* Command.mountInBackground(archive, mountPoint, args)
      assert.strictEqual(hello(mountPoint), "hi\n")
      assert.strictEqual((yield* Processes.run("umount", [mountPoint])).code, 0)
      yield* serverEnded
      assert.match(fs.readFileSync(log, "utf8"), /READ \/hello 4096 at 0: ok, 3 bytes/)
    }),
  )

  it.live("auto takes the kernel where it can, and says so", () =>
    Effect.gen(function* () {
      const mountPoint = yield* Processes.mountPoint()
      const program = yield* Command.mount(archive, mountPoint, ["--transport", "auto"])
      yield* Processes.eventually("the message", Effect.sync(program.stderr), (text) => text.includes("\n"))
      assert.strictEqual(program.stderr(), `pxar-fuse: ${mountPoint} is served by the transport kernel\n`)
    }),
  )

  it.live("auto takes fuse-native where the kernel transport cannot mount, and says so", () =>
    Effect.gen(function* () {
      fs.chmodSync("/dev/fuse", 0o666)
      // The helper of libfuse 2 is there, that of libfuse 3 is not.
      const tools = yield* Processes.temporaryFolder
      fs.symlinkSync("/usr/bin/fusermount3", path.join(tools, "fusermount"))
      const mountPoint = yield* Processes.mountPoint("mnt", NOBODY)
      const program = yield* Command.start(["mount", "--foreground", "--transport", "auto", archive, mountPoint], {
        uid: NOBODY,
        gid: NOBODY,
        cwd: "/",
        env: { ...process.env, PATH: tools },
      })
      yield* Processes.eventually("the message", Effect.sync(program.stderr), (text) => text.includes("\n"))
      assert.strictEqual(program.stderr(), `pxar-fuse: ${mountPoint} is served by the transport fuse-native\n`)
      yield* program.kill("SIGTERM")
      assert.strictEqual((yield* program.ended).code, 0)
      assert.deepStrictEqual(yield* Processes.mountsBelow(mountPoint), [])
    }),
  )
})

describe("without fuse-native", () => {
  beforeEach(need({ mount: true, root: true }))

  /** The program with its other native package alone, as npm installs it. */
  const bare = Effect.gen(function* () {
    const folder = yield* Processes.temporaryFolder
    const root = path.join(import.meta.dirname, "../../..")
    fs.cpSync(path.join(root, "dist/cli"), path.join(folder, "dist/cli"), { recursive: true })
    fs.writeFileSync(path.join(folder, "package.json"), fs.readFileSync(path.join(root, "package.json")))
    fs.mkdirSync(path.join(folder, "node_modules"))
    fs.symlinkSync(path.join(root, "node_modules/@koromix"), path.join(folder, "node_modules/@koromix"))
    return path.join(folder, "dist/cli/main.js")
  })

  it.live("it mounts through the kernel transport, and says what to install for the other", () =>
    Effect.gen(function* () {
      const main = yield* bare
      const mountPoint = yield* Processes.mountPoint()
      const run = (...args: ReadonlyArray<string>) =>
        Processes.run(process.execPath, [main, "mount", "--foreground", archive, mountPoint, ...args])
      const refused = yield* run("--transport", "fuse-native")
      assert.strictEqual(refused.code, 18)
      assert.match(refused.stderr, /not installed: apt-get install libfuse2, then npm install fuse-native@/)
      const program = yield* Processes.start(process.execPath, [main, "mount", "--foreground", archive, mountPoint])
      yield* Processes.eventually("the mount", Processes.mountsBelow(mountPoint), (mounts) => mounts.length === 1)
      assert.strictEqual(hello(mountPoint), "hi\n")
      yield* program.kill("SIGTERM")
      assert.strictEqual((yield* program.ended).code, 0)
    }),
  )

  it.live("without libfuse 2 it says which Debian package has it", (context) =>
    Effect.gen(function* () {
      need({ fuseNative: true, tools: ["unshare"] })(context)
      const [, library] = /libfuse\.so\.2 .*=> (\S+)/.exec(
        (yield* Processes.run("/sbin/ldconfig", ["-p"])).stdout.toString(),
      )!
      const mountPoint = yield* Processes.mountPoint()
      const hide = 'mount --bind /dev/null "$0" && exec "$@"'
      const { code, stderr } = yield* Command.run(
        ["mount", "--foreground", "--bridge", "fuse-native", archive, mountPoint],
        { wrapper: ["unshare", "--mount", "--propagation", "private", "sh", "-c", hide, library!] },
      )
      assert.strictEqual(code, 18)
      assert.match(stderr, /no libfuse 2: apt-get install libfuse2/)
    }),
  )
})
