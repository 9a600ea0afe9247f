/**
 * Answers about extended attributes from the entry that has them. The list of an entry with thousands is made in pieces,
 * while others have their turns.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import * as Errno from "../../domain/Errno.ts"
import type { Entry } from "../../domain/pxar/Entry.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import * as Turns from "../../services/archive/Turns.ts"

/** Answers when the list of an entry's attributes has been made. */
const withList = <A, E>(entry: Entry, answer: (entry: Entry) => Effect.Effect<A, E>): Effect.Effect<A, E> =>
  XattrList.takesLong(entry)
    ? Effect.flatMap(
        Turns.run(() => XattrList.make(entry)),
        () => answer(entry),
      )
    : answer(entry)

/** The value of an attribute. */
export const get = (entry: Entry, name: Uint8Array): Effect.Effect<Uint8Array, Errno.Errno> =>
  withList(entry, (entry) => {
    const value = XattrList.get(entry, name)
    if (value !== undefined) return Effect.succeed(value)
    // The kernel then stops asking for every file of a listing (fuse-protocol §4).
    return Effect.fail(Bytes.equals(name, SELINUX) ? Errno.EOPNOTSUPP : Errno.ENODATA)
  })

const SELINUX = Bytes.fromText("security.selinux")

/** All that is shown, and what is not. */
export const list = (entry: Entry): Effect.Effect<XattrList.XattrList> =>
  withList(entry, (entry) => Effect.succeed(XattrList.fromEntry(entry)))
