/**
 * `pxar-fuse help [COMMAND]`: what `--help` shows.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Lazy from "../Lazy.ts"

const parameters = {
  name: Argument.String("command").pipe(
    Argument.withDescription("A command (default: what there is to say about all)"),
    Argument.optional,
    Argument.map(Option.getOrUndefined),
  ),
}

/** The command that explains a command which it is itself part of. */
export const make = (explained: Effect.Effect<Command.Command.Any>) => {
  const explain = Lazy.handler(() => import("./HelpHandler.ts"))
  return Command.make("help", parameters, ({ name }) =>
    Effect.flatMap(explained, (command) => explain({ name, command })),
  ).pipe(
    Command.withDescription("Show what a command does, and its flags"),
    Command.withExamples([{ command: "pxar-fuse help mount", description: "All about mounting" }]),
  )
}
