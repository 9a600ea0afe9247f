/**
 * What `pxar-fuse help` does (see `HelpCommand`).
 */
import type * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as ExitCode from "../ExitCode.ts"
import * as Help from "../Help.ts"
import * as Mistake from "../Mistake.ts"

export interface Input {
  /** The name or alias of a command. */
  readonly name: string | undefined
  /** The command that this is one of. */
  readonly command: Command.Command.Any
}

export const handler = Effect.fn("help")(function* ({ command, name }: Input) {
  const commands = command.subcommands.flatMap(({ commands }) => commands)
  const found = commands.find((command) => name !== undefined && [command.name, command.alias].includes(name))
  if (name !== undefined && found === undefined) {
    const names = commands.filter(({ unlisted }) => unlisted !== true).map(({ name }) => name)
    return yield* new ExitCode.Usage({ detail: `${Mistake.unknownCommand(name, names)} (see pxar-fuse --help)` })
  }
  const commandPath = [command.name, ...(found === undefined ? [] : [found.name])]
  yield* GlobalFlag.Help.run(true, { builtIns: Help.builtIns, command, commandPath, version: "" })
})
