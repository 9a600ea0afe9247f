/**
 * What `pxar-fuse complete-path` does (see `CompletePathCommand`): looks into one folder, and only there.
 *
 * Paths are printed as they were begun, with a slash after those of folders.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Bytes from "../../domain/Bytes.ts"
import * as PathText from "../../domain/PathText.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Operands from "../Operands.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"
import * as Output from "../Output.ts"

export interface Input {
  readonly archive: string
  readonly prefix: string
}

/** A name as it can be typed: as it is where that can be seen. */
const typed = (name: Uint8Array): string => {
  const text = Bytes.toText(name)
  return PathText.safe(text) === text ? text : PathText.print(name)
}

export const handler = Effect.fn("complete-path")(function* ({ archive: file, prefix }: Input) {
  const archive = yield* OpenAddress.archive(file, RepositoryFlags.none)
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1)
  const begun = prefix.slice(folder.length)
  const output = Output.make()
  const children = archive.list(yield* archive.find(yield* Operands.bytesOf(archive, folder)))
  yield* Stream.runForEachArray(children, (items) => {
    let text = ""
    for (const item of items) {
      if (item._tag === "Unreadable") continue
      const name = typed(item.name)
      if (name.startsWith(begun)) text += `${folder}${name}${item.entry.body._tag === "Directory" ? "/" : ""}\n`
    }
    return output.text(text)
  })
  yield* output.flush
}, Effect.scoped)
