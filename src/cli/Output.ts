/**
 * Results on stdout: collected, and written in large pieces as fast as they are taken.
 *
 * Writes run on a thread, so that a reader who pauses holds up this command and not its interruption. When stdout is
 * closed early (`| head`) the command ends quietly, with `ExitCode.OUTPUT_CLOSED`.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as Bytes from "../domain/Bytes.ts"
import * as ExitCode from "./ExitCode.ts"

/** Stdout cannot be written to: a full disk, for example. */
export class OutputError extends Schema.TaggedError<OutputError>()("OutputError", { detail: Schema.String }) {
  static readonly ids = { Any: "PXF-OUTPUT-FAILED" }
  /** See docs/errors.md. */
  get id(): string {
    return OutputError.ids.Any
  }
  override readonly [Runtime.errorExitCode] = ExitCode.OUTPUT_FAILED
  override get message(): string {
    return `cannot write to stdout: ${this.detail}`
  }
}

/** Writing, and what may end it. */
export type Write = Effect.Effect<void, OutputError | ExitCode.Ended>

export interface Output {
  /** Adds text; returns when it has been taken or fits in what is collected. */
  readonly text: (text: string) => Write
  /** Writes bytes, after the text so far. They are not used any more when it returns. */
  readonly bytes: (bytes: Uint8Array) => Write
  /** Writes what has been collected. To be called at the end. */
  readonly flush: Write
}

/** Characters collected before they are written. */
const COLLECTED = 64 * 1024

/** Milliseconds between tries to write to a terminal or pipe that somebody has set not to wait. */
const RETRY = 5

export interface Options {
  /** Stdout unless said otherwise. */
  readonly descriptor?: number
  /** Text appears at once, in place of a progress line: for commands that take long, on a terminal. */
  readonly live?: boolean
}

/** Erases the line that `Progress` may have drawn. */
const CLEAR = "\r\u001b[K"

/** For commands that take long: what they find appears at once if stdout is a terminal. */
export const makeLive = (): Output => make({ live: process.stdout.isTTY })

export const make = ({ descriptor = 1, live = false }: Options = {}): Output => {
  let collected = ""

  const flush: Write = Effect.suspend(() => {
    if (collected === "") return Effect.void
    const text = Bytes.fromText(collected)
    collected = ""
    return writeAll(descriptor, text)
  })

  return {
    flush,
    text: (text) =>
      Effect.suspend(() => {
        collected += live ? CLEAR + text : text
        return collected.length < COLLECTED && !live ? Effect.void : flush
      }),
    bytes: (bytes) => Effect.andThen(flush, writeAll(descriptor, bytes)),
  }
}

const writeAll = (descriptor: number, bytes: Uint8Array): Write =>
  Effect.callback((resume) => {
    let written = 0
    const step = (): void => {
      fs.write(descriptor, bytes, written, bytes.length - written, null, (error, count) => {
        if (error !== null) {
          if (error.code === "EAGAIN") return void setTimeout(step, RETRY)
          return resume(
            error.code === "EPIPE"
              ? Effect.fail(new ExitCode.Ended({ code: ExitCode.OUTPUT_CLOSED }))
              : Effect.fail(new OutputError({ detail: error.message })),
          )
        }
        written += count
        if (written < bytes.length) step()
        else resume(Effect.void)
      })
    }
    if (bytes.length === 0) resume(Effect.void)
    else step()
  })
