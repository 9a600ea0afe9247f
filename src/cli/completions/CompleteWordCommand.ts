/**
 * `pxar-fuse complete-word KIND BEGUN`: words of a kind that begin so, one a line. For completion scripts.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Lazy from "../Lazy.ts"
import { kinds } from "./WordKind.ts"

const parameters = { kind: Argument.Literals("kind", kinds), begun: Argument.String("begun") }

export const command = Command.make(
  "complete-word",
  parameters,
  Lazy.handler(() => import("./CompleteWordHandler.ts")),
).pipe(Command.unlisted)
