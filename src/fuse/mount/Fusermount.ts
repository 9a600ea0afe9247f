/**
 * fusermount3(1), the set-uid helper through which users other than root mount and unmount; or fusermount(1), which is
 * the same of libfuse 2.
 */
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import { codeOf, MountError, type Reason } from "./MountError.ts"
import { Mounter } from "./Mounter.ts"
import * as PathArgument from "./PathArgument.ts"

export type Program = "fusermount3" | "fusermount"

/** Runs the helper to its end; with `socket` as descriptor 3, through which it hands out the mounted descriptor. */
export const run = (
  mountPoint: string,
  flags: ReadonlyArray<string>,
  { program = "fusermount3", socket }: { readonly program?: Program; readonly socket?: number } = {},
): Effect.Effect<void, MountError> =>
  Effect.flatMap(Mounter, ({ environment }) => start(environment, mountPoint, flags, program, socket))

const start = (
  environment: Mounter["environment"],
  mountPoint: string,
  flags: ReadonlyArray<string>,
  program: Program,
  socket: number | undefined,
): Effect.Effect<void, MountError> =>
  Effect.uninterruptible(
    Effect.callback((resume) => {
      const fail = (reason: Reason, detail: string) =>
        resume(Effect.fail(new MountError({ reason, mountPoint, detail })))
      const failToSpawn = (error: unknown) => {
        const code = codeOf(error)
        fail(code === "ENOENT" || code === "EACCES" ? "NoFusermount" : "Failed", `spawn ${program}: ${code}`)
      }
      try {
        const child = spawn(...PathArgument.commandLine(program, [...flags, "--"], mountPoint), {
          stdio: ["ignore", "ignore", "pipe", socket ?? "ignore"],
          env: { ...environment, _FUSE_COMMFD: "3" },
          // Its own session: a Ctrl-C for this process must not kill it between the mount and the answer.
          detached: true,
        })
        let complaint = ""
        child.stderr?.setEncoding("utf8").on("data", (text: string) => (complaint += text))
        child.on("error", failToSpawn)
        child.on("close", (code, signal) => {
          if (code === 0) return resume(Effect.void)
          fail(helperReason(complaint), complaint.trim().replaceAll("\n", "; ") || `${program}: exit ${code ?? signal}`)
        })
      } catch (error) {
        failToSpawn(error)
      }
    }),
  )

/** fusermount3 tells its reasons in English only (util/fusermount.c). */
const helperReason = (complaint: string): Reason => {
  if (/fuse device not found/.test(complaint)) return "NoDevice"
  return /not permitted|denied|not owned|no write access|user_allow_other|forbidden|too many/.test(complaint)
    ? "NotPermitted"
    : "Failed"
}
