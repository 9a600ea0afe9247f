/**
 * `pxar-fuse completions SHELL`: prints a script for a shell.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Lazy from "../Lazy.ts"

const parameters = {
  shell: Argument.Literals("shell", ["bash", "zsh", "fish"]).pipe(Argument.withDescription("The shell to complete in")),
}

export type Input = Command.Command.Config.Infer<typeof parameters>

export const command = Command.make(
  "completions",
  parameters,
  Lazy.handler(() => import("./CompletionsHandler.ts")),
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
