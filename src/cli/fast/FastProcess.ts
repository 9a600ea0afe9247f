/**
 * A process that does what the fast path has read: like `CommandLineProcess`, without the library of command lines.
 */
import type * as ExitCode from "../ExitCode.ts"
import * as Lazy from "../Lazy.ts"
import * as Process from "../Process.ts"
import type { Parsed } from "./FastParser.ts"
import { handlers } from "./Handlers.ts"

/** A handler of any command: the table says what it gets. */
type Handler = () => Promise<Lazy.Module<object, unknown, ExitCode.OnInterrupt>>

const all: Readonly<Record<string, unknown>> = handlers

/** Runs a command with what its definition would give its handler. */
export const run = ({ input, name }: Parsed): void => Process.run(Lazy.handler(all[name] as Handler)(input))
