/** Programs of this folder that serve something, and print their port. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Process from "../Process.ts"

export interface Server {
  readonly port: string
  readonly pid: number
}

/** Starts a program with its arguments, and waits until it serves. */
export const start = async ([file = "", ...args]: ReadonlyArray<string>): Promise<Server> => {
  const portFile = path.join(fs.mkdtempSync("/tmp/pxar-far-"), "port")
  const program = path.join(import.meta.dirname, file)
  const command = ["sh", "-c", 'exec "$0" "$@" > "$PORT"', process.execPath, program, ...args]
  const { pid } = Process.start(["env", `PORT=${portFile}`, ...command])
  for (let waited = 0; waited < 2000; waited++) {
    const text = fs.existsSync(portFile) ? fs.readFileSync(portFile, "utf8") : ""
    if (text.endsWith("\n")) {
      fs.rmSync(path.dirname(portFile), { recursive: true })
      return { port: text.trim(), pid }
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`${file} does not start`)
}

/** Ends one. */
export const stop = async ({ pid }: Server): Promise<void> => {
  process.kill(-pid, "SIGTERM")
  await Process.untilGone(pid)
}
