/**
 * `verify` of a datastore far away (20 ms) by one process, and by four, each on its quarter.
 *
 * Chunks are small, so that the way is what takes time and not the processor: a process has as many under way as it has
 * jobs, and each takes a round trip. With few jobs that holds for four processes too; with those that are the default on a
 * few cores it does not. So there is the most that is possible beside it: four processes take at least as long as a quarter of
 * the chunks waits for the way, and as all their CPU takes on the cores that there are.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as CpuTime from "../CpuTime.ts"
import * as Process from "../Process.ts"
import * as Statistics from "../Statistics.ts"
import * as Servers from "./Servers.ts"
import * as Store from "./Store.ts"

export const NAME = "shards"

export interface Setting {
  readonly program: ReadonlyArray<string>
  readonly directory: string
  readonly rounds: number
  readonly say: (line: string) => void
}

const PARTS = 4
const ROUND_TRIP = 20
const CHUNKS = 4000
const CHUNK = 4096

/** Measures; what it returns is to be printed. */
export const run = async ({ directory, program, rounds, say }: Setting): Promise<string> => {
  const store = path.join(directory, "shards", "store")
  if (!fs.existsSync(path.join(store, "host"))) {
    say(`making the datastore ${store}`)
    fs.mkdirSync(store, { recursive: true })
    const file = path.join(store, "noise")
    await Process.run(["sh", "-c", `head -c ${CHUNKS * CHUNK} /dev/urandom > "$0"`, file])
    Store.add(store, "small", { "noise.pxar": file }, CHUNK)
    fs.rmSync(file)
  }
  const server = await Servers.start(["serverMain.ts", store])
  const line = await Servers.start(["lineMain.ts", server.port, String(ROUND_TRIP), "0"])
  const verify = async (more: ReadonlyArray<string>): Promise<void> => {
    const command = [...program, "verify", "--no-cache", ...more, `http://127.0.0.1:${line.port}/`]
    const { status, stderr } = await Process.start(command).exited
    if (status !== 0) throw new Error(`verify ends with ${status}: ${stderr}`)
  }
  const cpuMs = (): number =>
    [server, line].reduce((sum, { pid }) => sum + (Process.usage(pid)?.cpuMs ?? 0), CpuTime.ofEndedChildren())
  const timed = async (commands: ReadonlyArray<ReadonlyArray<string>>): Promise<Sample> => {
    const [begin, before] = [performance.now(), cpuMs()]
    await Promise.all(commands.map(verify))
    return { seconds: (performance.now() - begin) / 1000, cpu: (cpuMs() - before) / 1000 }
  }
  const shards = Array.from({ length: PARTS }, (_, part) => ["--shard", `${part + 1}/${PARTS}`])
  const lines: Array<string> = []
  const cores = os.availableParallelism()
  for (const jobs of [2, 4, 16]) {
    const way = (CHUNKS / jobs) * (ROUND_TRIP / 1000)
    const samples: Array<{ readonly one: Sample; readonly four: Sample }> = []
    for (let round = 0; round < rounds; round++) {
      say(`${jobs} jobs, round ${round + 1}`)
      const more = ["--jobs", String(jobs)]
      samples.push({ one: await timed([more]), four: await timed(shards.map((shard) => more.concat(shard))) })
    }
    const of = (value: (sample: (typeof samples)[number]) => number): string =>
      (Statistics.median(samples.map(value)) ?? 0).toFixed(2)
    const most = ({ four, one }: (typeof samples)[number]) => one.seconds / Math.max(way / PARTS, four.cpu / cores)
    lines.push(
      `--jobs ${jobs}: one process ${of(({ one }) => one.seconds)} s, of which ${way.toFixed(2)} s are the way, ` +
        `with ${of(({ one }) => one.cpu)} s of CPU; ` +
        `four with a quarter each ${of(({ four }) => four.seconds)} s, with ${of(({ four }) => four.cpu)} s: ` +
        `${of(({ four, one }) => one.seconds / four.seconds)} times as fast; at most ${of(most)} on ${cores} cores`,
    )
  }
  await Servers.stop(line)
  await Servers.stop(server)
  const title = `${CHUNKS} chunks of ${CHUNK} bytes, ${ROUND_TRIP} ms, ${rounds} rounds, medians; CPU with that of server and line`
  return [title, ...lines, ""].join("\n")
}

interface Sample {
  readonly seconds: number
  readonly cpu: number
}
