/**
 * The long form: hostile archives for some minutes.
 *
 *     node test/hostile/main.ts --minutes N [--seed S]
 *     node test/hostile/main.ts --seed S --only NUMBER
 *
 * Each archive is a seed and a number; what is wrong with one is printed with both. The work is done on a thread that
 * this one watches: one that does not end is a finding, too (the bound is a number of reads; the clock is for loops
 * that read nothing).
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import { parseArgs } from "node:util"
import { Effect } from "effect"
import * as Damage from "../support/Damage.ts"
import { drive } from "./drive.ts"

interface Work {
  readonly seed: number
  readonly from: number
  readonly until: number
}

interface Message {
  readonly index: number
  readonly what: string
  readonly problems: ReadonlyArray<string>
  readonly opened: boolean
  readonly entries: number
  readonly compared: number
}

interface Begin {
  readonly begin: number
  readonly what: string
}

/** An archive that takes longer is a finding. */
const STUCK = 120_000
/** Memory of the whole process beyond which something is held that should not be. */
const MEMORY = 1024 * 1024 * 1024

const print = (text: string): void => void process.stdout.write(`${text}\n`)

const work = async ({ from, seed, until }: Work): Promise<void> => {
  const tell = (message: Message | Begin): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
    parentPort?.postMessage(message)
  }
  for (let index = from; Date.now() < until; index++) {
    const damaged = Damage.make(seed, index)
    const what = `${damaged.base.name}: ${damaged.what}`
    tell({ begin: index, what })
    const { compared, entries, opened, problems } = await Effect.runPromise(drive(damaged))
    tell({ index, what, problems, opened, entries, compared })
  }
}

const watch = (seed: number, minutes: number): Promise<void> =>
  new Promise((resolve) => {
    const began = Date.now()
    const until = began + minutes * 60_000
    const total = { archives: 0, opened: 0, entries: 0, compared: 0, findings: 0 }
    let current = { index: 0, what: "", since: Date.now() }
    let told = Date.now()
    let peak = 0
    const tell = (): void => {
      const took = Math.round((Date.now() - began) / 1000)
      print(`${took} s: ${JSON.stringify(total)}, at most ${Math.round(peak / 2 ** 20)} MiB`)
    }
    const finding = (index: number, what: string, problem: string): void => {
      total.findings++
      print(`FINDING --seed ${seed} --only ${index} (${what}): ${problem}`)
    }
    const start = (from: number): void => {
      current = { index: from, what: "", since: Date.now() }
      const thread = new Worker(new URL(import.meta.url), { workerData: { seed, from, until } satisfies Work })
      let stuck = false
      const guard = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage.rss())
        if (peak > MEMORY) finding(current.index, current.what, `${peak} bytes of memory`)
        if (Date.now() - told > 60_000) {
          told = Date.now()
          tell()
        }
        if (Date.now() - current.since < STUCK) return
        stuck = true
        finding(current.index, current.what, "does not end")
        void thread.terminate()
      }, 1000)
      thread.on("message", (message: Message | Begin) => {
        if ("begin" in message) {
          current = { index: message.begin, what: message.what, since: Date.now() }
          return
        }
        total.archives++
        total.entries += message.entries
        total.compared += message.compared
        if (message.opened) total.opened++
        for (const problem of message.problems) finding(message.index, message.what, problem)
      })
      thread.on("error", (error) => {
        finding(current.index, current.what, String((error as Error).stack))
        stuck = true
      })
      thread.on("exit", () => {
        clearInterval(guard)
        if (stuck && Date.now() < until) return start(current.index + 1)
        tell()
        process.exitCode = total.findings === 0 ? 0 : 1
        resolve()
      })
    }
    print(`seed ${seed}, ${minutes} minutes`)
    start(0)
  })

if (isMainThread) {
  const { values } = parseArgs({
    options: { minutes: { type: "string" }, seed: { type: "string" }, only: { type: "string" } },
  })
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
  if (values.only === undefined) {
    await watch(seed, Number(values.minutes ?? 1))
  } else {
    const damaged = Damage.make(seed, Number(values.only))
    print(`${damaged.base.name}: ${damaged.what}`)
    print(JSON.stringify(await Effect.runPromise(drive(damaged)), undefined, 2))
  }
} else {
  await work(workerData as Work)
}
