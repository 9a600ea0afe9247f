/**
 * What the packages of a release have in common: name, version, time, and the machines that they are for.
 */
import { execFileSync, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import * as path from "node:path"

export const root = path.join(import.meta.dirname, "../..")

const manifest: { readonly name: string; readonly version: string; readonly description: string } = JSON.parse(
  readFileSync(path.join(root, "package.json"), "utf8"),
)

export const { description, name, version } = manifest

/** A kind of machine, as each of those who have a word for it calls it. */
export interface Machine {
  /** Node, npm and the name of the tarball. */
  readonly node: "x64" | "arm64"
  readonly debian: "amd64" | "arm64"
  readonly rpm: "x86_64" | "aarch64"
}

export const machines: ReadonlyArray<Machine> = [
  { node: "x64", debian: "amd64", rpm: "x86_64" },
  { node: "arm64", debian: "arm64", rpm: "aarch64" },
]

/** Words for git: root may build what another user has cloned. */
export const ANYBODYS = ["-c", "safe.directory=*"]

/** Seconds since 1970 that all files get: those of the commit, so that the same source makes the same packages. */
export const epoch = (): number => {
  const given = process.env["SOURCE_DATE_EPOCH"]
  return given === undefined
    ? Number(execFileSync("git", [...ANYBODYS, "log", "-1", "--format=%ct"], { cwd: root, encoding: "utf8" }))
    : Number(given)
}

/** Runs a program of this machine. What it prints is shown; a failure ends everything. */
export const run = (command: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): Promise<void> =>
  new Promise((resolve, reject) => {
    const program = spawn(command, args, {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
    })
    program.on("error", reject)
    program.on("close", (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${command} ${args.join(" ")}: ends with ${code}`))
    })
  })

/**
 * How much effort goes into compression, 0 to 9. With 9 Node's binary is 1 % smaller than with 6, in 1.4 times the CPU and
 * 7 times the memory (0.7 GB), and whoever unpacks it needs 64 MB in place of 8.
 */
export const level = process.env["PXAR_FUSE_DIST_LEVEL"] ?? "6"
