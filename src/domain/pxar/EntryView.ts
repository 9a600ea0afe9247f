/**
 * An entry as somebody wants to see it: with another owner, with other permissions, without attributes.
 *
 * What is shown stays consistent. A mask decides the permissions alone, so that an access ACL, which would say otherwise,
 * is not shown beside it. Where ACLs are hidden the group's permissions are those that the ACL gives the owning group:
 * the mode's group bits, which are the ACL's mask, could be more. A changed owner takes set-user-ID, set-group-ID and
 * capabilities away, as chown(2) does.
 */
import type { Attributes, Entry } from "./Entry.ts"
import * as XattrList from "./XattrList.ts"
import { noAttributes, S_IFDIR, S_IFLNK, S_IFMT } from "./Entry.ts"

/** What to show differently; everything as it is by default. */
export interface Options {
  /** Owner of all entries. */
  readonly uid?: number | undefined
  /** Group of all entries. */
  readonly gid?: number | undefined
  /**
   * As `fmask` of mount(8): the permissions of everything but folders and symbolic links are those of 0777 that are not
   * in the mask.
   */
  readonly fileMask?: number | undefined
  /** The same for folders: `dmask`. */
  readonly directoryMask?: number | undefined
  /** Whether extended attributes, ACLs and capabilities are shown. */
  readonly xattrs?: boolean | undefined
}

/** How an entry is shown; the entry itself where nothing is different. */
export type EntryView = (entry: Entry) => Entry

/** A view; `undefined` if it shows everything as it is. */
export const make = ({ directoryMask, fileMask, gid, uid, xattrs = true }: Options): EntryView | undefined => {
  const chowned = uid !== undefined || gid !== undefined
  if (!chowned && fileMask === undefined && directoryMask === undefined && xattrs) return undefined
  /** The same for as long as somebody has the entry: what is worked out from many attributes is kept with it. */
  const shown = new WeakMap<Entry, Entry>()
  const view: EntryView = (entry) => {
    const type = entry.mode & S_IFMT
    const mask = type === S_IFLNK ? undefined : type === S_IFDIR ? directoryMask : fileMask
    let { mode } = entry
    if (mask !== undefined) mode = type | (0o777 & ~mask)
    else {
      if (!xattrs) mode = withoutAcl(entry)
      if (chowned && type !== S_IFDIR) mode &= ~SET_IDS
    }
    return {
      ...entry,
      mode,
      uid: uid ?? entry.uid,
      gid: gid ?? entry.gid,
      attributes: attributesOf(entry, { acls: xattrs && mask === undefined, fcaps: xattrs && !chowned, xattrs }),
    }
  }
  return (entry) => {
    if (entry.attributes === noAttributes || XattrList.itemsOf(entry) <= XattrList.MANY) return view(entry)
    let known = shown.get(entry)
    if (known === undefined) shown.set(entry, (known = view(entry)))
    return known
  }
}

const SET_IDS = 0o6000
const GROUP_BITS = 0o070

/** The mode without its access ACL: what the owning group may do is in the ACL then, if it has any (§8.2). */
const withoutAcl = ({ attributes: { aclGroupObj }, mode }: Entry): number =>
  aclGroupObj === undefined ? mode : mode & ~(GROUP_BITS & ~(Number(aclGroupObj & 7n) << 3))

const attributesOf = (
  { attributes }: Entry,
  shown: { readonly acls: boolean; readonly fcaps: boolean; readonly xattrs: boolean },
): Attributes => {
  if (attributes === noAttributes) return attributes
  return {
    ...(shown.acls ? attributes : { ...noAttributes, quotaProjectId: attributes.quotaProjectId }),
    xattrs: shown.xattrs ? attributes.xattrs : [],
    fcaps: shown.fcaps ? attributes.fcaps : undefined,
  }
}
