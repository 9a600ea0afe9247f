/**
 * A process that does what the fast path has read: like `CommandLineProcess`, without the library of command lines.
 */
import * as Effect from "effect/Effect"
import type * as ExitCode from "../ExitCode.ts"
import * as Lazy from "../Lazy.ts"
import type { MountInput } from "../mount/MountInput.ts"
import * as Process from "../Process.ts"
import * as Terminal from "../Terminal.ts"
import type { Parsed } from "./FastParser.ts"
import { handlers } from "./Handlers.ts"

/** A handler of any command: the table says what it gets. */
type Handler = () => Promise<Lazy.Module<object, unknown, ExitCode.OnInterrupt>>

const all: Readonly<Record<string, unknown>> = handlers

/** Runs a command with what its definition would give its handler. */
export const run = ({ input, name }: Parsed): void => Process.run(Lazy.handler(all[name] as Handler)(input))

/** Asks behind the error of a process that was to serve a mount what was probably meant. */
export const ask = (code: number, input: MountInput): Promise<void> =>
  Effect.runPromise(Effect.provideService(Lazy.ask(code, input), Terminal.Format, input.logFormat))
