/**
 * Completion scripts: Effect's for commands, flags and file names, with paths inside archives put in.
 *
 * Effect's generator knows choices, which it completes from a list. Arguments and flags that are paths inside the archive,
 * mount points, mount options or addresses are given to it as a choice of one word that nobody types, and where the script
 * has that word it gets a function that asks `pxar-fuse complete-path` or `complete-word`. A test types at each of the shells.
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

/** Words that nobody types, in whose place a script gets a function. */
const words = {
  /** Paths inside the archive. */
  paths: "PXAR_FUSE_PATHS",
  /** Mount points of archives. */
  mounts: "PXAR_FUSE_MOUNTS",
  /** Words of `-o`. */
  options: "PXAR_FUSE_OPTIONS",
  /** Files, and addresses in a repository. */
  address: "PXAR_FUSE_ADDRESSES",
} as const

const choice = (word: keyof typeof words) => ({ _tag: "Choice", values: [words[word]] }) as const

/** What kind of file an argument or flag is, by its name; bash completes file names best by itself. */
const fileOf = (name: string) => {
  if (/^(?:mountpoint|dir)$/.test(name)) return { _tag: "Path", pathType: "directory" } as const
  if (/^(?:archive|other)$/.test(name)) return choice("address")
  return /payload$|-file$/.test(name) ? ({ _tag: "Path", pathType: "either" } as const) : undefined
}

/** Commands that are given mount points. */
const ENDING = /^(?:unmount|umount|status)$/

/** What an argument of a command is. */
const argumentOf = (command: string, name: string, files: boolean) => {
  if (name === "path") return choice("paths")
  if (name === "mountpoint" && ENDING.test(command)) return choice("mounts")
  return files ? fileOf(name) : undefined
}

const flagOf = (name: string, files: boolean) => {
  if (name === "subdir") return choice("paths")
  if (name === "options") return choice("options")
  return files ? fileOf(name) : undefined
}

/** A command with the types that its parameters do not tell; those of files where the shell needs them. */
const typed = (described: Described, files: boolean): Described => ({
  ...described,
  flags: described.flags.map((flag) => withType(flag, flagOf(flag.name, files))),
  arguments: described.arguments.map((argument) =>
    withType(argument, argumentOf(described.name, argument.name, files)),
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

/** What is put in place of the words that nobody types. */
const filled = (
  script: string,
  fill: (word: string, kind: keyof typeof words) => readonly [from: string, to: string],
) =>
  (Object.keys(words) as ReadonlyArray<keyof typeof words>).reduce((text, kind) => {
    const [from, to] = fill(words[kind], kind)
    return text.replaceAll(from, to)
  }, script)

/** Bash completes file names best by itself: it does where nothing else is said. It splits words at colons. */
const bash = (described: Described): string =>
  filled(Completions.generate("pxar-fuse", "bash", typed(described, false)), (word, kind) => [
    `_pxar_fuse--choices "$cur" "$_comp_word" '${word}'`,
    kind === "paths" ? "_pxar_fuse--archive-paths" : `_pxar_fuse--words ${kind}`,
  ])
    .replace(
      `  local _comp_word="$2"\n`,
      `  local _comp_word="$2"\n  if [[ "$cur" == *::* && "$cur" != -* ]]; then\n    _pxar_fuse--words address\n    return\n  fi\n`,
    )
    .replace("complete -F _pxar_fuse ", "complete -o bashdefault -o default -F _pxar_fuse ")
    .replace(/^#\n# Static[^]*?^#\n\n/m, () => paths("bash", described))

const zsh = (described: Described): string =>
  filled(Completions.generate("pxar-fuse", "zsh", typed(described, true)), (word, kind) => [
    `:(${word})'`,
    kind === "paths" ? ":_pxar_fuse_archive_paths'" : `: _pxar_fuse_words ${kind}'`,
  ]).replace(/^#\n# Static[^]*?^#\n\n/m, () => paths("zsh", described))

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
      const complete = argument.name === "path" ? "-f -a '(__pxar_fuse_archive_paths)'" : `-F ${ADDRESSES}`
      return `complete -c pxar-fuse -n '__fish_seen_subcommand_from ${name}; and test ${count}' ${complete}`
    }),
  )
  const script = filled(
    Completions.generate("pxar-fuse", "fish", { ...rest, subcommands: others }).replaceAll(
      `-f -a '${words.address}'`,
      `-F ${ADDRESSES}`,
    ),
    (word, kind) => [
      `-a '${word}'`,
      kind === "paths" ? "-a '(__pxar_fuse_archive_paths)'" : `-a '(__pxar_fuse_words ${kind})'`,
    ],
  )
  return [script, paths("fish", described), ...lines, ""].join("\n")
}

/** Beside files of this machine. */
const ADDRESSES = "-a '(__pxar_fuse_words address)'"

const withoutArguments = (described: Described): Described => ({ ...described, arguments: [] })
