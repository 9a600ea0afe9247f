/**
 * The long form of the stress of a mount that reads ahead; for root, in the whole system, whose caches it drops.
 *
 *     npm run stress -- [--minutes N] [--seed S] [--files N] [--dir DIR]
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { parseArgs } from "node:util"
import * as Stress from "./stress.ts"

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string" },
    files: { type: "string", default: "3000" },
    dir: { type: "string", default: os.tmpdir() },
  },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const directory = fs.mkdtempSync(path.join(values.dir, "pxar-fuse-stress-"))
say(`seed ${seed}, ${values.minutes} minutes, in ${directory}`)
const report = await Stress.stress({
  program: [process.execPath, path.resolve(import.meta.dirname, "../../dist/cli/main.js")],
  directory,
  files: Number(values.files),
  seconds: 60 * Number(values.minutes),
  seed,
  dropsAll: process.getuid?.() === 0,
  say,
})
say(JSON.stringify(report, undefined, 2))
say(report.problems.length === 0 ? "all is well" : "something is wrong")
fs.rmSync(directory, { recursive: true, force: true })
process.exitCode = report.problems.length === 0 ? 0 : 1
