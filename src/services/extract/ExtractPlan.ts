/**
 * What an extraction would do: the steps of a dry run, in the order of the archive.
 *
 * It reads no contents and cannot know what the disk would refuse.
 */
import * as Effect from "effect/Effect"
import * as EntryKind from "../../domain/pxar/EntryKind.ts"
import type { Counts } from "./Counts.ts"
import type { ExtractEntry } from "./ExtractEntry.ts"
import type { ExtractLinks } from "./ExtractLinks.ts"
import type { ExtractPath } from "./ExtractPath.ts"
import type { Folder } from "./Folder.ts"
import type { Places } from "./Places.ts"
import type { Target } from "./Target.ts"

/** One thing that would be done. */
export interface Step {
  /** `replace`: something that is there would go. `delete`: that too, because it is not in the archive. */
  readonly action: "create" | "replace" | "delete"
  /** Relative to the root of the archive, without a slash at either end. */
  readonly path: Uint8Array
  /** What would be made, or deleted. */
  readonly kind: EntryKind.EntryKind | "hardlink"
  /** Bytes of content of a file. */
  readonly size: number | undefined
}

export class ExtractPlan {
  /** Steps that nobody has been told of yet. */
  readonly pending: Array<Step> = []
  private readonly path: ExtractPath

  constructor(path: ExtractPath) {
    this.path = path
  }

  /** Adds a step for the entry at the current path, or at its first `length` bytes. */
  add(action: Step["action"], kind: Step["kind"], size?: number, length?: number): void {
    this.pending.push({ action, kind, size, path: this.path.bytes(length) })
  }
}

/** Plans entries instead of extracting them. */
export const entries = (plan: ExtractPlan, places: Places, links: ExtractLinks, counts: Counts): ExtractEntry => ({
  abandon: () => undefined,
  extract: (folder: Folder, found: Target) =>
    Effect.sync(() => {
      const { entry, link, node } = found
      links.enter(node.archive)
      const target = link === undefined ? undefined : links.find(link.target)
      const place = places.look(folder, found, target)
      if (place === undefined) return
      const { body } = entry
      const size = body._tag === "File" ? body.content.length : undefined
      plan.add(place === "New" ? "create" : "replace", link === undefined ? EntryKind.of(entry) : "hardlink", size)
      switch (body._tag) {
        case "File":
          if (link !== undefined) counts.hardLinks++
          else {
            counts.files++
            counts.bytes += body.content.length
          }
          return
        case "Symlink":
          return void counts.symlinks++
        case "Device":
          return void counts.devices++
        case "Fifo":
          return void counts.fifos++
        case "Socket":
          return void counts.sockets++
        case "Directory":
          return
      }
    }),
})
