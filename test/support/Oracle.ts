/**
 * Builds the archive of a tree with the test suite's own builder, which shares nothing with `src`.
 */
import * as ArchiveBuilder from "./ArchiveBuilder.ts"
import { item, Type, u64 } from "./ArchiveBuilder.ts"
import type { Directory, Tree } from "./Tree.ts"
import type { Metadata } from "../../src/domain/pxar/EntryEncoder.ts"

/** ENTRY and attribute items. */
export const head = ({ attributes, ...metadata }: Metadata): Buffer =>
  Buffer.concat([
    ArchiveBuilder.entry({ ...metadata, seconds: metadata.mtimeSeconds, nanos: metadata.mtimeNanos }),
    ...attributes.xattrs.map(({ name, value }) => ArchiveBuilder.xattr(name, value)),
    ...attributes.aclUsers.map(({ id, permissions }) => item(Type.ACL_USER, u64(id, permissions))),
    ...attributes.aclGroups.map(({ id, permissions }) => item(Type.ACL_GROUP, u64(id, permissions))),
    ...(attributes.aclGroupObj === undefined ? [] : [item(Type.ACL_GROUP_OBJ, u64(attributes.aclGroupObj))]),
    ...(attributes.aclDefault === undefined
      ? []
      : [
          item(
            Type.ACL_DEFAULT,
            u64(
              attributes.aclDefault.userObj,
              attributes.aclDefault.groupObj,
              attributes.aclDefault.other,
              attributes.aclDefault.mask,
            ),
          ),
        ]),
    ...attributes.aclDefaultUsers.map(({ id, permissions }) => item(Type.ACL_DEFAULT_USER, u64(id, permissions))),
    ...attributes.aclDefaultGroups.map(({ id, permissions }) => item(Type.ACL_DEFAULT_GROUP, u64(id, permissions))),
    ...(attributes.fcaps === undefined ? [] : [item(Type.FCAPS, attributes.fcaps)]),
    ...(attributes.quotaProjectId === undefined ? [] : [item(Type.QUOTA_PROJID, u64(attributes.quotaProjectId))]),
  ])

/** Names as the builder's paths need them: text without a slash. */
const hex = (name: Uint8Array): string => Buffer.from(name).toString("hex")

const toNode = (name: Uint8Array, tree: Tree): ArchiveBuilder.Node => {
  const keyed = { name, key: hex(name) }
  switch (tree._tag) {
    case "Directory":
      return {
        ...keyed,
        items: head(tree.metadata),
        children: tree.children.map((child) => toNode(child.name, child.tree)),
      }
    case "File":
      return { ...keyed, items: head(tree.metadata), content: { bytes: tree.content, inline: false } }
    case "Symlink":
      return { ...keyed, items: Buffer.concat([head(tree.metadata), ArchiveBuilder.symlink(tree.target)]) }
    case "Device":
      return { ...keyed, items: Buffer.concat([head(tree.metadata), ArchiveBuilder.device(tree.major, tree.minor)]) }
    case "HardLink":
      return { ...keyed, items: Buffer.alloc(0), link: linkKey(tree.target) }
    default:
      return { ...keyed, items: head(tree.metadata) }
  }
}

const linkKey = (target: string): string =>
  target
    .split("/")
    .map((name) => hex(Buffer.from(name, "latin1")))
    .join("/")

/** The tree with the paths that the builder stores in hard links. */
export const withBuilderPaths = (tree: Directory): Directory => ({
  ...tree,
  children: tree.children.map(({ name, tree }) => ({
    name,
    tree:
      tree._tag === "Directory"
        ? withBuilderPaths(tree)
        : tree._tag === "HardLink"
          ? { ...tree, path: Buffer.from(linkKey(tree.target)) }
          : tree,
  })),
})

/** The archive of a tree. */
export const build = (tree: Directory, version: 1 | 2, prelude?: Uint8Array): ArchiveBuilder.Built =>
  ArchiveBuilder.build({
    version,
    root: head(tree.metadata),
    children: tree.children.map((child) => toNode(child.name, child.tree)),
    ...(prelude === undefined
      ? {}
      : { head: Buffer.concat([ArchiveBuilder.formatVersion(2), ArchiveBuilder.prelude(prelude)]) }),
  })

/** A text that is the same for equal trees. */
export const comparable = (value: unknown, indent = "\n"): string => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex")
  if (typeof value !== "object" || value === null) return String(value)
  return Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${indent}${key}: ${comparable(member, `${indent}  `)}`)
    .join("")
}
