/**
 * What `pxar-fuse completions` does (see `CompletionsCommand`).
 */
import type * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as CompletionScript from "./CompletionScript.ts"
import * as Output from "../Output.ts"

export interface Input {
  readonly shell: CompletionScript.Shell
  /** What the script completes. */
  readonly command: Command.Command.Any
}

export const handler = ({ command, shell }: Input): Output.Write => {
  const output = Output.make()
  return Effect.andThen(output.text(CompletionScript.make(shell, command)), output.flush)
}
