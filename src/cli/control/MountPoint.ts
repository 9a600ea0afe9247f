/**
 * A mount point as it is given on the command line. An empty one is none: it would mean the folder one is in, and comes from
 * a variable that is not set.
 */
import * as Effect from "effect/Effect"
import * as ExitCode from "../ExitCode.ts"

/** Refuses an empty word. */
export const check = (word: string): Effect.Effect<void, ExitCode.Usage> =>
  word === ""
    ? Effect.fail(
        new ExitCode.Usage({ detail: "a mount point is empty: is a variable not set? For this folder type ." }),
      )
    : Effect.void
