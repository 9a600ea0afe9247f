/**
 * The manual page: the prose of `docs/pxar-fuse.1.in` with what `--help` says put in. Its language is man(7).
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import type { ArgDoc, FlagDoc, HelpDoc } from "effect/cli/HelpDoc"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as ExitCode from "../src/cli/ExitCode.ts"
import * as Help from "../src/cli/Help.ts"
import * as PxarFuse from "../src/cli/PxarFuse.ts"

/** What `--help` shows of a command. */
const helpOf = (...commandPath: ReadonlyArray<string>): Effect.Effect<HelpDoc> =>
  Effect.gen(function* () {
    let doc: HelpDoc | undefined
    const presenter: CliOutput.Presenter = {
      present: (event) => Effect.sync(() => void (doc = event._tag === "Help" ? event.helpDoc : undefined)),
    }
    const { command } = yield* PxarFuse.load()
    yield* Command.runWith(command, { version: PxarFuse.version })([...commandPath, "--help"]).pipe(
      Effect.provide(
        Layer.mergeAll(
          NodeServices.layer,
          Layer.effect(ExitCode.OnInterrupt, Ref.make(ExitCode.INTERRUPTED)),
          CliOutput.layerPresenter(presenter),
          CliConfig.layer({ builtIns: Help.builtIns }),
        ),
      ),
      Effect.orDie,
    )
    return doc ?? (yield* Effect.die(new Error(`no help of ${commandPath.join(" ")}`)))
  })

/** The help of `pxar-fuse` and of each of its commands. */
export const help: Effect.Effect<{ readonly root: HelpDoc; readonly commands: ReadonlyArray<HelpDoc> }> = Effect.gen(
  function* () {
    const root = yield* helpOf()
    const names = (root.subcommands ?? []).flatMap(({ commands }) => commands.map(({ name }) => name))
    return { root, commands: yield* Effect.forEach(names, (name) => helpOf(name)) }
  },
)

export const manPage: Effect.Effect<string> = Effect.gen(function* () {
  const { commands, root } = yield* help
  const parts: Readonly<Record<string, ReadonlyArray<string>>> = {
    SYNOPSIS: commands.flatMap(synopsis),
    COMMANDS: [
      ".SH COMMANDS",
      ...commands.flatMap(commandPart),
      ...flagsPart("In all commands", root.globalFlags ?? []),
    ],
    SECTIONS: commands.flatMap((doc) => Help.sections(doc).flatMap(sectionPart)),
    EXITCODES: Help.sections(root).flatMap(sectionPart),
    EXAMPLES: examples(root),
  }
  const source = fs.readFileSync(path.join(import.meta.dirname, "../docs/pxar-fuse.1.in"), "utf8")
  return source
    .replaceAll("@VERSION@", PxarFuse.version)
    .replace(/^@(\w+)@$/gm, (_, name: string) => (parts[name] ?? [`no part ${name}`]).join("\n"))
})

/** Text as it is, in a line of its own or within one. */
const escaped = (text: string): string =>
  text
    .replaceAll("\\", String.raw`\e`)
    .replaceAll("-", String.raw`\-`)
    .replace(/^[.']/, String.raw`\&$&`)

/** Text with code in backticks, which becomes bold. */
const marked = (text: string): string =>
  text
    .split("`")
    .map((part, index) => (index % 2 === 0 ? escaped(part) : `\\fB${escaped(part)}\\fR`))
    .join("")

const bold = (text: string): string => `\\fB${escaped(text)}\\fR`
const italic = (text: string): string => `\\fI${escaped(text)}\\fR`

const nameOf = (doc: HelpDoc): string => (doc.commandPath ?? []).slice(1).join(" ")

const argument = ({ name, required, variadic }: ArgDoc): string => {
  const shown = `${italic(name)}${variadic ? "..." : ""}`
  return required ? shown : `[${shown}]`
}

const synopsis = (doc: HelpDoc): ReadonlyArray<string> => [
  `${bold(`pxar-fuse ${nameOf(doc)}`)} [${italic("flags")}] ${(doc.args ?? []).map(argument).join(" ")}`,
  ".br",
]

const item = (term: string, meaning: string): ReadonlyArray<string> => [".TP", term, meaning]

const flag = ({ aliases, description, name, type }: FlagDoc): ReadonlyArray<string> =>
  item(
    [...aliases, `--${name}`].map(bold).join(", ") + (type === "boolean" ? "" : ` ${italic(type)}`),
    marked(Option.getOrElse(description, () => "")),
  )

const flagsPart = (title: string, flags: ReadonlyArray<FlagDoc>): ReadonlyArray<string> => [
  `.SS ${escaped(title)}`,
  ...flags.flatMap(flag),
]

const commandPart = (doc: HelpDoc): ReadonlyArray<string> => [
  `.SS ${escaped(nameOf(doc))}`,
  `${marked(doc.description)}.`,
  ...(doc.args ?? []).flatMap((arg) => item(argument(arg), marked(Option.getOrElse(arg.description, () => "")))),
  ...doc.flags.flatMap(flag),
  ".P",
  "Examples:",
  ...examples(doc),
]

const examples = (doc: HelpDoc): ReadonlyArray<string> =>
  (doc.examples ?? []).flatMap(({ command, description = "" }) => item(bold(command), marked(description)))

const sectionPart = ({ note, rows, title }: Help.Section): ReadonlyArray<string> => [
  `.SH ${escaped(title)}`,
  ...(note === undefined ? [] : [`${escaped(note.charAt(0).toUpperCase() + note.slice(1))}.`]),
  ...rows.flatMap(([term, meaning]) => item(bold(term), marked(meaning))),
]
