/**
 * The command `pxar-fuse` with all its subcommands: what can be typed, not yet what happens.
 */
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"
import * as MountOptions from "../fuse/mount/MountOptions.ts"
import * as CacheCommand from "./repository/CacheCommand.ts"
import * as BrowseCommand from "./browse/BrowseCommand.ts"
import * as CatCommand from "./archive/CatCommand.ts"
import * as CompletePathCommand from "./completions/CompletePathCommand.ts"
import * as CompletionsCommand from "./completions/CompletionsCommand.ts"
import * as CreateCommand from "./archive/CreateCommand.ts"
import * as DiffCommand from "./archive/DiffCommand.ts"
import * as DoctorCommand from "./help/DoctorCommand.ts"
import * as ExitCode from "./ExitCode.ts"
import * as ExplainCommand from "./help/ExplainCommand.ts"
import * as ExtractCommand from "./archive/ExtractCommand.ts"
import { bareValues, type Grammar } from "./Grammar.ts"
import * as Help from "./Help.ts"
import * as HealCommand from "./repository/HealCommand.ts"
import * as HelpCommand from "./help/HelpCommand.ts"
import * as InfoCommand from "./archive/InfoCommand.ts"
import * as ListCommand from "./archive/ListCommand.ts"
import * as MountCommand from "./mount/MountCommand.ts"
import * as KeysCommand from "./repository/KeysCommand.ts"
import * as ServeCommand from "./serve/ServeCommand.ts"
import * as SnapshotsCommand from "./repository/SnapshotsCommand.ts"
import * as StatusCommand from "./control/StatusCommand.ts"
import * as UnmountCommand from "./control/UnmountCommand.ts"
import * as VerifyCommand from "./archive/VerifyCommand.ts"
export { version } from "./Version.ts"

const mountOptions: Help.Section = {
  title: "MOUNT OPTIONS",
  note: "words of -o, with commas between them; every long flag is one too",
  rows: MountOptions.meanings,
}

const exitCodes: Help.Section = {
  title: "EXIT CODES",
  note: "the same in all commands",
  rows: ExitCode.meanings.map(([code, meaning]) => [String(code), meaning]),
}

export const command = Command.make("pxar-fuse").pipe(
  Command.withDescription("Proxmox pxar backup archives, without a Proxmox server"),
  Command.withSubcommands([
    {
      group: "MOUNT",
      commands: [
        MountCommand.command.pipe(Command.annotate(Help.Sections, [mountOptions])),
        UnmountCommand.command,
        StatusCommand.command,
      ],
    },
    {
      group: "LOOK INSIDE AND RESTORE",
      commands: [
        BrowseCommand.command,
        ServeCommand.command,
        SnapshotsCommand.command,
        KeysCommand.command,
        CacheCommand.command,
        ListCommand.command,
        CatCommand.command,
        InfoCommand.command,
        ExtractCommand.command,
      ],
    },
    {
      group: "CHECK AND CREATE",
      commands: [VerifyCommand.command, HealCommand.command, DiffCommand.command, CreateCommand.command],
    },
    {
      group: "HELP AND SHELL",
      commands: [
        HelpCommand.make((): Command.Command.Any => command),
        ExplainCommand.command,
        DoctorCommand.command,
        CompletionsCommand.make((): Command.Command.Any => command),
        CompletePathCommand.command,
      ],
    },
  ]),
  Command.withExamples([
    { command: "pxar-fuse mount root.pxar /mnt", description: "Mount a backup" },
    { command: "cp -a /mnt/home/ada/letter.txt ~", description: "Copy a file out of it" },
    { command: "pxar-fuse unmount /mnt", description: "End the mount" },
    { command: "pxar-fuse list -l --numeric-ids root.pxar home/ada", description: "Without a mount: look inside" },
    {
      command: "pxar-fuse extract root.pxar /srv/restored home/ada",
      description: "Restore a folder with all attributes",
    },
  ]),
  Command.annotate(Help.Sections, [exitCodes]),
)

export const grammar: Grammar = command.subcommands
  .flatMap(({ commands }) => commands)
  .map((subcommand) => ({
    names: [subcommand.name, ...(subcommand.alias === undefined ? [] : [subcommand.alias])],
    flags: Completions.fromCommand(subcommand).flags.map(({ aliases, name, type }) => ({
      name,
      aliases,
      takesValue: type._tag !== "Boolean",
      bare: bareValues[name],
    })),
  }))
