/**
 * `verify` of a datastore far away (20 ms) by one process, and by four, each on its quarter: as they are by default.
 *
 * Chunks are small, so that the way is what takes time and not the processor: a process has as many under way as it has
 * jobs, and each takes a round trip.
 */
import * as fs from "node:fs"
import * as path from "node:path"
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
  const timed = async (use: () => Promise<unknown>): Promise<number> => {
    const begin = performance.now()
    await use()
    return (performance.now() - begin) / 1000
  }
  const samples: Array<{ readonly one: number; readonly four: number; readonly more: number }> = []
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1}`)
    samples.push({
      one: await timed(() => verify([])),
      four: await timed(() =>
        Promise.all(Array.from({ length: PARTS }, (_, part) => verify(["--shard", `${part + 1}/${PARTS}`]))),
      ),
      more: await timed(() => verify(["--jobs", "16"])),
    })
  }
  await Servers.stop(line)
  await Servers.stop(server)
  const of = (value: (sample: (typeof samples)[number]) => number): string =>
    (Statistics.median(samples.map(value)) ?? 0).toFixed(2)
  return [
    `${CHUNKS} chunks of ${CHUNK} bytes, ${ROUND_TRIP} ms, ${rounds} rounds, medians`,
    `one process            ${of(({ one }) => one)} s`,
    `four, a quarter each   ${of(({ four }) => four)} s   ${of(({ four, one }) => one / four)} times one`,
    `one with --jobs 16     ${of(({ more }) => more)} s   ${of(({ more, one }) => one / more)} times one`,
    "",
  ].join("\n")
}
