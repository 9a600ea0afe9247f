/**
 * V8's code caches of the command: what its compiler has made of the files that every run loads.
 *
 * They are made by running the command, so that they hold the functions that a run uses. Nothing is mounted: the process
 * that would serve is told a mount point that does not exist. The same files and the same Node make the same caches: V8
 * takes what is random in it from a seed, and on one core nothing depends on which thread is faster.
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import type * as FastTable from "../../src/cli/fast/FastTable.ts"
import { type MountInput, settingsOf } from "../../src/cli/mount/MountInput.ts"

const root = path.join(import.meta.dirname, "../..")
const archive = path.join(root, "fixtures/golden/tiny/hello-v1.pxar")

interface Run {
  readonly words: ReadonlyArray<string>
  /** Whether it is the process that serves, which is told what to mount. */
  readonly serves?: true
  /** Its exit code. */
  readonly code: number
}

/** Who stands where nothing can be mounted. */
const NOWHERE = "/nonexistent/pxar-fuse"

/** What is run, in an empty folder. */
const runs = (folder: string): ReadonlyArray<Run> => [
  { words: ["list", archive], code: 0 },
  // Words that only the library of command lines reads.
  { words: ["list", "--", archive], code: 0 },
  { words: ["extract", archive, folder], code: 0 },
  { words: ["diff", archive, folder], code: 0 },
  { words: ["verify", archive], code: 0 },
  { words: ["mount", archive, NOWHERE], serves: true, code: 10 },
]

/** The first core that this process may run on. */
const core = (): string => /^Cpus_allowed_list:\s*(\d+)/m.exec(fs.readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0"

/** Makes the caches of the command in a folder, which has the table of the fast path, with the Node that is to run it. Files must have the times that they keep. */
export const make = (folder: string, node = process.execPath): void => {
  const caches = path.join(folder, "cache")
  fs.rmSync(caches, { recursive: true, force: true })
  fs.mkdirSync(caches)
  const scratch = fs.mkdtempSync(path.join(tmpdir(), "pxar-fuse-cache-"))
  const [told, extracted] = [path.join(scratch, "settings.json"), path.join(scratch, "extracted")]
  try {
    const table = JSON.parse(fs.readFileSync(path.join(folder, "fast/table.json"), "utf8")) as FastTable.Table
    const input = { ...table.commands["mount"]?.input, archive, rest: [NOWHERE] } as unknown as MountInput
    fs.mkdirSync(extracted)
    fs.writeFileSync(told, JSON.stringify(settingsOf(input)))
    for (const { code, serves, words } of runs(extracted)) {
      const parent = fs.openSync(told, "r")
      const args = ["--random-seed=1", path.join(import.meta.dirname, "warm.cjs"), folder, ...words]
      const env = { PATH: process.env["PATH"], ...(serves === true && { _PXAR_FUSE_PARENT: "3" }) }
      const ended = spawnSync("taskset", ["--cpu-list", core(), node, ...args], {
        env,
        stdio: ["ignore", "pipe", "pipe", parent],
        encoding: "utf8",
      })
      fs.closeSync(parent)
      if (ended.status !== code) throw new Error(`${words.join(" ")}: ${ended.status ?? ended.signal}: ${ended.stderr}`)
    }
  } finally {
    fs.rmSync(scratch, { recursive: true })
  }
}
