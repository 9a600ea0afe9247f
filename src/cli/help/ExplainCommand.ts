/**
 * `pxar-fuse explain ID`: what an error means, why it comes, and what to do about it.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Option from "effect/Option"
import * as Lazy from "../Lazy.ts"

const parameters = {
  id: Argument.String("id").pipe(
    Argument.withDescription("What is in brackets at the end of a message, or its beginning (default: a list of all)"),
    Argument.optional,
    Argument.map(Option.getOrUndefined),
  ),
}

export const command = Command.make(
  "explain",
  parameters,
  Lazy.handler(() => import("./ExplainHandler.ts")),
).pipe(
  Command.withDescription("Say what an error means, and what to do"),
  Command.withExamples([{ command: "pxar-fuse explain PXF-KEY-PASSPHRASE", description: "What does that mean?" }]),
)
