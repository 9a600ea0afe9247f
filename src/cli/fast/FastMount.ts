/**
 * `mount` in the background, by a process that reads common words and starts the one that serves: no more of this program is
 * loaded for it.
 */
import * as ArchiveFirst from "../ArchiveFirst.ts"
import * as Launch from "../mount/Launch.ts"
import { maybeServer, type MountInput, settingsOf } from "../mount/MountInput.ts"

/**
 * Whether nothing has to be done here first: no page beside the mount, no terminal to ask at for a key or password, no secrets of places to withhold,
 * no mount options to read, no descriptor to pass on or to withhold.
 */
export const isPlain = (input: MountInput): boolean => {
  const { also, archive, chunks, foreground, keyFile, notifyFd, options, rest, serve } = input
  const mountPoint = rest.at(-1) ?? ""
  return (
    !foreground &&
    options.length === 0 &&
    keyFile.length === 0 &&
    notifyFd === undefined &&
    serve === undefined &&
    ![archive, ...rest, ...also, ...chunks].some(maybeServer) &&
    mountPoint !== "" &&
    !mountPoint.startsWith("/dev/fd/") &&
    !Launch.mayHaveInherited()
  )
}

/** Mounts, and ends this process when the mount is ready. `false` if this program could not be started again. */
export const start = async (input: MountInput): Promise<boolean> => {
  const launched = Launch.launch(settingsOf(input), [])
  let isEnding = false
  const onSignal = async (): Promise<void> => {
    if (isEnding) return
    isEnding = true
    const { INTERRUPTED } = await import("../ExitCode.ts")
    await launched.end()
    process.exit(INTERRUPTED)
  }
  const signals = ["SIGINT", "SIGTERM"] as const
  for (const signal of signals) process.on(signal, onSignal)
  const outcome = await launched.outcome
  for (const signal of signals) process.removeListener(signal, onSignal)
  if (outcome._tag === "Ready") launched.leave()
  // Who is told to end does so with another code.
  if (outcome._tag === "Ended" && !isEnding) {
    // Only where there is something to ask is more loaded.
    if (ArchiveFirst.question(input) !== undefined) {
      const FastProcess = await import("./FastProcess.ts")
      await FastProcess.ask(outcome.code, input)
    }
    process.exit(outcome.code)
  }
  return outcome._tag !== "NotStarted"
}
