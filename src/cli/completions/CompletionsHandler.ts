/**
 * What `pxar-fuse completions` does (see `CompletionsCommand`).
 */
import * as Effect from "effect/Effect"
import * as CompletionScript from "./CompletionScript.ts"
import type { Input } from "./CompletionsCommand.ts"
import * as Output from "../Output.ts"
import * as PxarFuse from "../PxarFuse.ts"

export const handler = ({ shell }: Input): Output.Write => {
  const output = Output.make()
  return Effect.andThen(output.text(CompletionScript.make(shell, PxarFuse.command)), output.flush)
}
