/**
 * A mount under everything at once: walkers, readers, xattr readers, cache droppers and interrupters, for a while.
 *
 * In the end nothing is left that was not there at the beginning. The bounds are in `judge`.
 */
import { type ChildProcess, fork, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { Clock, Effect, type Scope } from "effect"
import * as Golden from "../support/Golden.ts"
import * as Processes from "../support/Processes.ts"
import * as Random from "../support/Random.ts"
import type { State } from "./server.ts"
import type { Way } from "./worker.ts"

export interface Options {
  readonly seconds: number
  readonly seed: number
  /** Told what the server holds, now and then. */
  readonly onSample?: (seconds: number, state: State) => void
}

export interface Report {
  /** At the beginning, after one round of everything. */
  readonly before: State
  readonly after: State
  /** Memory while everything runs, with the time in seconds. */
  readonly samples: ReadonlyArray<readonly [seconds: number, memory: number]>
  /** Processes that were interrupted while they read. */
  readonly killed: number
  /** Turns of the workers, by what they do. */
  readonly turns: Readonly<Record<string, number>>
  /** What workers said is wrong. */
  readonly complaints: ReadonlyArray<string>
  readonly serverCode: number | null
}

const MIB = 1024 * 1024

/** More memory than at the beginning that is still level: caches of blocks and tables fill up to their own bounds. */
export const MEMORY = 24 * MIB
/** Growth over the second half of a soak, in bytes a minute; only of one that takes longer than a minute. */
export const SLOPE = 1 * MIB

const ways: ReadonlyArray<Way> = ["walk", "walk", "read", "read", "xattr", "drop"]

const child = (file: string, args: ReadonlyArray<string>): Effect.Effect<ChildProcess, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() =>
      fork(path.join(import.meta.dirname, file), args, {
        execArgv: [],
        stdio: ["ignore", "pipe", "pipe", "ipc"],
        cwd: "/",
      }),
    ),
    Processes.kill,
  )

const nextMessage = (child: ChildProcess): Effect.Effect<unknown> =>
  Effect.callback<unknown>((resume) => {
    child.once("message", (message) => resume(Effect.succeed(message)))
  }).pipe(Processes.within(() => "an answer of the server"))

const textOf = (stream: NodeJS.ReadableStream | null): (() => string) => {
  let text = ""
  stream?.on("data", (bytes: Buffer) => (text += bytes.toString()))
  return () => text
}

const exited = (child: ChildProcess): Effect.Effect<number | null> =>
  Effect.callback<number | null>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.succeed(child.exitCode))
    child.once("close", () => resume(Effect.succeed(child.exitCode)))
  }).pipe(Processes.within(() => `the end of ${child.spawnargs.join(" ")}`))

/** Whether a process waits for an answer of a FUSE server. */
const isWaiting = (pid: number | undefined): boolean => {
  try {
    return fs.readFileSync(`/proc/${pid}/wchan`, "latin1").includes("request_wait_answer")
  } catch {
    return false // it has ended
  }
}

/** A reader that is killed at some time of its reading. */
const interrupted = (file: string, random: Random.Random): Effect.Effect<void> =>
  Effect.scoped(
    Effect.gen(function* () {
      const reader = yield* Effect.acquireRelease(
        // Past the page cache: requests of the kernel's own read-ahead belong to nobody who could be killed.
        Effect.sync(() => spawn("dd", [`if=${file}`, "iflag=direct", "bs=128k", "of=/dev/null"], { stdio: "ignore" })),
        Processes.kill,
      )
      const patience = random.below(20)
      for (let waits = 0; reader.exitCode === null && waits <= patience;) {
        if (isWaiting(reader.pid)) waits++
        yield* Effect.yieldNow
      }
      reader.kill(random.pick(["SIGINT", "SIGKILL", "SIGTERM"]))
      yield* exited(reader)
    }),
  )

/** Runs everything for a while. Dies when something does not end. */
export const run = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<Report, never, Scope.Scope> {
  const { archive, payload = "" } = Golden.treeV2
  const mountPoint = yield* Processes.mountPoint()
  const server = yield* child("server.ts", [archive, payload, mountPoint])
  const complaint = textOf(server.stderr)
  yield* Effect.raceFirst(
    nextMessage(server),
    Effect.flatMap(exited(server), () => Effect.die(new Error(`the server ended: ${complaint()}`))),
  )
  const ask = Effect.suspend(() => {
    const answer = nextMessage(server)
    return Effect.andThen(
      Effect.sync(() => void server.send("state")),
      answer,
    ) as Effect.Effect<State>
  })
  const forgotten = Processes.eventually(
    "the kernel to forget",
    Effect.andThen(
      Effect.promise(() => fs.promises.writeFile("/proc/sys/vm/drop_caches", "2")),
      ask,
    ),
    ({ held, inFlight }) => held === 1 && inFlight === 0,
  )
  // Once all that is loaded on first use has been.
  yield* Processes.run("sh", ["-c", 'find "$0" -type f -exec cat {} + | wc -c; find "$0" -ls | wc -l', mountPoint])
  const before = yield* forgotten

  const random = Random.make(options.seed)
  const workers = yield* Effect.forEach(ways, (way, index) =>
    Effect.map(child("worker.ts", [way, mountPoint, String(options.seed + index)]), (child) => ({
      way,
      child,
      stdout: textOf(child.stdout),
      stderr: textOf(child.stderr),
    })),
  )
  const large = path.join(mountPoint, String(Golden.treeV2.view().find(({ size }) => size === 1024 * 1024)?.path))
  const samples: Array<readonly [number, number]> = []
  const began = yield* Clock.currentTimeMillis
  const passed = Effect.map(Clock.currentTimeMillis, (now) => (now - began) / 1000)
  let killed = 0
  for (let now = 0; now < options.seconds; now = yield* passed) {
    yield* interrupted(large, random)
    killed++
    if (now < (samples.length * options.seconds) / 40) continue
    const state = yield* ask
    samples.push([now, state.memory])
    options.onSample?.(now, state)
  }
  for (const { child } of workers) if (child.connected) child.send("stop")
  yield* Effect.forEach(workers, ({ child }) => exited(child), { concurrency: "unbounded", discard: true })
  const turns: Record<string, number> = {}
  for (const { stdout, way } of workers) turns[way] = (turns[way] ?? 0) + Number(stdout())
  const after = yield* forgotten
  server.send("end")
  const serverCode = yield* exited(server)
  const complaints = workers.map(({ stderr }) => stderr()).filter((text) => text !== "")
  return { before, after, samples, killed, turns, complaints, serverCode }
})

/** Growth in bytes a minute: the slope of the line that fits best. */
export const slopeOf = (samples: Report["samples"]): number => {
  const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(samples.map(([time]) => time)), mean(samples.map(([, memory]) => memory))]
  const over = samples.reduce((sum, [time, memory]) => sum + (time - x) * (memory - y), 0)
  const under = samples.reduce((sum, [time]) => sum + (time - x) ** 2, 0)
  return under === 0 ? 0 : (over / under) * 60
}

/** What is not as it should be; nothing if all is well. */
export const judge = ({ after, before, complaints, samples, serverCode }: Report): ReadonlyArray<string> => {
  const problems = [...complaints]
  const expect = (right: boolean, what: string): void => void (right || problems.push(what))
  expect(after.held === 1, `${after.held} nodes are held, not the root alone`)
  expect(after.inFlight === 0, `${after.inFlight} requests are under way`)
  expect(after.descriptors <= before.descriptors, `${after.descriptors} descriptors, ${before.descriptors} before`)
  expect(after.fibers <= before.fibers, `${after.fibers} fibers, ${before.fibers} before`)
  expect(after.memory - before.memory < MEMORY, `${after.memory - before.memory} bytes more than before`)
  expect(after.log.length === 0, `logged: ${after.log.slice(0, 3).join("; ")}`)
  expect(serverCode === 0, `the server ended with ${serverCode}`)
  const half = samples.slice(samples.length >> 1)
  const [first, last] = [half[0]?.[0] ?? 0, half.at(-1)?.[0] ?? 0]
  if (last - first > 60) expect(slopeOf(half) < SLOPE, `memory grows by ${Math.round(slopeOf(half))} bytes a minute`)
  return problems
}
