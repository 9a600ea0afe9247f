/**
 * On what the figures were measured: they mean nothing without it.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as Process from "./Process.ts"

export interface Machine {
  readonly date: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  /** Other work on the machine at the beginning: processes that wanted to run, on average of one minute. */
  readonly load: number
  readonly versions: Readonly<Record<string, string>>
}

export const describe = async (): Promise<Machine> => ({
  date: new Date().toISOString(),
  cpu: /^model name\s*:\s*(.*)/m.exec(fs.readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? os.arch(),
  cores: os.availableParallelism(),
  memoryGiB: Math.round(os.totalmem() / 1024 ** 3),
  kernel: os.release(),
  load: os.loadavg()[0] ?? 0,
  versions: {
    node: process.version,
    "pxar-fuse": await commit(),
    squashfuse_ll: await version(["squashfuse_ll", "--version"]),
    mksquashfs: await version(["mksquashfs", "-version"]),
    tar: await version(["tar", "--version"]),
  },
})

/** The machine in lines for people. */
export const toText = (machine: Machine): string =>
  [
    `${machine.date}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}`,
    Object.entries(machine.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join("; "),
    `load at the beginning: ${machine.load.toFixed(2)}`,
    "",
  ].join("\n")

/** What a program prints about its version; some do it on stderr, and call it a failure. */
const version = async (command: ReadonlyArray<string>): Promise<string> => {
  const { stderr, stdout } = await Process.start(command).exited
  return /\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0] ?? "missing"
}

const commit = async (): Promise<string> => {
  const { stdout } = await Process.start(["git", "-C", import.meta.dirname, "describe", "--always", "--dirty"]).exited
  return stdout.trim() || "unknown"
}
