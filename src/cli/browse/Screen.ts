/**
 * The terminal as a screen that frames are drawn on.
 *
 * It uses the terminal's alternate screen for as long as its scope lives. However the program ends, short of SIGKILL,
 * the terminal is as it was: by the scope, or at the latest when the process exits.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import type { PlatformError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import type * as Terminal from "effect/Terminal"
import type { Frame } from "./BrowseView.ts"

export interface Screen {
  /** Draws what has changed since the last frame; returns when the terminal has taken it. */
  readonly draw: (frame: Frame) => Effect.Effect<void, PlatformError>
}

/** Alternate screen, no cursor, no line wrap; and back. */
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J"
const LEAVE = "\u001b[?2026l\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l"

/** Between these a terminal that can shows nothing half drawn; others ignore them. */
const BEGIN = "\u001b[?2026h\u001b[?25l"
const END = "\u001b[?2026l"

const STDOUT = 1

/** Writes past the buffers of the stream, for the very end. A terminal that is gone needs nothing. */
const leave = (): void => {
  try {
    fs.writeSync(STDOUT, LEAVE)
  } catch {
    // Gone, or full: there is nobody left to tell.
  }
}

export const open = (terminal: Terminal.Terminal): Effect.Effect<Screen, PlatformError, Scope.Scope> =>
  Effect.gen(function* () {
    yield* Effect.acquireRelease(
      Effect.sync(() => void process.on("exit", leave)),
      () =>
        Effect.sync(() => {
          process.off("exit", leave)
          leave()
        }),
    )
    yield* terminal.display(ENTER)
    let shown: Frame = { lines: [], cursor: undefined, generation: "" }
    return {
      draw: (frame) =>
        Effect.suspend(() => {
          const isNew = frame.generation !== shown.generation
          let text = BEGIN + (isNew ? "\u001b[2J" : "")
          for (const [index, line] of frame.lines.entries()) {
            if (isNew || line !== shown.lines[index]) text += `\u001b[${index + 1};1H\u001b[2K${line}`
          }
          if (frame.cursor !== undefined) text += `\u001b[${frame.cursor.join(";")}H\u001b[?25h`
          shown = frame
          return terminal.display(text + END)
        }),
    }
  })
