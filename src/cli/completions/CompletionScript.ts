/**
 * Completion scripts: Effect's for commands, flags and file names, with paths inside archives put in.
 *
 * Effect's generator knows choices, which it completes from a list. Arguments and flags that are paths inside the archive
 * are given to it as a choice of one word that nobody types, and where the script has that word it gets a function that asks
 * `pxar-fuse complete-path`. A test types at each of the shells.
 */
import * as fs from "node:fs"
import type * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"

export type Shell = "bash" | "zsh" | "fish"

/** The script for a shell. */
export const make = (shell: Shell, command: Command.Command.Any): string => {
  const described = Completions.fromCommand(command)
  switch (shell) {
    case "bash":
      return bash(described)
    case "zsh":
      return zsh(described)
    case "fish":
      return fish(described)
  }
}

type Described = Completions.CommandDescriptor

const WORD = "PXAR_FUSE_PATHS"

const PATHS = { _tag: "Choice", values: [WORD] } as const

/** What kind of file an argument or flag is, by its name. */
const fileOf = (name: string): FileType | undefined => {
  if (/^(?:mountpoint|dir)$/.test(name)) return { _tag: "Path", pathType: "directory" }
  return /^(?:archive|other)$|payload$|-file$/.test(name) ? { _tag: "Path", pathType: "either" } : undefined
}

type FileType = Extract<Completions.FlagType, { readonly _tag: "Path" }>

/** A command with the types that its parameters do not tell; those of files where the shell needs them. */
const typed = (described: Described, files: boolean): Described => ({
  ...described,
  flags: described.flags.map((flag) =>
    withType(flag, flag.name === "subdir" ? PATHS : files ? fileOf(flag.name) : undefined),
  ),
  arguments: described.arguments.map((argument) =>
    withType(argument, argument.name === "path" ? PATHS : files ? fileOf(argument.name) : undefined),
  ),
  subcommands: described.subcommands.map((command) => typed(command, files)),
})

const withType = <A extends { readonly type: Completions.FlagType | Completions.ArgumentType }>(
  described: A,
  type: A["type"] | undefined,
): A => (type === undefined ? described : { ...described, type })

/** Flags whose value is the next word. */
const valueFlags = ({ flags, subcommands }: Described): ReadonlyArray<string> => [
  ...flags.flatMap(({ aliases, name, type }) =>
    type._tag === "Boolean" ? [] : [`--${name}`, ...aliases.map((alias) => `-${alias}`)],
  ),
  ...subcommands.flatMap(valueFlags),
]

/** The functions that complete paths inside archives. The files lie beside the program, built or not. */
const paths = (shell: Shell, described: Described): string =>
  fs
    .readFileSync(new URL(`paths.${shell}`, import.meta.url), "utf8")
    .replace("VALUE_FLAGS", [...new Set(valueFlags(described))].join(shell === "fish" ? " " : "|"))

/** Bash completes file names best by itself: it does where nothing else is said. */
const bash = (described: Described): string =>
  Completions.generate("pxar-fuse", "bash", typed(described, false))
    .replaceAll(`_pxar_fuse--choices "$cur" "$_comp_word" '${WORD}'`, "_pxar_fuse--archive-paths")
    .replace("complete -F _pxar_fuse ", "complete -o bashdefault -o default -F _pxar_fuse ")
    .replace(/^#\n# Static[^]*?^#\n\n/m, () => paths("bash", described))

const zsh = (described: Described): string =>
  Completions.generate("pxar-fuse", "zsh", typed(described, true))
    .replaceAll(`:(${WORD})'`, ":_pxar_fuse_archive_paths'")
    .replace(/^#\n# Static[^]*?^#\n\n/m, () => paths("zsh", described))

/** Fish has no positions: arguments are told apart by how many there are before them. */
const fish = (described: Described): string => {
  const withPaths = described.subcommands.filter((command) => command.arguments.some(({ name }) => name === "path"))
  const { subcommands, ...rest } = typed(described, true)
  const others = subcommands.map((command) =>
    withPaths.some(({ name }) => name === command.name) ? withoutArguments(command) : command,
  )
  const lines = withPaths.flatMap(({ arguments: all, name }) =>
    all.map((argument, index) => {
      const count = `(count (__pxar_fuse_arguments)) ${argument.variadic ? "-ge" : "-eq"} ${index}`
      const complete = argument.name === "path" ? "-f -a '(__pxar_fuse_archive_paths)'" : "-F"
      return `complete -c pxar-fuse -n '__fish_seen_subcommand_from ${name}; and test ${count}' ${complete}`
    }),
  )
  const script = Completions.generate("pxar-fuse", "fish", { ...rest, subcommands: others }).replaceAll(
    `-a '${WORD}'`,
    "-a '(__pxar_fuse_archive_paths)'",
  )
  return [script, paths("fish", described), ...lines, ""].join("\n")
}

const withoutArguments = (described: Described): Described => ({ ...described, arguments: [] })
