/**
 * One line of the log for each request of the kernel.
 */
import { getSystemErrorName } from "node:util"
import * as Effect from "effect/Effect"
import * as PathText from "../../domain/PathText.ts"
import type * as Observer from "../../fuse/session/Observer.ts"

/** Logs what it is told, at level `Debug`, with the loggers of the context in which it was made. */
export const make: Effect.Effect<Observer.Observer> = Effect.map(Effect.context<never>(), (context) => {
  const run = Effect.runForkWith(context)
  return (event) => {
    // What concerns the connection as a whole has no node.
    const path = event.nodeId === 0 ? Effect.undefined : Effect.map(event.path, PathText.print)
    run(Effect.flatMap(path, (path) => log(event, path)))
  }
})

const log = (event: Observer.RequestEvent, path: string | undefined): Effect.Effect<void> => {
  const { bytes, delivery, micros, name, offset, operation, size } = event
  const result = resultOf(event)
  // The path of LOOKUP ends with the name it looks for.
  const attribute = name !== undefined && operation !== "LOOKUP" ? PathText.print(name) : undefined
  const range = offset === undefined ? undefined : `${size ?? 0} at ${offset}`
  const question = [operation, path, attribute, range].filter((part) => part !== undefined).join(" ")
  const answer = result === "ok" ? `ok, ${bytes} bytes` : result
  const lost = delivery === "abandoned" || delivery === "refused" ? ` (${delivery})` : ""
  const time = Math.round(micros)
  return Effect.logDebug(`${question}: ${answer}${lost}, ${time} µs`).pipe(
    Effect.annotateLogs({ operation, path, attribute, offset, size, result, bytes, delivery, micros: time }),
  )
}

/** `ok`, the name of an errno, or `none` for a request without a reply. */
const resultOf = ({ delivery, errno }: Observer.RequestEvent): string => {
  if (errno !== 0) return getSystemErrorName(-errno)
  return delivery === undefined ? "none" : "ok"
}
