/**
 * Flags and arguments that several commands share.
 */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as LogLine from "./LogLine.ts"
import * as Progress from "./Progress.ts"

export const archive = Argument.String("archive").pipe(
  Argument.withDescription("The archive: X.pxar, or X.mpxar of a split archive"),
)

/** `undefined` unless it is given. */
export const optional = <A>(flag: Flag.Flag<A>): Flag.Flag<A | undefined> =>
  flag.pipe(Flag.optional, Flag.map(Option.getOrUndefined))

/** Path of the payload archive, or `undefined` for the one beside the archive. */
export const payload = Flag.String("payload").pipe(
  Flag.withDescription("Payload archive of a split archive (default: X.ppxar beside X.mpxar)"),
  Flag.withMetavar("FILE"),
  optional,
)

/** A flag that is off unless it is given. */
export const flag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withoutNegation, Flag.withDefault(false))

export const json = flag("json", "Print JSON for programs")

/** How `Progress` is shown. */
const progress = Flag.Literals("progress", Progress.modes).pipe(
  Flag.withDescription("A line on a terminal, JSON on stderr for front ends, or no progress"),
  Flag.withMetavar("auto|json|none"),
  Flag.withDefault("auto"),
)

const logFormat = Flag.Literals("log-format", LogLine.formats).pipe(
  Flag.withDescription("Messages as text, or as one JSON object a line"),
  Flag.withMetavar("text|json"),
  Flag.withDefault("text"),
)

/** How much a command says besides its results, and how. Read before its handler is. */
export const messages = {
  quiet: Flag.withAlias(flag("quiet", "No progress, and no messages but those about problems"), "q"),
  verbose: Flag.withAlias(flag("verbose", "Say what was done too"), "v"),
  logFormat,
}

/** Of commands that take long. */
export const reporting = { progress, ...messages }
