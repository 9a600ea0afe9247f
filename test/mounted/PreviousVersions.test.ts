/**
 * A mount with `--layout previous-versions` behind a real Samba: clients see every backup of a file as a previous version of
 * it, and read each.
 */
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as BackupMaker from "../support/BackupMaker.ts"
import * as Command from "../support/Command.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

const TIMES = ["2024-01-01T03:00:00Z", "2024-02-03T04:05:06Z", "2024-03-01T03:00:00Z"]

/** What Samba calls a time. */
const gmt = (time: string): string =>
  `@GMT-${time.slice(0, 19).replaceAll("-", ".").replace("T", "-").replaceAll(":", ".")}`

/** What the letter says at a time. */
const letter = (time: string): string => `As of ${time}: ${"all is well. ".repeat(Number(time.slice(5, 7)) * 1000)}\n`

/** A datastore with a backup of a changing folder at each time; the folder was made after the first. */
const datastore = Effect.gen(function* () {
  const folder = yield* Processes.temporaryFolder
  const root = path.join(folder, "store")
  const put = BackupMaker.intoFolder(root)
  for (const [number, time] of TIMES.entries()) {
    const source = path.join(folder, `source${number}`)
    fs.mkdirSync(path.join(source, "srv/share/docs"), { recursive: true })
    fs.writeFileSync(path.join(source, "srv/share/docs/letter.txt"), letter(time))
    if (number > 0) fs.mkdirSync(path.join(source, "srv/late"))
    if (number > 0) fs.writeFileSync(path.join(source, "srv/late/note.txt"), time)
    const archive = path.join(folder, `${number}.pxar`)
    const { code, stderr } = yield* Command.run(["create", archive, source])
    assert.strictEqual(code, 0, stderr)
    const files = { "root.pxar.didx": fs.readFileSync(archive) }
    yield* BackupMaker.make(put, { id: { namespace: [], type: "host", id: "files", time }, files, chunkSize: 8192 })
  }
  // One that is not finished is no version.
  fs.mkdirSync(path.join(root, "host/files/2024-04-01T00:00:00Z"))
  return root
})

const mount = Effect.fnUntraced(function* (address: string) {
  const mountPoint = yield* Processes.mountPoint()
  yield* Command.mount(address, mountPoint, ["--layout", "previous-versions"])
  return mountPoint
})

/** A port that nobody listens on. */
const freePort = Effect.callback<number>((resume) => {
  const server = net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as net.AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** Samba on 127.0.0.1, with its files in a folder of its own; gives a client's output. */
const samba = Effect.fnUntraced(function* (live: string, versions: string) {
  const folder = yield* Processes.temporaryFolder
  const port = yield* freePort
  const own = ["private dir", "lock directory", "state directory", "cache directory", "pid directory", "ncalrpc dir"]
  const configuration = path.join(folder, "smb.conf")
  for (const name of own) fs.mkdirSync(path.join(folder, name.replaceAll(" ", "-")))
  fs.writeFileSync(
    configuration,
    [
      "[global]",
      "server role = standalone server",
      "interfaces = 127.0.0.1/8",
      "bind interfaces only = yes",
      `smb ports = ${port}`,
      "disable netbios = yes",
      "load printers = no",
      "map to guest = Bad User",
      `log file = ${folder}/log`,
      ...own.map((name) => `${name} = ${folder}/${name.replaceAll(" ", "-")}`),
      "[share]",
      `path = ${live}`,
      "guest ok = yes",
      "force user = root",
      "read only = yes",
      "vfs objects = shadow_copy2",
      `shadow:snapdir = ${versions}`,
      `shadow:basedir = ${live}`,
      "shadow:sort = desc",
      "",
    ].join("\n"),
  )
  const program = yield* Processes.start("smbd", ["-F", "--no-process-group", "-s", configuration])
  const answers = Effect.callback<boolean>((resume) => {
    const socket = net.connect(port, "127.0.0.1")
    socket.on("error", () => resume(Effect.succeed(false)))
    socket.on("connect", () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
  })
  yield* Processes.eventually(`smbd to answer: ${program.stderr()}`, answers, (isThere) => isThere)
  return (command: string) =>
    Effect.map(
      Processes.run("smbclient", [
        "//127.0.0.1/share",
        "-s",
        configuration,
        "-p",
        String(port),
        "-N",
        "-U",
        "nobody",
        "-c",
        command,
      ]),
      ({ code, stderr, stdout }) => {
        assert.strictEqual(code, 0, `${command}: ${stdout} ${stderr}`)
        return stdout.toString()
      },
    )
})

describe("mount --layout previous-versions", () => {
  beforeEach(need({ mount: true }))

  it.live("shows the finished backups of a folder of an archive by their times", () =>
    Effect.gen(function* () {
      const root = yield* datastore
      const versions = yield* mount(`${root}::host/files/latest/root.pxar/srv/share`)
      assert.deepStrictEqual(fs.readdirSync(versions), [".zfs", ...TIMES.map(gmt)])
      for (const time of TIMES) {
        const at = path.join(versions, gmt(time), "docs/letter.txt")
        assert.strictEqual(fs.readFileSync(at, "utf8"), letter(time))
        assert.strictEqual(
          fs.readFileSync(path.join(versions, ".zfs/snapshot", gmt(time), "docs/letter.txt"), "utf8"),
          letter(time),
        )
      }
    }),
  )

  it.live("shows a backup that lacks the folder as an empty one", () =>
    Effect.gen(function* () {
      const root = yield* datastore
      const versions = yield* mount(`${root}::host/files/latest/root.pxar/srv/late`)
      assert.deepStrictEqual(
        TIMES.map((time) => fs.readdirSync(path.join(versions, gmt(time)))),
        [[], ["note.txt"], ["note.txt"]],
      )
    }),
  )

  it.live("shows whole archives of a group", () =>
    Effect.gen(function* () {
      const root = yield* datastore
      const versions = yield* mount(`${root}::host/files`)
      for (const time of TIMES) assert.include(fs.readdirSync(path.join(versions, gmt(time))), "srv")
    }),
  )

  it.live("refuses what is no group", () =>
    Effect.gen(function* () {
      const root = yield* datastore
      const mountPoint = yield* Processes.mountPoint()
      const layout = ["--layout", "previous-versions"]
      const { code, stderr } = yield* Command.run(["mount", "--foreground", root, mountPoint, ...layout])
      assert.strictEqual(code, 8)
      assert.include(stderr, "::host/files".slice(0, 6))
    }),
  )
})

describe("Previous Versions in Samba", () => {
  beforeEach(need({ mount: true, root: true, shadowCopy: true, tools: ["smbd", "smbclient"] }))

  it.live(
    "lists every version of a file, and gives each",
    () =>
      Effect.gen(function* () {
        const root = yield* datastore
        const versions = yield* mount(`${root}::host/files/latest/root.pxar/srv/share`)
        const folder = yield* Processes.temporaryFolder
        const live = path.join(folder, "live")
        fs.mkdirSync(path.join(live, "docs"), { recursive: true, mode: 0o755 })
        fs.writeFileSync(path.join(live, "docs/letter.txt"), "of today")
        const client = yield* samba(live, versions)
        const info = yield* client("allinfo docs/letter.txt")
        const listed = [...info.matchAll(/^@GMT-\S+/gm)].map(([name]) => name)
        assert.deepStrictEqual(listed, TIMES.map(gmt).toReversed(), info)
        for (const time of TIMES) {
          const target = path.join(folder, "got")
          yield* client(`get ${gmt(time)}\\docs\\letter.txt ${target}`)
          assert.strictEqual(fs.readFileSync(target, "utf8"), letter(time))
        }
        const target = path.join(folder, "got")
        yield* client(`get docs\\letter.txt ${target}`)
        assert.strictEqual(fs.readFileSync(target, "utf8"), "of today")
      }),
    60_000,
  )
})
