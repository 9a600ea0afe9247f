/**
 * `pxar-fuse completions SHELL`: prints a script for a shell.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Lazy from "../Lazy.ts"

const parameters = {
  shell: Argument.Literals("shell", ["bash", "zsh", "fish"]).pipe(Argument.withDescription("The shell to complete in")),
}

/** The command that completes a command which it is itself part of. */
export const make = (completed: Effect.Effect<Command.Command.Any>) => {
  const complete = Lazy.handler(() => import("./CompletionsHandler.ts"))
  return Command.make("completions", parameters, ({ shell }) =>
    Effect.flatMap(completed, (command) => complete({ shell, command })),
  ).pipe(
    Command.withDescription("Print a script that completes commands, flags and paths inside archives"),
    Command.withExamples([
      { command: "source <(pxar-fuse completions bash)", description: "In ~/.bashrc" },
      {
        command: "pxar-fuse completions zsh > ~/.zsh/completions/_pxar-fuse",
        description: "With that folder in fpath",
      },
      { command: "pxar-fuse completions fish > ~/.config/fish/completions/pxar-fuse.fish", description: "Once" },
    ]),
  )
}
