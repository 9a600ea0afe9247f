/**
 * `pxar-fuse status [MOUNTPOINT]`: which archives are mounted, by whom, since when, and what that has cost so far.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Option from "effect/Option"
import { handlers } from "../fast/Handlers.ts"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"

const parameters = {
  mountPoint: Argument.String("mountpoint").pipe(
    Argument.withDescription("Only this mount (default: all)"),
    Argument.optional,
    Argument.map(Option.getOrUndefined),
  ),
  json: Parameters.json,
  ...Parameters.messages,
}

export const command = Command.make("status", parameters, Lazy.handler(handlers.status)).pipe(
  Command.withDescription("Show which archives are mounted, and what their mounts do"),
  Command.withExamples([{ command: "pxar-fuse status", description: "All mounts of archives" }]),
)
