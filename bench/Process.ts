/**
 * Processes that the benchmark starts: every one is known, so that all can be ended.
 *
 * Each leads a process group of its own, which `endAll` ends by its id, with what the process has started itself; it
 * also unmounts what is still mounted. Nothing here waits synchronously: a signal is handled at any moment.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import * as CpuTime from "./CpuTime.ts"

/** A core to run on, or `undefined` for all of them. */
export type Core = number | undefined

export interface Started {
  readonly pid: number
  /** The first line that it prints, or all of it if it ends before. */
  readonly firstLine: Promise<string>
  readonly exited: Promise<Finished>
}

export interface Finished {
  /** Exit code, or the name of the signal. */
  readonly status: number | string
  readonly stdout: string
  readonly stderr: string
}

export interface Usage {
  readonly cpuMs: number
  /** Peak of the resident memory. */
  readonly peakKiB: number
}

const running = new Set<ChildProcess>()
const backgrounds = new Set<number>()
const mountPoints = new Set<string>()

/** Starts a program. */
export const start = (command: ReadonlyArray<string>, core?: Core): Started => {
  const [program, ...args] = core === undefined ? command : ["taskset", "-c", String(core), ...command]
  const child = spawn(program as string, args, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
  })
  running.add(child)
  let stdout = ""
  let stderr = ""
  const firstLine = new Promise<string>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
      if (stdout.includes("\n")) resolve(stdout.slice(0, stdout.indexOf("\n")))
    })
    child.on("close", () => resolve(stdout))
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
  const exited = new Promise<Finished>((resolve) => {
    child.on("error", (error) => {
      running.delete(child)
      resolve({ status: "not started", stdout, stderr: error.message })
    })
    child.on("close", (code, signal) => {
      running.delete(child)
      resolve({ status: code ?? signal ?? "ended", stdout, stderr })
    })
  })
  return { pid: child.pid ?? 0, firstLine, exited }
}

/** Runs a program to its end; fails if that is not a success. */
export const run = async (command: ReadonlyArray<string>, core?: Core): Promise<Finished> => {
  const finished = await start(command, core).exited
  if (finished.status === 0) return finished
  throw new Error(
    `${command.join(" ")}: ${finished.status}: ${finished.stderr.trim().split("\n").slice(-3).join("; ")}`,
  )
}

/** A program that has gone into the background. */
export interface Background {
  readonly pid: number
  /** CPU time of the process that was started, which has ended. */
  readonly startCpuMs: number
}

/** Runs a program that leaves another in the background, whose process id is in `pidFile` then. */
export const startInBackground = async (
  command: ReadonlyArray<string>,
  pidFile: string,
  core?: Core,
): Promise<Background> => {
  const before = CpuTime.ofEndedChildren()
  await run(command, core)
  const pid = Number(fs.readFileSync(pidFile, "utf8"))
  backgrounds.add(pid)
  return { pid, startCpuMs: CpuTime.ofEndedChildren() - before }
}

/** Waits for a process that is nobody's child here. */
export const untilGone = async (pid: number): Promise<void> => {
  for (let waited = 0; fs.existsSync(`/proc/${pid}`); waited++) {
    if (waited === 10_000) process.kill(pid, "SIGKILL")
    await sleep(1)
  }
  backgrounds.delete(pid)
}

/** Runs a shell script, with arguments as `$1`… Returns its own time in milliseconds, without that of starting it. */
export const timeShell = async (script: string, args: ReadonlyArray<string>, core?: Core): Promise<number> => {
  const timed = `begin=$EPOCHREALTIME; { ${script}; } > /dev/null; status=$?; echo "$begin $EPOCHREALTIME"; exit $status`
  const { stdout } = await run(["bash", "-o", "pipefail", "-c", timed, "bench", ...args], core)
  const [begin, end] = stdout.trim().split(" ").map(Number)
  return ((end as number) - (begin as number)) * 1000
}

/** Whether a program is on the path. */
export const isThere = async (program: string): Promise<boolean> =>
  (await start(["sh", "-c", 'command -v "$0"', program]).exited).status === 0

/** What a process has used; `undefined` once it has ended. */
export const usage = (pid: number): Usage | undefined => {
  const [cpuMs, peakKiB] = [CpuTime.ofProcess(pid), peakOf(pid)]
  return cpuMs === undefined || peakKiB === undefined ? undefined : { cpuMs, peakKiB }
}

const peakOf = (pid: number): number | undefined => {
  try {
    return Number(/^VmHWM:\s*(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0)
  } catch {
    return undefined
  }
}

/** Waits until something is mounted, or the process that was to mount it has ended. */
export const untilMounted = async (mountPoint: string, server: Started): Promise<void> => {
  mountPoints.add(mountPoint)
  const place = ` ${mountPoint.replaceAll(" ", String.raw`\040`)} `
  let ended: Finished | undefined
  void server.exited.then((finished) => (ended = finished))
  while (!fs.readFileSync("/proc/self/mountinfo", "utf8").includes(place)) {
    if (ended !== undefined) throw new Error(`nothing was mounted on ${mountPoint}: ${ended.stderr.trim()}`)
    await sleep(1)
  }
}

const unmountCommand = (mountPoint: string, lazy: boolean): ReadonlyArray<string> =>
  process.geteuid?.() === 0
    ? ["umount", ...(lazy ? ["-l"] : []), mountPoint]
    : ["fusermount3", "-u", ...(lazy ? ["-z"] : []), mountPoint]

/** Unmounts, lazily if it is busy. */
export const unmount = async (mountPoint: string): Promise<void> => {
  mountPoints.add(mountPoint)
  for (let attempt = 0; attempt < 20; attempt++) {
    if ((await start(unmountCommand(mountPoint, attempt === 19)).exited).status === 0) break
    await sleep(50)
  }
  mountPoints.delete(mountPoint)
}

/** Waits for a server to end by itself. */
export const untilEnded = async (server: Started): Promise<Finished> => {
  const finished = await Promise.race([server.exited, sleep(10_000)])
  if (finished !== undefined) return finished
  signal(server.pid, "SIGKILL")
  return server.exited
}

/** Signals a process group, which may have ended already. */
const signal = (pid: number | undefined, name: NodeJS.Signals): void => {
  if (pid === undefined || pid === 0) return
  try {
    process.kill(-pid, name)
  } catch {
    // Ended.
  }
}

/** Ends everything that still runs and unmounts everything that is still mounted. */
export const endAll = async (): Promise<void> => {
  const ending = [...running]
  for (const mountPoint of mountPoints) await start(unmountCommand(mountPoint, true)).exited
  mountPoints.clear()
  for (const child of ending) signal(child.pid, "SIGTERM")
  for (const pid of backgrounds) signal(pid, "SIGTERM")
  for (let waited = 0; waited < 40 && ending.some((child) => running.has(child)); waited++) await sleep(50)
  for (const child of ending) if (running.has(child)) signal(child.pid, "SIGKILL")
}
