/**
 * What is known of a partition, as extended attributes of the file that stands for it: a mount shows them, listings say them,
 * and nothing of the kind is in an archive.
 */
import * as Bytes from "../Bytes.ts"
import type { FileSystemSignature } from "./FileSystemSignature.ts"
import type { Partition } from "./PartitionTable.ts"

/** What the names of these attributes, and of no others, begin with. */
export const PREFIX = "user.pxar-fuse."

const FILE_SYSTEM = `${PREFIX}filesystem`
const LABEL = `${PREFIX}label`
const TYPE = `${PREFIX}partition-type`
const NAME = `${PREFIX}partition-name`

/** The attributes by their names. */
export const make = (
  { name, type }: Pick<Partition, "type" | "name">,
  found: FileSystemSignature | undefined,
): Readonly<Record<string, string>> => ({
  ...(found === undefined ? {} : { [FILE_SYSTEM]: found.type }),
  ...(found?.label === undefined ? {} : { [LABEL]: found.label }),
  [TYPE]: type,
  ...(name === undefined ? {} : { [NAME]: name }),
})

/** The same in words, if an entry has them: `ext4 "root", Linux filesystem`. */
export const describe = ({
  xattrs,
}: {
  readonly xattrs: ReadonlyArray<{ readonly name: Uint8Array; readonly value: Uint8Array }>
}): string | undefined => {
  if (xattrs.length === 0) return undefined
  const valueOf = (wanted: string): string | undefined => {
    const found = xattrs.find(({ name }) => Bytes.toText(name) === wanted)
    return found && Bytes.toText(found.value)
  }
  const type = valueOf(TYPE)
  if (type === undefined) return undefined
  const quoted = (text: string | undefined) => (text === undefined ? "" : ` "${text}"`)
  return `${valueOf(FILE_SYSTEM) ?? "unknown"}${quoted(valueOf(LABEL))}, ${type}${quoted(valueOf(NAME))}`
}
