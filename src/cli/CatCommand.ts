/**
 * `pxar-fuse cat ARCHIVE PATH…`: contents of files, one after the other.
 *
 * All paths are looked up first: if one is not there, or no file, nothing is written.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as PathText from "../domain/PathText.ts"
import * as Archive from "../services/Archive.ts"
import * as Output from "./Output.ts"
import * as Parameters from "./Parameters.ts"

const parameters = {
  archive: Parameters.archive,
  paths: Argument.String("path").pipe(
    Argument.withDescription("Files in the archive; hard links are followed, symbolic links are not"),
    Argument.variadic({ min: 1 }),
  ),
  payload: Parameters.payload,
}

export const command = Command.make(
  "cat",
  parameters,
  Effect.fn("cat")(function* ({ archive: file, paths, payload }) {
    const archive = yield* Archive.open(file, { payload })
    const output = Output.make()
    const files = yield* Effect.forEach(paths, (path) =>
      Effect.tap(archive.find(PathText.parse(path)), (found) => archive.read(found, 0, 0)),
    )
    for (const found of files) yield* Stream.runForEach(archive.content(found), output.bytes)
  }, Effect.scoped),
).pipe(
  Command.withDescription("Write contents of files to stdout"),
  Command.withExamples([{ command: "pxar-fuse cat root.pxar etc/hostname", description: "Show a file" }]),
)
