/**
 * Handlers whose modules are loaded when the command is run, so that `--help` does not pay for what it does not use.
 */
import * as Effect from "effect/Effect"

/** A module with the handler of a command. */
interface Module<Input, E, R> {
  readonly handler: (input: Input) => Effect.Effect<void, E, R>
}

export const handler =
  <Input, E, R>(load: () => Promise<Module<Input, E, R>>) =>
  (input: Input): Effect.Effect<void, E, R> =>
    Effect.flatMap(Effect.promise(load), (module) => module.handler(input))
