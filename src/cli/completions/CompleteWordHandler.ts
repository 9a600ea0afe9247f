/**
 * What `pxar-fuse complete-word` does (see `CompleteWordCommand`). Nothing is asked of a mount, and no key is opened.
 *
 * Words are printed whole, as they were begun; one that goes on ends with `/`, `=` or `,`.
 */
import * as Effect from "effect/Effect"
import * as PathText from "../../domain/PathText.ts"
import * as MountOptions from "../../fuse/mount/MountOptions.ts"
import * as MountTable from "../../fuse/mount/MountTable.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Output from "../Output.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"
import * as ReferenceLevel from "./ReferenceLevel.ts"
import type { WordKind } from "./WordKind.ts"

export interface Input {
  readonly kind: WordKind
  /** What has been typed of it. */
  readonly begun: string
}

export const handler = Effect.fn("complete-word")(function* ({ begun, kind }: Input) {
  const words = yield* { mounts, options, address }[kind](begun)
  const output = Output.make()
  yield* output.text(
    words
      .filter((word) => word.startsWith(begun))
      .map((word) => `${word}\n`)
      .join(""),
  )
  yield* output.flush
}, Effect.scoped)

const FS_TYPE = MountOptions.kernelType(MountOptions.defaults)

/** What a shell cannot be given as it is, is left out. */
const isPlain = (path: string): boolean => PathText.safe(path) === path

const mounts = () =>
  Effect.map(MountTable.read, (entries) =>
    entries
      .filter(({ fsType }) => fsType === FS_TYPE)
      .map(MountTable.pathOf)
      .filter(isPlain),
  )

/** The last word of a list. */
const options = (begun: string) => {
  const before = begun.slice(0, begun.lastIndexOf(",") + 1)
  const given = new Set(before.split(","))
  return Effect.succeed(MountOptions.known.filter((word) => !given.has(word)).map((word) => before + word))
}

const address = Effect.fnUntraced(function* (begun: string) {
  const end = begun.indexOf("::") + 2
  const place = begun.slice(0, end)
  const reference = begun.slice(end)
  const opened = yield* OpenAddress.open(place, RepositoryFlags.none, { keys: false })
  // Nobody waits for a server, or is asked for a password, by pressing a key.
  if (opened._tag !== "InRepository" || opened.folder === undefined) return []
  const level = reference.slice(0, reference.lastIndexOf("/") + 1)
  const names = yield* ReferenceLevel.names(opened.repository, level)
  return names.map((name) => place + level + name)
})
