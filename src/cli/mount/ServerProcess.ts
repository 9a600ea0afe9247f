/**
 * A process that serves a mount in the background. What to mount it is told by its parent.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as ChildEnvironment from "../../services/posix/ChildEnvironment.ts"
import * as ErrorMessage from "../ErrorMessage.ts"
import * as Process from "../Process.ts"
import * as Terminal from "../Terminal.ts"
import type { Parent } from "./Parent.ts"
import { serve, type StartPage } from "./Serve.ts"
import * as Settings from "./Settings.ts"

const program = Effect.fnUntraced(function* (parent: Parent, page: StartPage | undefined) {
  const settings = yield* Settings.decode(yield* told(parent))
  // For this process alone: they are not in its environment as the kernel shows it, nor in that of its children.
  for (const [name, value] of Object.entries(settings.secrets ?? {})) {
    ChildEnvironment.withhold(name)
    process.env[name] = value
  }
  yield* Effect.provideService(serve(settings, parent, page), Terminal.Format, settings.logFormat)
})

const told = ({ descriptor }: Parent): Effect.Effect<string, Settings.SettingsError> =>
  Effect.try({
    try: () => fs.readFileSync(descriptor, "utf8"),
    catch: (error) => new Settings.SettingsError({ detail: ErrorMessage.of(error) }),
  })

/** `page`: starts the page beside the mount, where there is to be one. */
export const run = (parent: Parent, page?: StartPage): void => Process.run(program(parent, page))
