/**
 * Whether somebody serves a mount.
 *
 * A mount can only be asked by entering it, and whoever enters one whose server hangs waits with it, beyond the reach of
 * signals. So another process asks, and is left behind if it does not come back.
 */
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import * as DiskPath from "../../services/posix/DiskPath.ts"
import { Mounter } from "./Mounter.ts"
import * as PathArgument from "./PathArgument.ts"

/**
 * `dead`: the server is gone, and every access fails with ENOTCONN. `silent`: no answer in time, perhaps a server that is
 * stopped. `answers`: anything else, also a refusal.
 */
export type Answer = "answers" | "dead" | "silent"

/** Milliseconds for an answer. */
const PATIENCE = 1000

/** Asks with statfs(2), which the kernel never answers by itself. */
export const probe = (mountPoint: Uint8Array): Effect.Effect<Answer> =>
  Effect.flatMap(Mounter, ({ environment }) => ask(environment, DiskPath.fromNode(mountPoint)))

const ask = (environment: Mounter["environment"], mountPoint: string): Effect.Effect<Answer> =>
  Effect.callback((resume) => {
    const child = spawn(...PathArgument.commandLine("stat", ["-f", "-c", "", "--"], mountPoint), {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...environment, LC_ALL: "C" },
    })
    const timer = setTimeout(() => {
      child.kill("SIGKILL")
      child.stderr.destroy()
      child.unref()
      resume(Effect.succeed("silent"))
    }, PATIENCE)
    let complaint = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text))
    // Without stat(1) there is no telling; what is there is then not touched.
    child.on("error", () => resume(Effect.succeed("answers")))
    child.on("close", () => {
      clearTimeout(timer)
      resume(Effect.succeed(/not connected|connection abort/.test(complaint) ? "dead" : "answers"))
    })
  })
