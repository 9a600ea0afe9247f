/**
 * A line of `list --json`: an entry, or what cannot be read.
 */
import * as Schema from "effect/Schema"
import * as EntryJson from "./EntryJson.ts"
import { ErrorJson } from "./ErrorJson.ts"
import { Decimal, Path } from "./JsonText.ts"

/** An entry, or a rest of a folder, that cannot be read. The name is `?` if even that cannot. */
export const UnreadableJson = Schema.Struct({ ...Path, error: ErrorJson })
/** An entry that cannot be read, as a type. */
export type UnreadableJson = typeof UnreadableJson.Type

/** An entry has the inode number that a mount of the archive shows. */
export const ListJson = Schema.Union([Schema.Struct({ ...EntryJson.members, ino: Decimal }), UnreadableJson])
/** An entry, or what cannot be read, as a type. */
export type ListJson = typeof ListJson.Type
