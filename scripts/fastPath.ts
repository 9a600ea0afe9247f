/**
 * Makes what the fast path of the command line goes by (`src/cli/fast`) from the definitions of the commands: texts of
 * `--help` as they are printed, and a table of the flags whose values are taken as they are.
 *
 * Which those are the library of command lines is asked: what does a handler get with this flag, and without?
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { isDeepStrictEqual } from "node:util"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import * as CommandLine from "../src/cli/CommandLine.ts"
import * as ExitCode from "../src/cli/ExitCode.ts"
import type { Parsed } from "../src/cli/fast/FastParser.ts"
import type * as FastTable from "../src/cli/fast/FastTable.ts"
import { handlers } from "../src/cli/fast/Handlers.ts"
import { bareValues } from "../src/cli/Grammar.ts"
import * as Help from "../src/cli/Help.ts"
import * as LibraryServices from "../src/cli/LibraryServices.ts"
import * as PxarFuse from "../src/cli/PxarFuse.ts"

/** The commands that have a fast path. */
export const names = ["mount", ...Object.keys(handlers)]

type Words = ReadonlyArray<string>

const services = Layer.mergeAll(
  LibraryServices.layer,
  Layer.effect(ExitCode.OnInterrupt, Ref.make(ExitCode.INTERRUPTED)),
  CliConfig.layer({ builtIns: Help.builtIns }),
)

/**
 * What the handler of a command gets by the general path; `undefined` where none is run. Members that are `undefined` are
 * left out.
 */
export const parsed = Effect.fnUntraced(function* (words: Words): Effect.fn.Return<Parsed | undefined> {
  const { command, grammar } = yield* PxarFuse.load(CommandLine.commandOf(words))
  const [subcommand] = command.subcommands.flatMap(({ commands }) => commands)
  const normal = CommandLine.normalize(words, grammar)
  if (subcommand === undefined || Result.isFailure(normal)) return undefined
  let input: Record<string, unknown> | undefined
  const observed = Command.withHandler(
    subcommand as Command.Command<string, Record<string, unknown>>,
    (given: Record<string, unknown>) => Effect.sync(() => void (input = given)),
  )
  yield* Command.runWith(Command.make("pxar-fuse").pipe(Command.withSubcommands([observed])), { version: "" })(
    normal.success,
  ).pipe(Effect.provide(Layer.merge(services, CliOutput.layerPresenter({ present: () => Effect.void }))), Effect.ignore)
  if (input === undefined) return undefined
  return {
    name: subcommand.name,
    input: Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)),
  }
})

/** What a command line prints on stdout by the general path. */
export const printed = Effect.fnUntraced(function* (words: Words, canColor = true): Effect.fn.Return<string> {
  const lines: Array<string> = []
  const console: Console.Console = { ...globalThis.console, log: (line: string) => void lines.push(line) }
  const { command, grammar } = yield* PxarFuse.load(CommandLine.commandOf(words))
  const normal = Result.getOrThrow(CommandLine.normalize(words, grammar))
  yield* Command.runWith(command, { version: PxarFuse.version })(normal).pipe(
    Effect.provide(Layer.merge(services, CliOutput.layerPresenter(Help.presenter))),
    Effect.provideService(Console.Console, console),
    Effect.provideService(TerminalCapabilities.TerminalCapabilities, {
      canColor,
      canAnimate: false,
      canPrompt: false,
    }),
    Effect.orDie,
  )
  return lines.map((line) => `${line}\n`).join("")
})

/** Values that a flag which takes any text does not change: one that means something for the flag would be refused, or changed. */
const PROBES = ["probe", "/some/where.txt", "two words", "7", "a=b,c", "name::x@y:z", "%x%Y", "ä\u0001"]

const flagOf = Effect.fnUntraced(function* (
  line: Words,
  base: Parsed,
  { name, type }: Completions.FlagDescriptor,
): Effect.fn.Return<FastTable.Flag | undefined> {
  /** What the flag changes, which must be one member. */
  const change = Effect.fnUntraced(function* (
    ...words: Words
  ): Effect.fn.Return<readonly [string, unknown] | undefined> {
    const { input } = (yield* parsed([...line, ...words])) ?? base
    const changed = Object.entries(input).filter(([key, value]) => !isDeepStrictEqual(value, base.input[key]))
    const [only] = changed
    return changed.length === 1 && Object.keys(base.input).every((key) => key in input) ? only : undefined
  })
  if (bareValues[name] !== undefined) return undefined
  if (type._tag === "Boolean") {
    const [key, value] = (yield* change(`--${name}`)) ?? []
    return key === undefined || value !== true ? undefined : { key, kind: "true" }
  }
  if (type._tag === "Choice") {
    const found = yield* Effect.forEach(type.values, (value) => change(`--${name}`, value))
    const keys = new Set(found.flatMap((each) => (each === undefined ? [] : [each[0]])))
    const [key] = keys
    const isPlain = found.every((each, index) =>
      each === undefined ? base.input[key ?? ""] === type.values[index] : each[1] === type.values[index],
    )
    return key === undefined || keys.size > 1 || !isPlain ? undefined : { key, kind: "choice", choices: type.values }
  }
  if (type._tag !== "String") return undefined
  const found = yield* Effect.forEach(PROBES, (probe) => change(`--${name}`, probe))
  const [key] = found[0] ?? []
  if (key === undefined || found.some((each) => each?.[0] !== key)) return undefined
  if (found.every((each, index) => each?.[1] === PROBES[index])) return { key, kind: "text" }
  const isList = found.every((each, index) => isDeepStrictEqual(each?.[1], [PROBES[index]]))
  return isList && isDeepStrictEqual(base.input[key], []) ? { key, kind: "texts" } : undefined
})

const commandOf = Effect.fnUntraced(function* (name: string): Effect.fn.Return<FastTable.Command> {
  const { command } = yield* PxarFuse.load(name)
  const [subcommand] = command.subcommands.flatMap(({ commands }) => commands)
  const { arguments: operands, flags } = Completions.fromCommand(subcommand as Command.Command.Any)
  // Which member of the input is which operand their values tell.
  const values = operands.map((_, index) => `operand-${index}`)
  const line = [name, ...values]
  const base = yield* parsed(line)
  const shorter = yield* Effect.forEach(values, (_, index) => parsed([name, ...values.slice(0, index)]))
  const least = shorter.filter((each) => each === undefined).length
  const shortest = least === values.length ? base : shorter[least]
  if (base === undefined || shortest === undefined) throw new Error(`${line.join(" ")}: cannot be read`)
  const input: Record<string, unknown> = { ...shortest.input }
  const found = operands.map(({ variadic }, index): FastTable.Operand => {
    const [key, value] = Object.entries(base.input).find(([, value]) => [value].flat().includes(values[index])) ?? []
    if (key === undefined || Array.isArray(value) !== variadic) throw new Error(`${name}: an operand of another kind`)
    if (index < least) delete input[key]
    return { key, kind: variadic ? "many" : "one", least: index < least ? 1 : 0 }
  })
  const known: Record<string, FastTable.Flag> = {}
  for (const flag of flags) {
    const fast = yield* flagOf(line, base, flag)
    if (fast === undefined) continue
    for (const spelling of [flag.name, ...flag.aliases]) {
      known[spelling.length === 1 ? `-${spelling}` : `--${spelling}`] = fast
    }
  }
  return { name: base.name, input, operands: found, flags: known }
})

/** The help of the program and of each command that it shows. */
const helpTexts = Effect.gen(function* () {
  const { command } = yield* PxarFuse.load()
  const shown = command.subcommands.flatMap(({ commands }) => commands).filter(({ unlisted }) => unlisted !== true)
  const texts = new Map([["", yield* printed(["--help"])]])
  for (const { alias, name } of shown) {
    for (const spelling of [name, ...(alias === undefined ? [] : [alias])]) {
      texts.set(spelling, yield* printed([spelling, "--help"]))
    }
  }
  return texts
})

/** Writes the table and the texts into a folder. */
export const make = Effect.fnUntraced(function* (folder: string): Effect.fn.Return<void> {
  fs.mkdirSync(folder, { recursive: true })
  const help: Record<string, string> = {}
  const texts = yield* helpTexts
  for (const [name, text] of texts) {
    // An alias has the same text.
    const known = [...texts].find(([, other]) => other === text)?.[0] ?? name
    help[name] = `${known === "" ? "pxar-fuse" : known}.txt`
    if (known === name) fs.writeFileSync(path.join(folder, help[name]), text)
  }
  const commands: Record<string, FastTable.Command> = {}
  for (const name of names) {
    const { command } = yield* PxarFuse.load(name)
    const [subcommand] = command.subcommands.flatMap(({ commands }) => commands)
    const made = yield* commandOf(name)
    for (const spelling of [name, subcommand?.alias]) if (spelling !== undefined) commands[spelling] = made
  }
  const table: FastTable.Table = { version: yield* printed(["--version"]), commands, help }
  fs.writeFileSync(path.join(folder, "table.json"), JSON.stringify(table))
})

if (import.meta.main) await Effect.runPromise(make("dist/cli/fast"))
