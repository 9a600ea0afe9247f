/**
 * The command `pxar-fuse` with all its subcommands: what can be typed, not yet what happens. A subcommand is loaded when it is
 * asked for, so that none pays for the flags of all others.
 */
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"
import * as Effect from "effect/Effect"
import * as ExitCode from "./ExitCode.ts"
import { bareValues, type Grammar } from "./Grammar.ts"
import * as Help from "./Help.ts"
export { version } from "./Version.ts"

type PxarFuse = Command.Command<"pxar-fuse", object, object, ExitCode.Ended, ExitCode.OnInterrupt>

interface Entry {
  /** The name, and what else it is called. */
  readonly names: readonly [name: string, ...aliases: ReadonlyArray<string>]
  readonly load: () => Promise<Command.Command.Any>
}

/** A subcommand, which can need and fail with no more than this. */
const entry = <Name extends string, Input, ContextInput>(
  name: Name,
  load: () => Promise<{
    readonly command: Command.Command<Name, Input, ContextInput, ExitCode.Ended, ExitCode.OnInterrupt>
  }>,
  ...aliases: ReadonlyArray<string>
): Entry => ({ names: [name, ...aliases], load: async () => (await load()).command })

const groups: ReadonlyArray<{ readonly group: string; readonly commands: ReadonlyArray<Entry> }> = [
  {
    group: "MOUNT",
    commands: [
      entry("mount", () => import("./mount/MountCommand.ts")),
      entry("unmount", () => import("./control/UnmountCommand.ts"), "umount"),
      entry("status", () => import("./control/StatusCommand.ts")),
    ],
  },
  {
    group: "LOOK INSIDE AND RESTORE",
    commands: [
      entry("browse", () => import("./browse/BrowseCommand.ts")),
      entry("serve", () => import("./serve/ServeCommand.ts")),
      entry("snapshots", () => import("./repository/SnapshotsCommand.ts")),
      entry("keys", () => import("./repository/KeysCommand.ts")),
      entry("cache", () => import("./repository/CacheCommand.ts")),
      entry("list", () => import("./archive/ListCommand.ts"), "ls"),
      entry("cat", () => import("./archive/CatCommand.ts")),
      entry("info", () => import("./archive/InfoCommand.ts")),
      entry("extract", () => import("./archive/ExtractCommand.ts")),
    ],
  },
  {
    group: "ASK ALL BACKUPS",
    commands: [
      entry("index", () => import("./history/IndexCommand.ts")),
      entry("find", () => import("./history/FindCommand.ts")),
      entry("versions", () => import("./history/VersionsCommand.ts")),
      entry("bisect", () => import("./history/BisectCommand.ts")),
      entry("stats", () => import("./history/StatsCommand.ts")),
      entry("drill", () => import("./history/DrillCommand.ts")),
      entry("inspect", () => import("./history/InspectCommand.ts")),
    ],
  },
  {
    group: "CHECK AND CREATE",
    commands: [
      entry("verify", () => import("./archive/VerifyCommand.ts")),
      entry("heal", () => import("./repository/HealCommand.ts")),
      entry("diff", () => import("./archive/DiffCommand.ts")),
      entry("create", () => import("./archive/CreateCommand.ts")),
    ],
  },
  {
    group: "HELP AND SHELL",
    commands: [
      entry("help", async () => ({ command: (await import("./help/HelpCommand.ts")).make(whole()) })),
      entry("explain", () => import("./help/ExplainCommand.ts")),
      entry("doctor", () => import("./help/DoctorCommand.ts")),
      entry("completions", async () => ({
        command: (await import("./completions/CompletionsCommand.ts")).make(whole()),
      })),
      entry("complete-path", () => import("./completions/CompletePathCommand.ts")),
      entry("complete-word", () => import("./completions/CompleteWordCommand.ts")),
    ],
  },
]

const exitCodes: Help.Section = {
  title: "EXIT CODES",
  note: "the same in all commands",
  rows: ExitCode.meanings.map(([code, meaning]) => [String(code), meaning]),
}

/** The command with these subcommands. */
const make = (
  subcommands: ReadonlyArray<{ readonly group: string; readonly commands: ReadonlyArray<Command.Command.Any> }>,
) =>
  Command.make("pxar-fuse").pipe(
    Command.withDescription("Proxmox pxar backup archives, without a Proxmox server"),
    Command.withSubcommands(subcommands.filter(isNonEmpty)),
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

const isNonEmpty = <A extends { readonly commands: ReadonlyArray<Command.Command.Any> }>(
  group: A,
): group is A & { readonly commands: readonly [Command.Command.Any, ...ReadonlyArray<Command.Command.Any>] } =>
  group.commands.length > 0

/** The command, and what its command line is read by. */
export interface Loaded {
  readonly command: PxarFuse
  /** All subcommands; without flags those that were not loaded. */
  readonly grammar: Grammar
}

/** Loads the subcommand of this name; all of them if it is no such name. */
export const load = (name?: string): Effect.Effect<Loaded> =>
  Effect.promise(async () => {
    const entries = groups.flatMap(({ commands }) => commands)
    const wanted = entries.filter(({ names }) => name !== undefined && names.includes(name))
    const loaded = new Map(
      await Promise.all(
        (wanted.length === 0 ? entries : wanted).map(async (entry) => [entry, await entry.load()] as const),
      ),
    )
    return {
      // What the subcommands need and fail with their entries have checked.
      command: make(
        groups.map(({ commands, group }) => ({
          group,
          commands: commands.map((entry) => loaded.get(entry)).filter((command) => command !== undefined),
        })),
      ) as PxarFuse,
      grammar: entries.map((entry) => ({ names: entry.names, flags: flagsOf(loaded.get(entry)) })),
    }
  })

const flagsOf = (command: Command.Command.Any | undefined): Grammar[number]["flags"] =>
  command === undefined
    ? []
    : Completions.fromCommand(command).flags.map(({ aliases, name, type }) => ({
        name,
        aliases,
        takesValue: type._tag !== "Boolean",
        bare: bareValues[name],
      }))

const whole = (): Effect.Effect<Command.Command.Any> => Effect.map(load(), ({ command }) => command)
