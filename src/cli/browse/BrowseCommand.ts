/**
 * `pxar-fuse browse ARCHIVE`: a look around in the terminal.
 */
import * as Command from "effect/cli/Command"
import * as Help from "../Help.ts"
import * as Keys from "./Keys.ts"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"

const parameters = {
  archive: Parameters.archive,
  payload: Parameters.payload,
  ...RepositoryFlags.flags,
  ...Parameters.messages,
}

const keys: Help.Section = { title: "KEYS OF BROWSE", rows: Keys.bindings.map(({ keys, meaning }) => [keys, meaning]) }

export const command = Command.make(
  "browse",
  parameters,
  Lazy.handler(() => import("./BrowseHandler.ts")),
).pipe(
  Command.withDescription("Look around in an archive, and extract from it, in the terminal"),
  Command.withExamples([
    { command: "pxar-fuse browse root.pxar", description: "The keys are below; ? shows them too" },
  ]),
  Command.annotate(Help.Sections, [keys]),
)
