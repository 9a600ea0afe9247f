/**
 * An archive of one million empty files in ten thousand folders, written entry by entry: nobody wants such a tree on
 * his disk.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import { noAttributes } from "../src/domain/pxar/Entry.ts"
import * as ArchiveWriter from "../src/services/create/ArchiveWriter.ts"
import * as FileSink from "../src/services/bytes/FileSink.ts"

export const FOLDERS = 10_000
export const FILES_EACH = 100

const metadata = (mode: number) => ({
  mode,
  flags: 0n,
  uid: 1000,
  gid: 1000,
  mtimeSeconds: 1_700_000_000n,
  mtimeNanos: 0,
  attributes: noAttributes,
})

const nothing = { read: () => Effect.succeed(0) }

/** Writes it to `file`, which must not be there yet. */
export const write = (file: string): Promise<void> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const sink = yield* FileSink.fromDescriptor(file, fs.openSync(file, "wx"))
        const writer = yield* ArchiveWriter.make({ archive: sink })
        yield* writer.beginRoot(metadata(0o40755))
        for (let folder = 0; folder < FOLDERS; folder++) {
          yield* writer.beginDirectory(Buffer.from(`folder ${folder}`), metadata(0o40755))
          for (let index = 0; index < FILES_EACH; index++) {
            yield* writer.addFile(Buffer.from(`file ${index} of ${folder}`), metadata(0o100644), 0, nothing)
          }
          yield* writer.endDirectory
        }
        yield* writer.finish
        yield* sink.close
      }),
    ),
  )
