/**
 * A mount that fills the kernel's page cache ahead, under readers in parallel, dropped caches, archives that become shorter and
 * every way to end: nothing that is read may be wrong, and no task may hang.
 *
 * Every round has a fresh mount. All processes are in sessions of their own, which are watched: a task that cannot be killed
 * and makes no step for `STUCK` hangs.
 */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

/** Milliseconds without a step in an uninterruptible sleep. */
const STUCK = 5000
/** Milliseconds after which a killed process has ended. */
const END = 10_000
const SAMPLE = 250

export interface Options {
  /** The command, with its first arguments. */
  readonly program: ReadonlyArray<string>
  /** A folder of one's own, for the archive and the mount point. */
  readonly directory: string
  readonly files: number
  readonly seconds: number
  readonly seed: number
  /** Whether all caches of the machine are dropped now and then, which only root can do. */
  readonly dropsAll: boolean
  readonly say: (line: string) => void
}

export interface Report {
  readonly rounds: number
  readonly endings: Readonly<Record<string, number>>
  /** READs of the first round, in which one process alone reads all files in order, and of the same without prefetch. */
  readonly reads: { readonly prefetched: number; readonly plain: number }
  /** What went wrong; nothing, if all is well. */
  readonly problems: ReadonlyArray<string>
}

type Random = (below: number) => number

const makeRandom = (seed: number): Random => {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Makes the tree: folders of 40 files, of 1 byte to 80 kB, the bytes of each made from its number. */
const makeTree = (folder: string, files: number): ReadonlyArray<string> => {
  const names: Array<string> = []
  const random = makeRandom(7)
  for (let file = 0; file < files; file++) {
    const inside = `${String(Math.floor(file / 200)).padStart(3, "0")}/${String(Math.floor(file / 40) % 5)}`
    if (file % 40 === 0) fs.mkdirSync(path.join(folder, inside), { recursive: true })
    const name = `${inside}/file-${String(file).padStart(6, "0")}`
    fs.writeFileSync(path.join(folder, name), Buffer.alloc(1 + random(2 ** (4 + random(13))), `${file} `))
    names.push(name)
  }
  return names
}

const readers: ReadonlyArray<(source: string, list: string) => string> = [
  (source) => `diff -r ${source} . 2>/dev/null | grep -a differ >&2`,
  () => "tar cf - . 2>/dev/null | wc -c >/dev/null",
  (_, list) => `xargs -P2 -n50 cat <${list} >/dev/null 2>&1`,
  (_, list) => `shuf ${list} | xargs -n20 cat >/dev/null 2>&1`,
  (_, list) => `head -300 ${list} | while read f; do dd if=$f of=/dev/null bs=64K iflag=direct 2>/dev/null; done`,
  () => "grep -r no-such-text . >/dev/null 2>&1",
]

/** Takes pages of the mount from the cache. */
const dropper = (list: string): string =>
  `shuf -n 300 ${list} | while read f; do dd if=$f of=/dev/null iflag=nocache count=0 2>/dev/null; done`

/** Milliseconds between two drops of all caches of the machine, which everybody on it feels. */
const DROP = 20_000

const endings = ["finish", "umount", "lazy", "terminate", "kill", "truncate", "stop"] as const
type Ending = (typeof endings)[number]

/** A process in a session of its own, which its children share. */
class Session {
  readonly child: childProcess.ChildProcess
  readonly output: Array<string> = []
  ended = false
  constructor(command: ReadonlyArray<string>, cwd: string) {
    const [file = "", ...args] = command
    this.child = childProcess.spawn(file, args, { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => this.output.push(text))
    }
    this.child.once("exit", () => (this.ended = true))
    this.child.once("error", (error) => {
      this.output.push(error.message)
      this.ended = true
    })
  }
  get id(): number {
    return this.child.pid ?? -1
  }
  signal(name: NodeJS.Signals): void {
    try {
      process.kill(-this.id, name)
    } catch {
      // It has ended.
    }
  }
}

interface Task {
  readonly id: string
  readonly state: string
  readonly session: number
}

const readText = (file: string): string => {
  try {
    return fs.readFileSync(file, "latin1")
  } catch {
    return ""
  }
}

const listOf = (folder: string): ReadonlyArray<string> => {
  try {
    return fs.readdirSync(folder)
  } catch {
    return []
  }
}

/** The tasks of sessions, but for those that have ended and wait for their parent. */
const tasksOf = (sessions: ReadonlySet<number>): ReadonlyArray<Task> =>
  listOf("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const fields = readText(`/proc/${pid}/stat`)
        .replace(/^.*\) /s, "")
        .split(" ")
      const session = Number(fields[3])
      if (!sessions.has(session)) return []
      return listOf(`/proc/${pid}/task`).map((task) => {
        const [state = ""] = readText(`/proc/${pid}/task/${task}/stat`)
          .replace(/^.*\) /s, "")
          .split(" ")
        return { id: `${pid}/task/${task}`, state, session }
      })
    })
    .filter(({ state }) => state !== "" && state !== "Z" && state !== "X")

/** Looks for tasks that hang, until it is stopped. */
class Watch {
  readonly sessions = new Set<number>()
  readonly stuck = new Map<string, string>()
  private readonly since = new Map<string, { readonly switches: string; readonly time: number }>()
  private readonly timer = setInterval(() => this.look(), SAMPLE)

  private look(): void {
    const asleep = new Set<string>()
    for (const { id, state } of tasksOf(this.sessions)) {
      if (state !== "D") continue
      asleep.add(id)
      const switches = /voluntary_ctxt_switches:\s*(\d+)/.exec(readText(`/proc/${id}/status`))?.[1] ?? ""
      const before = this.since.get(id)
      if (before?.switches !== switches) this.since.set(id, { switches, time: Date.now() })
      else if (Date.now() - before.time > STUCK) {
        this.stuck.set(
          id,
          `${readText(`/proc/${id}/comm`).trim()}: ${readText(`/proc/${id}/stack`).replaceAll("\n", " ")}`,
        )
      }
    }
    for (const id of this.since.keys()) if (!asleep.has(id)) this.since.delete(id)
  }

  stop(): void {
    clearInterval(this.timer)
  }
}

const run = (command: string, ...args: ReadonlyArray<string>): Promise<boolean> =>
  new Promise((resolve) => {
    childProcess.execFile(command, args, (error) => resolve(error === null))
  })

const isMounted = (mountPoint: string): boolean => readText("/proc/self/mountinfo").includes(` ${mountPoint} `)

const until = async (condition: () => boolean, milliseconds: number): Promise<boolean> => {
  for (const end = Date.now() + milliseconds; Date.now() < end; await sleep(20)) if (condition()) return true
  return condition()
}

interface Place {
  readonly source: string
  readonly list: string
  readonly archives: ReadonlyArray<string>
  readonly mountPoint: string
}

const prepare = async ({ directory, files, program }: Options): Promise<Place> => {
  const source = path.join(directory, "source")
  const mountPoint = path.join(directory, "mnt")
  const list = path.join(directory, "list")
  const archives = ["tree.pxar", "tree.mpxar"].map((name) => path.join(directory, name))
  for (const folder of [source, mountPoint]) fs.mkdirSync(folder)
  fs.writeFileSync(list, `${makeTree(source, files).join("\n")}\n`)
  const [file = "", ...args] = program
  for (const archive of archives) {
    if (!(await run(file, ...args, "create", archive, source))) throw new Error(`cannot make ${archive}`)
  }
  return { source, list, archives, mountPoint }
}

const mount = async ({ program }: Options, archive: string, mountPoint: string, flags: ReadonlyArray<string>) => {
  const server = new Session([...program, "mount", "--foreground", "--verbose", ...flags, archive, mountPoint], "/")
  await until(() => isMounted(mountPoint) || server.ended, 20_000)
  if (!isMounted(mountPoint)) throw new Error(`cannot mount: ${server.output.join("")}`)
  return server
}

/** READs of one process that reads all in order. */
const countReads = async (options: Options, { archives, mountPoint }: Place, flags: ReadonlyArray<string>) => {
  const server = await mount(options, archives[0] ?? "", mountPoint, flags)
  const reader = new Session(["sh", "-c", "tar cf - . | wc -c"], mountPoint)
  await until(() => reader.ended, 60_000)
  server.signal("SIGTERM")
  await until(() => server.ended, END)
  return Number(/READ (\d+)/.exec(server.output.join(""))?.[1] ?? Number.NaN)
}

const end = async (ending: Ending, server: Session, archive: string, mountPoint: string): Promise<void> => {
  switch (ending) {
    case "finish":
      return
    case "umount":
      await run("umount", mountPoint)
      return
    case "lazy":
      await run("umount", "-l", mountPoint)
      return
    case "terminate":
      return server.signal("SIGTERM")
    case "kill":
      return server.signal("SIGKILL")
    case "truncate":
      fs.truncateSync(archive, Math.floor(fs.statSync(archive).size / 2))
      await sleep(1000)
      return
    case "stop":
      server.signal("SIGSTOP")
      await sleep(500)
      return server.signal("SIGCONT")
  }
}

const pick = <A>(from: ReadonlyArray<A>, random: Random): A => from[random(from.length)] as A

/** When all caches are dropped. */
class Drops {
  private last = 0
  isDue(): boolean {
    if (Date.now() - this.last < DROP) return false
    this.last = Date.now()
    return true
  }
}

/** One mount; what went wrong. */
const round = async (
  options: Options,
  place: Place,
  ending: Ending,
  random: Random,
  { drops, watch }: { readonly drops: Drops; readonly watch: Watch },
) => {
  const { directory, dropsAll } = options
  const { archives, list, mountPoint, source } = place
  const problems: Array<string> = []
  // A copy of the archive, as it may be made shorter.
  const copy = path.join(directory, "copy.pxar")
  fs.copyFileSync(archives[0] ?? "", copy)
  const archive = ending === "truncate" ? copy : pick([copy, ...archives], random)
  const server = await mount(options, archive, mountPoint, [])
  const loop = (script: string) => new Session(["sh", "-c", `for i in $(seq 100000); do ${script}; done`], mountPoint)
  const count = 1 + random(6)
  const scripts = Array.from({ length: count }, () => pick(readers, random)(source, list))
  const sessions = [server, ...scripts.map(loop)]
  if (random(3) > 0) sessions.push(loop(dropper(list)))
  const ids = sessions.map(({ id }) => id)
  for (const id of ids) watch.sessions.add(id)
  await sleep(100 + random(1500))
  if (dropsAll && drops.isDue()) fs.writeFileSync("/proc/sys/vm/drop_caches", String(1 + random(3)))
  await sleep(random(1500))
  await end(ending, server, archive, mountPoint)
  await sleep(random(400))
  for (const session of sessions.slice(1)) session.signal("SIGKILL")
  if (random(2) > 0) await sleep(200)
  if (ending !== "kill") server.signal("SIGTERM")
  const remain = new Set(ids)
  if (!(await until(() => tasksOf(remain).length === 0, END))) {
    for (const { id, state } of tasksOf(remain)) {
      problems.push(`${ending}: ${id} ${readText(`/proc/${id}/comm`).trim()} (${state}) does not end`)
    }
    await run("umount", "-f", mountPoint)
    for (const session of sessions) session.signal("SIGKILL")
  }
  while (isMounted(mountPoint) && (await run("umount", "-l", mountPoint)));
  for (const id of ids) watch.sessions.delete(id)
  const said = sessions.slice(1).flatMap(({ output }) => output.join("").split("\n"))
  for (const line of said) if (line.includes("differ")) problems.push(`${ending}: ${line}`)
  const wrong = server.output
    .join("")
    .split("\n")
    .filter((line) => /bug in this program|malformed|references/.test(line))
  for (const line of wrong) problems.push(`${ending}: the server said: ${line}`)
  return problems
}

/** Runs rounds until the time is over. */
export const stress = async (options: Options): Promise<Report> => {
  const place = await prepare(options)
  const random = makeRandom(options.seed)
  const watch = new Watch()
  const drops = new Drops()
  const counts: Record<string, number> = {}
  const problems: Array<string> = []
  let rounds = 0
  try {
    const plain = await countReads(options, place, ["--no-prefetch"])
    const prefetched = await countReads(options, place, [])
    if (!(prefetched < plain / 2)) problems.push(`${prefetched} READs with prefetch, ${plain} without`)
    options.say(`READs in order: ${prefetched} with prefetch, ${plain} without`)
    for (const until = Date.now() + options.seconds * 1000; Date.now() < until; rounds++) {
      const ending = endings[rounds % endings.length] as Ending
      counts[ending] = (counts[ending] ?? 0) + 1
      const found = await round(options, place, ending, random, { drops, watch })
      for (const problem of found) options.say(problem)
      problems.push(...found)
      if (rounds % 50 === 49) options.say(`${rounds + 1} rounds, ${watch.stuck.size} tasks that hung`)
    }
    for (const [id, where] of watch.stuck) problems.push(`${id} hung: ${where}`)
    return { rounds, endings: counts, reads: { prefetched, plain }, problems }
  } finally {
    watch.stop()
  }
}
