/**
 * What `--help`, `--version` and a wrong command line print.
 *
 * The help of a command is made from its parameters, and from the sections it is annotated with; the man page is made
 * from the same. A wrong command line is answered with one line a mistake, not with the whole help.
 */
import * as CliOutput from "effect/cli/CliOutput"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import type { HelpDoc } from "effect/cli/HelpDoc"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Mistake from "./Mistake.ts"
import * as Terminal from "./Terminal.ts"

/** A section of a command's help: terms, and what they mean, with code in backticks. */
export interface Section {
  readonly title: string
  /** What is true of all of them, in half a sentence. */
  readonly note?: string
  readonly rows: ReadonlyArray<readonly [term: string, meaning: string]>
}

/** The annotation of a command with the sections that follow its flags. */
export const Sections: Context.Reference<ReadonlyArray<Section>> = Context.Reference<ReadonlyArray<Section>>(
  "pxar-fuse/cli/Help/Sections",
  { defaultValue: () => [] },
)

/** The sections of a command. */
export const sections = (doc: HelpDoc): ReadonlyArray<Section> => Context.get(doc.annotations, Sections)

/** The flags of every command line. */
export const builtIns: ReadonlyArray<GlobalFlag.BuiltIn> = [
  GlobalFlag.Help,
  {
    ...GlobalFlag.Version,
    flag: Flag.Boolean("version").pipe(
      Flag.withAlias("V"),
      Flag.withDescription("Show version information"),
      Flag.withDefault(false),
    ),
  },
]

export const presenter: CliOutput.Presenter = {
  present: (event) => {
    switch (event._tag) {
      case "Help":
        return Effect.flatMap(TerminalCapabilities.TerminalCapabilities, ({ canColor }) => {
          if (event.reason === "Requested") return Console.log(format(event.helpDoc, canColor))
          // Nobody asked for it: it is what is wrong with the command line.
          return Console.error(
            event.commandPath.length > 1 ? format(event.helpDoc, canColor) : start(event.helpDoc, canColor),
          )
        })
      case "InvalidInvocation":
        return Effect.forEach(
          event.errors,
          (error) => Terminal.say(`${Mistake.describe(error)} (see ${event.commandPath.join(" ")} --help)`),
          { discard: true },
        )
      case "Version":
        return CliOutput.defaultPresenter.present(event)
    }
  },
}

const format = (doc: HelpDoc, colors: boolean): string =>
  [
    CliOutput.defaultFormatter({ colors }).formatHelpDoc(doc),
    ...sections(doc).map((section) => table(section, colors)),
  ].join("\n\n")

/** How to begin, on one screen: for who types the name of the program and no more. */
const start = ({ globalFlags: _flags, subcommands: _commands, ...doc }: HelpDoc, colors: boolean): string =>
  [
    CliOutput.defaultFormatter({ colors }).formatHelpDoc(doc),
    "",
    "In place of root.pxar there can be the datastore of a backup server: its folder, or an address.",
    "All commands: pxar-fuse --help. Does it work here? pxar-fuse doctor",
  ].join("\n")

const table = ({ note, rows, title }: Section, colors: boolean): string => {
  const width = Math.min(24, Math.max(...rows.map(([term]) => term.length)))
  const lines = rows.map(([term, marked]) => {
    const meaning = marked.replaceAll("`", "")
    // A long term has a line of its own.
    return term.length > width ? `  ${term}\n  ${" ".repeat(width)}  ${meaning}` : `  ${term.padEnd(width)}  ${meaning}`
  })
  const heading = colors ? `\u001b[1m${title}\u001b[0m` : title
  return [note === undefined ? heading : `${heading} (${note})`, ...lines].join("\n")
}
