/**
 * All that is known of an entry, with what a person wants to read of it.
 */
import * as Effect from "effect/Effect"
import * as AclText from "../domain/pxar/AclText.ts"
import * as CapabilityText from "../domain/pxar/CapabilityText.ts"
import * as XattrList from "../domain/pxar/XattrList.ts"
import * as EntryJson from "../domain/json/EntryJson.ts"
import * as JsonText from "../domain/json/JsonText.ts"
import type { DetailsJson } from "../domain/json/WebJson.ts"
import * as PathText from "../domain/PathText.ts"
import type * as TreeWalk from "../services/tree/TreeWalk.ts"
import * as ContentResponse from "./ContentResponse.ts"
import type { Served } from "./Served.ts"

/** Bytes of a value that are shown. */
const MAX_SHOWN = 1024

export const make = Effect.fnUntraced(function* (served: Served, found: TreeWalk.Found): Effect.fn.Return<DetailsJson> {
  const { entry, link, node, path } = found
  const { findings, xattrs } = XattrList.fromEntry(entry)
  const isFile = entry.body._tag === "File"
  return {
    ...EntryJson.make(path, { entry, hardlink: link?.path }),
    ino: String(served.archive.reader.inode(node)),
    attributes: xattrs.map(({ name, value }) => ({
      name: PathText.print(name),
      text: textOf(PathText.print(name), value),
    })),
    problems: [...entry.findings, ...findings].map(
      ({ check, detail, offset }) => `${detail} (check ${check} at byte ${offset})`,
    ),
    ...(isFile && {
      etag: ContentResponse.etag(served, found),
      preview: (yield* ContentResponse.typeOf(served, found)).preview,
    }),
  }
})

const textOf = (name: string, value: Uint8Array): string => {
  switch (name) {
    case "system.posix_acl_access":
    case "system.posix_acl_default":
      return AclText.print(value)
    case "security.capability":
      return CapabilityText.print(value) ?? JsonText.hex(value)
    default:
      return PathText.print(value.subarray(0, MAX_SHOWN)) + (value.length > MAX_SHOWN ? " …" : "")
  }
}
