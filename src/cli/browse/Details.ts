/**
 * All that an archive says about an entry, in lines for a person.
 */
import { type Entry, S_IFMT } from "../../domain/pxar/Entry.ts"
import * as EntryKind from "../../domain/pxar/EntryKind.ts"
import * as FeatureFlags from "../../domain/pxar/FeatureFlags.ts"
import * as Inode from "../../domain/pxar/Inode.ts"
import * as PathText from "../../domain/PathText.ts"
import * as AclText from "../../domain/pxar/AclText.ts"
import * as Stat from "../../domain/pxar/Stat.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import type * as TreeWalk from "../../services/tree/TreeWalk.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import * as LongListing from "../archive/LongListing.ts"
import * as CapabilityText from "../../domain/pxar/CapabilityText.ts"

export const lines = (item: TreeWalk.Item): ReadonlyArray<string> =>
  item._tag === "Unreadable"
    ? [row("path", PathText.print(item.path)), row("problem", item.error.message)]
    : [...ofPlace(item), ...ofEntry(item.entry), ...ofAttributes(item.entry)]

const row = (label: string, value: string): string => `${label.padEnd(14)}${value}`

/** Rows of one label: it stands in the first. */
const rows = (label: string, values: ReadonlyArray<string>): ReadonlyArray<string> =>
  values.map((value, index) => row(index === 0 ? label : "", value))

const ofPlace = ({ entry, link, node, path }: TreeWalk.Found): ReadonlyArray<string> => [
  row("path", PathText.print(path)),
  row("kind", EntryKind.of(entry)),
  ...(link === undefined ? [] : [row("hard link to", PathText.print(LongListing.targetPath(link)))]),
  ...(entry.body._tag === "Symlink" ? [row("target", PathText.print(entry.body.target))] : []),
  ...(entry.body._tag === "Device" ? [row("device", `${entry.body.major}, ${entry.body.minor}`)] : []),
  row("inode", String(Inode.ofNode(node.id))),
  row("position", `byte ${entry.start.toLocaleString("en")} of the archive`),
]

const ofEntry = (entry: Entry): ReadonlyArray<string> => [
  row("mode", `${LongListing.mode(entry).trimEnd()} (${(entry.mode & ~S_IFMT).toString(8).padStart(4, "0")})`),
  row("owner", `user ${entry.uid}, group ${entry.gid}`),
  row("size", `${Stat.sizeOf(entry).toLocaleString("en")} bytes`),
  row("modified", `${LongListing.time(entry).trimEnd()}.${String(entry.mtimeNanos).padStart(9, "0")}`),
]

const ofAttributes = (entry: Entry): ReadonlyArray<string> => {
  const { findings, xattrs } = XattrList.fromEntry(entry)
  const { quotaProjectId } = entry.attributes
  const problems = [...entry.findings, ...findings]
  return [
    ...(entry.flags === 0n ? [] : [row("flags", flagsText(entry.flags))]),
    ...(quotaProjectId === undefined ? [] : [row("project id", String(quotaProjectId))]),
    ...xattrs.flatMap(({ name, value }) => ofXattr(PathText.print(name), value)),
    ...rows(
      "problems",
      problems.map(({ check, detail, offset }) => `${detail} (check ${check} at byte ${offset})`),
    ),
  ]
}

const flagsText = (flags: bigint): string => {
  const names = FeatureFlags.chattrNames(flags)
  const hex = `0x${flags.toString(16)}`
  return names.length === 0 ? hex : `${names.join(", ")} (${hex})`
}

const ofXattr = (name: string, value: Uint8Array): ReadonlyArray<string> => {
  switch (name) {
    case "system.posix_acl_access":
      return rows("ACL", AclText.entries(value))
    case "system.posix_acl_default":
      return rows("default ACL", AclText.entries(value))
    case "security.capability":
      return rows("capabilities", [CapabilityText.print(value) ?? JsonText.hex(value)])
    default:
      return rows("attribute", valueTexts(name, value))
  }
}

/** Bytes of a value that are shown, and in one row. */
const MAX_SHOWN = 1024
const ROW = 32

const valueTexts = (name: string, value: Uint8Array): ReadonlyArray<string> => {
  const text = PathText.print(value.subarray(0, MAX_SHOWN))
  const more = value.length > MAX_SHOWN ? [`… ${value.length.toLocaleString("en")} bytes`] : []
  if (!text.includes("\\")) return [`${name} = "${text}"`, ...more]
  const parts: Array<string> = []
  for (let at = 0; at < Math.min(value.length, MAX_SHOWN); at += ROW) {
    parts.push(`  ${JsonText.hex(value.subarray(at, at + ROW))}`)
  }
  return [`${name} =`, ...parts, ...more]
}
