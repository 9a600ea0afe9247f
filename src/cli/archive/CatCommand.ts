/**
 * `pxar-fuse cat ARCHIVE PATH…`: contents of files, one after the other.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"

const parameters = {
  archive: Parameters.archive,
  paths: Argument.String("path").pipe(
    Argument.withDescription("Files in the archive; hard links are followed, symbolic links are not"),
    Argument.variadic({ min: 1 }),
  ),
  payload: Parameters.payload,
  ...Parameters.reporting,
}

export const command = Command.make(
  "cat",
  parameters,
  Lazy.handler(() => import("./CatHandler.ts")),
).pipe(
  Command.withDescription("Write contents of files to stdout"),
  Command.withExamples([{ command: "pxar-fuse cat root.pxar etc/hostname", description: "Show a file" }]),
)
