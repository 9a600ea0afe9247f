/**
 * `pxar-fuse cache info|prune|clear`: what is kept on disk of chunks that were fetched from far away.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as CacheFlags from "./CacheFlags.ts"

const parameters = {
  action: Argument.Literals("action", ["info", "prune", "clear"]).pipe(
    Argument.withDescription("info: what is there; prune: down to the limit; clear: delete all"),
  ),
  json: Parameters.json,
  ...CacheFlags.folder,
  ...CacheFlags.limit,
  ...Parameters.messages,
}

export const command = Command.make(
  "cache",
  parameters,
  Lazy.handler(() => import("./CacheHandler.ts")),
).pipe(
  Command.withDescription("Show or delete fetched chunks that are kept on disk"),
  Command.withExamples([
    { command: "pxar-fuse cache info", description: "How much is kept, and where" },
    { command: "pxar-fuse cache prune --cache-limit 2G", description: "Keep what was used last" },
  ]),
)
