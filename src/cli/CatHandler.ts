/**
 * What `pxar-fuse cat` does (see `CatCommand`).
 *
 * All paths are looked up first: if one is not there, or no file, nothing is written.
 
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as PathText from "../domain/PathText.ts"
import * as Archive from "../services/Archive.ts"
import type { Input } from "./CatCommand.ts"
import * as Output from "./Output.ts"

export const handler = Effect.fn("cat")(function* ({ archive: file, paths, payload }: Input) {
  const archive = yield* Archive.open(file, { payload })
  const output = Output.make()
  const files = yield* Effect.forEach(paths, (path) =>
    Effect.tap(archive.find(PathText.parse(path)), (found) => archive.read(found, 0, 0)),
  )
  for (const found of files) yield* Stream.runForEach(archive.content(found), output.bytes)
}, Effect.scoped)
