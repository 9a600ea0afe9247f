/**
 * The long form of the soak.
 *
 *     node test/soak/main.ts --minutes N [--seed S]
 */
import { parseArgs } from "node:util"
import { Effect } from "effect"
import * as Soak from "./soak.ts"

const { values } = parseArgs({ options: { minutes: { type: "string" }, seed: { type: "string" } } })
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const seconds = 60 * Number(values.minutes ?? 1)
const print = (text: string): void => void process.stdout.write(`${text}\n`)

print(`seed ${seed}, ${seconds} s`)
const onSample: Soak.Options["onSample"] = (now, { held, inFlight, interrupted, memory, requests }) =>
  print(
    `${Math.round(now)} s: ${requests} requests, ${inFlight} under way, ${interrupted} interrupted, ${held} nodes, ` +
      `${(memory / 2 ** 20).toFixed(1)} MiB`,
  )
const report = await Effect.runPromise(Effect.scoped(Soak.run({ seconds, seed, onSample })))
const { after, before, killed, samples, turns } = report
const slope = Soak.slopeOf(samples.slice(samples.length >> 1)) / 1024
print(JSON.stringify({ before, after, killed, turns, slope: `${slope.toFixed(1)} KiB/min` }, undefined, 2))
const problems = Soak.judge(report)
print(problems.length === 0 ? "all is well" : problems.join("\n"))
process.exitCode = problems.length === 0 ? 0 : 1
