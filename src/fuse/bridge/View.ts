/**
 * How a mount shows an archive: a part of it, with other owners and permissions, with the true number of links.
 *
 * What is not asked for costs nothing: reader and bridge are then those of the plain mount.
 */
import * as Effect from "effect/Effect"
import * as EntryView from "../../domain/pxar/EntryView.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Archive from "../../services/tree/Archive.ts"
import type { ArchiveError } from "../../services/archive/ArchiveError.ts"
import type { ArchiveTree } from "../../services/archive/ArchiveTree.ts"
import * as LinkCounts from "../../services/tree/LinkCounts.ts"
import * as PresentedTree from "../../services/tree/PresentedTree.ts"
import * as SubfolderTree from "../../services/tree/SubfolderTree.ts"
import type * as Bridge from "./Bridge.ts"
import * as CountedLinks from "./CountedLinks.ts"
import * as WithoutXattrs from "./WithoutXattrs.ts"

/** What to show differently; all as it is by default. */
export interface View extends EntryView.Options {
  /** Path of the folder that is shown as the root, or what says it once the archive can be looked at. */
  readonly subfolder?: Uint8Array | ((archive: Archive.Archive) => Effect.Effect<Uint8Array>) | undefined
  /** Count the names of files, all in the archive, before mounting: one walk over its metadata. */
  readonly linkCounts?: boolean | undefined
  /** Told how far the count is. */
  readonly onCount?: LinkCounts.Options["onProgress"]
}

/** A reader that shows the view, and what shows the rest of it above a bridge over that. */
export interface Shown {
  /** What a bridge is to be made over. */
  readonly tree: ArchiveTree
  /** Adds what no reader knows to a bridge over `tree`. */
  readonly decorate: (bridge: Bridge.Bridge) => Bridge.Bridge
}

/** Makes the view, which counts links if it is to. Fails if its subfolder is not there, or the archive cannot be read. */
export const open = Effect.fnUntraced(function* (
  reader: ArchiveTree,
  view: View,
): Effect.fn.Return<Shown, ArchiveError | Archive.PathError> {
  const counts = view.linkCounts === true ? yield* countLinks(reader, view.onCount) : undefined
  let tree = view.subfolder === undefined ? reader : yield* subfolder(reader, view.subfolder)
  const entryView = EntryView.make(view)
  if (entryView !== undefined) tree = PresentedTree.make(tree, entryView)
  return {
    tree,
    decorate: (bridge) => {
      const counted = counts === undefined ? bridge : CountedLinks.make(bridge, counts)
      return view.xattrs === false ? WithoutXattrs.make(counted) : counted
    },
  }
})

const countLinks = Effect.fnUntraced(function* (
  reader: ArchiveTree,
  onProgress: View["onCount"],
): Effect.fn.Return<LinkCounts.LinkCounts["of"], ArchiveError> {
  const counts = yield* LinkCounts.collect(reader, { onProgress })
  if (counts.unreadable > 0) {
    const detail = `hard links among what cannot be read are not counted (entries: ${counts.unreadable})`
    yield* Effect.logWarning(`${reader.archive}: ${detail}`)
  }
  return counts.of
})

const subfolder = Effect.fnUntraced(function* (
  reader: ArchiveTree,
  wanted: NonNullable<View["subfolder"]>,
): Effect.fn.Return<ArchiveTree, ArchiveError | Archive.PathError> {
  const opened = Archive.fromReader(reader)
  const path = typeof wanted === "function" ? yield* wanted(opened) : wanted
  const { entry, node } = yield* opened.find(path)
  if (entry.body._tag === "Directory") return SubfolderTree.make(reader, node)
  const { archive } = reader
  return yield* new Archive.PathError({ archive, path: PathText.print(path), reason: "NotADirectory" })
})
