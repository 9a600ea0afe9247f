/**
 * `pxar-fuse complete-path ARCHIVE PREFIX`: paths in an archive that begin so, one a line. For completion scripts.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"

const parameters = { archive: Parameters.archive, prefix: Argument.String("prefix") }

export const command = Command.make(
  "complete-path",
  parameters,
  Lazy.handler(() => import("./CompletePathHandler.ts")),
).pipe(Command.unlisted)
