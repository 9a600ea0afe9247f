/**
 * Reads the attribute items of an entry (§2.5–§2.8), with the checks E3, E5 and E7: those of most entries at once, of one
 * with thousands in pieces, between which others can have a turn.
 *
 * Throws `NeedBytes`, `NeedTurn` and `FormatError`, like all of `EntryDecoder`.
 */
import * as Data from "effect/Data"
import type { AclDefault, AclEntry, Attributes, Xattr } from "./Entry.ts"
import { noAttributes } from "./Entry.ts"
import { limit, malformed } from "./FormatError.ts"
import type { Item, Window } from "./Item.ts"
import { copy, HEADER_SIZE, readItem, readType, requireBytes } from "./Item.ts"
import * as ItemType from "./ItemType.ts"
import type { Limits } from "./Limits.ts"

/** An entry's attributes, and what comes behind them. */
export interface Head {
  readonly attributes: Attributes
  /** The item that ends the entry, FILENAME and GOODBYE of a directory included; absent at the bound. */
  readonly terminal: Item | undefined
  /** Position after the last attribute. */
  readonly end: number
}

/** How far the attributes of one entry have been read. */
export interface Begun {
  /** Position of the first; -1 where none has been read yet. */
  readonly start: number
  /** Position of the next. */
  readonly at: number
  readonly count: number
  /** Not to be changed: reading may go on from here more than once. */
  readonly found: Collected | undefined
}

/** Nothing yet, and it may be read in pieces. */
export const NOTHING: Begun = { start: -1, at: 0, count: 0, found: undefined }

/** Others should have a turn before the rest is read: decode again, with `begun`. */
export class NeedTurn extends Data.TaggedClass("NeedTurn")<{ readonly begun: Begun }> {}

/** Runs a decoder that may want a turn for others, and returns that as a value. */
export const orTurn = <A>(decode: () => A): A | NeedTurn => {
  try {
    return decode()
  } catch (thrown) {
    if (thrown instanceof NeedTurn) return thrown
    throw thrown
  }
}

/** Attributes that are read at once. */
export const PIECE = 1024

/**
 * Reads the attributes that begin at `start`. Throws `NeedTurn` after `PIECE` of them if `begun` is given, which is how
 * far they have been read before.
 */
export const readAttributes = (
  window: Window,
  start: number,
  bound: number,
  limits: Limits,
  forward: boolean,
  begun: Begun | undefined,
): Head => {
  const before = begun !== undefined && begun.start === start ? begun : undefined
  let at = before === undefined ? start : before.at
  let count = before === undefined ? 0 : before.count
  let found = before?.found === undefined ? undefined : copyOf(before.found)
  const pause = begun === undefined ? Infinity : count + PIECE
  while (at < bound) {
    // Reading forward, what is no item may be what follows an entry that has none of its own to end it.
    const type = forward ? knownType(window, at, bound) : readType(window, at, bound)
    if (type === undefined) break
    // What a directory begins with belongs to its first child or its table: a bad size there is not the directory's.
    if (type === ItemType.FILENAME || type === ItemType.GOODBYE) {
      const content = at + HEADER_SIZE
      return { attributes: found ?? noAttributes, terminal: { type, start: at, content, end: content }, end: at }
    }
    const item = readItem(window, at, bound)
    if (!item.type.isAttribute) return { attributes: found ?? noAttributes, terminal: item, end: at }
    if (count === pause) throw new NeedTurn({ begun: { start, at, count, found } })
    if (++count > limits.attributeCount || item.end - start > limits.attributeBytes) {
      throw limit("E7", at, `more than ${limits.attributeCount} attributes or ${limits.attributeBytes} bytes of them`)
    }
    requireBytes(window, item.end)
    found ??= collect()
    readAttribute(window, item, found)
    at = item.end
  }
  return { attributes: found ?? noAttributes, terminal: undefined, end: at }
}

/** The type of the item at `start`, if there is one of that type. */
const knownType = (window: Window, start: number, bound: number): ItemType.ItemType | undefined => {
  const end = Math.min(bound, start + HEADER_SIZE)
  requireBytes(window, end)
  const at = start - window.base
  return end - start < HEADER_SIZE
    ? readType(window, start, bound)
    : ItemType.fromHalves(window.view.getUint32(at, true), window.view.getUint32(at + 4, true))
}

type Collected = { -readonly [K in keyof Attributes]: Attributes[K] } & {
  xattrs: Array<Xattr>
  aclUsers: Array<AclEntry>
  aclGroups: Array<AclEntry>
  aclDefaultUsers: Array<AclEntry>
  aclDefaultGroups: Array<AclEntry>
}

const collect = (): Collected => ({
  ...noAttributes,
  xattrs: [],
  aclUsers: [],
  aclGroups: [],
  aclDefaultUsers: [],
  aclDefaultGroups: [],
})

const copyOf = (found: Collected): Collected => ({
  ...found,
  xattrs: found.xattrs.slice(),
  aclUsers: found.aclUsers.slice(),
  aclGroups: found.aclGroups.slice(),
  aclDefaultUsers: found.aclDefaultUsers.slice(),
  aclDefaultGroups: found.aclDefaultGroups.slice(),
})

const readAttribute = (window: Window, item: Item, found: Collected): void => {
  switch (item.type) {
    case ItemType.XATTR:
      return void found.xattrs.push(readXattr(window, item))
    case ItemType.ACL_USER:
      return void found.aclUsers.push(readAclEntry(window, item))
    case ItemType.ACL_GROUP:
      return void found.aclGroups.push(readAclEntry(window, item))
    case ItemType.ACL_DEFAULT_USER:
      return void found.aclDefaultUsers.push(readAclEntry(window, item))
    case ItemType.ACL_DEFAULT_GROUP:
      return void found.aclDefaultGroups.push(readAclEntry(window, item))
    case ItemType.ACL_GROUP_OBJ:
      once(item, found.aclGroupObj)
      found.aclGroupObj = u64(window, item.content)
      return
    case ItemType.ACL_DEFAULT:
      once(item, found.aclDefault)
      found.aclDefault = readAclDefault(window, item)
      return
    case ItemType.FCAPS:
      once(item, found.fcaps)
      found.fcaps = copy(window, item.content, item.end)
      return
    default:
      once(item, found.quotaProjectId)
      found.quotaProjectId = u64(window, item.content)
  }
}

const once = (item: Item, previous: unknown): void => {
  if (previous !== undefined) throw malformed("E3", item.start, `second ${item.type.name} item of an entry`)
}

/** A u64 at `at`, exact. */
export const u64 = (window: Window, at: number): bigint => window.view.getBigUint64(at - window.base, true)

const readAclEntry = (window: Window, item: Item): AclEntry => ({
  id: u64(window, item.content),
  permissions: u64(window, item.content + 8),
})

const readAclDefault = (window: Window, item: Item): AclDefault => ({
  userObj: u64(window, item.content),
  groupObj: u64(window, item.content + 8),
  other: u64(window, item.content + 16),
  mask: u64(window, item.content + 24),
})

const readXattr = (window: Window, item: Item): Xattr => {
  const start = item.content - window.base
  const end = item.end - window.base
  requireBytes(window, item.end)
  const nul = window.bytes.indexOf(0, start)
  if (nul <= start || nul >= end) {
    throw malformed("E5", item.content, "extended attribute without a name, or without its NUL")
  }
  return { name: window.bytes.slice(start, nul), value: window.bytes.slice(nul + 1, end) }
}
