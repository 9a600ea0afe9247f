/**
 * The operations of a read-only file system over an archive (§9.3, §9.4): reader and registry on one side, any
 * front that speaks in nodes on the other.
 *
 * An operation fails with the errno to answer and with nothing else: what is wrong in the archive has then been
 * logged, once, with the path. References are counted in the lease that the caller passes; it leaks the lease when
 * its answer has been delivered. An operation that need not wait is done when it is called, and has ended (`AtOnce`).
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as ArchivePath from "../../domain/pxar/ArchivePath.ts"
import * as Bytes from "../../domain/Bytes.ts"
import { type Entry, S_IFDIR } from "../../domain/pxar/Entry.ts"
import * as Errno from "../../domain/Errno.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import * as Stat from "../../domain/pxar/Stat.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import { type ArchiveError, UNAVAILABLE } from "../../services/archive/ArchiveError.ts"
import * as ArchiveReader from "../../services/archive/ArchiveReader.ts"
import * as LookupRegistry from "../../services/LookupRegistry.ts"
import { FUSE_NAME_MAX } from "../wire/Abi.ts"
import * as AtOnce from "../../services/AtOnce.ts"
import * as FileAttributes from "../wire/FileAttributes.ts"
import * as LogOnce from "./LogOnce.ts"

/** The outcome of an operation: its answer, or the errno to answer. */
export type Operation<A> = Effect.Effect<A, Errno.Errno>

/** One name of a listing. */
export interface Listed {
  readonly name: Uint8Array
  readonly id: NodeId.NodeId
  /** 0 where the child cannot be decoded. */
  readonly mode: number
  /** With the node, for children that can be decoded; `.` and `..` have none. */
  readonly child: { readonly node: Node.Node; readonly stat: Stat.Stat } | undefined
  /** Where a listing continues after this name. */
  readonly next: number
}

/** The operations. A node is one that the kernel holds: ENOENT for any other. */
export interface Shape {
  /** References to count for one answer; closing the scope takes back what was not leaked. */
  readonly lease: Effect.Effect<LookupRegistry.Lease, never, Scope.Scope>
  /** The same without a scope: whoever makes it runs its `takeBack` at the end. */
  readonly leaseUnsafe: () => LookupRegistry.Lease
  /** Finds a name and counts a reference to its node; `undefined` if there is no such name. */
  readonly lookup: (
    parent: NodeId.NodeId,
    name: Uint8Array,
    lease: LookupRegistry.Lease,
  ) => Operation<Stat.Stat | undefined>
  /** The kernel returns references. Overforgetting is fatal to the session. */
  readonly forget: (id: NodeId.NodeId, count: number) => Effect.Effect<void, LookupRegistry.Overforget>
  /** What `stat(2)` shows of a node. */
  readonly getattr: (id: NodeId.NodeId) => Operation<Stat.Stat>
  /** Target of a symbolic link; EINVAL for anything else. */
  readonly readlink: (id: NodeId.NodeId) => Operation<Uint8Array>
  /** Fails for write access (EROFS). `flags` as for `open(2)`. */
  readonly open: (id: NodeId.NodeId, flags: number) => Operation<void>
  /**
   * Reads at most `size` bytes from `offset` on, fewer only at the end of the file. `reserve` gives the memory for
   * that many bytes, which nobody else may use: after an interruption a source may still write there.
   */
  readonly read: (
    id: NodeId.NodeId,
    offset: number,
    size: number,
    reserve: (length: number) => Uint8Array,
  ) => Operation<void>
  /** Hands the names from `offset` on to `add` until it returns false (§9.4). No references are counted. */
  readonly readdir: (id: NodeId.NodeId, offset: number, add: (entry: Listed) => boolean) => Operation<void>
  /** Value of an extended attribute (§8.1, §9.3); ENODATA if there is none of that name. */
  readonly getxattr: (id: NodeId.NodeId, name: Uint8Array) => Operation<Uint8Array>
  /** Names, each with a NUL. */
  readonly listxattr: (id: NodeId.NodeId) => Operation<Uint8Array>
  /** What `chattr` set when the entry was archived (§5, §2.8). */
  readonly fileAttributes: (id: NodeId.NodeId) => Operation<FileAttributes.FileAttributes>
  /** Bytes of the archive and its payload archive. */
  readonly size: number
  /** Bytes that caches hold. */
  readonly memory: ArchiveReader.Shape["memory"]
  /** Path of a node below the root, with a leading slash; as far as it can be found out. */
  readonly pathOf: (id: NodeId.NodeId) => Effect.Effect<Uint8Array>
}

/** The operations that a session carries out. */
export class Bridge extends Context.Service<Bridge, Shape>()("pxar-fuse/fuse/Bridge") {
  /** The bridge over the archive in `ArchiveReader`, which counts in `LookupRegistry`. */
  static readonly layer = (): Layer.Layer<Bridge, never, ArchiveReader.ArchiveReader | LookupRegistry.LookupRegistry> =>
    Layer.effect(
      Bridge,
      Effect.gen(function* () {
        return make(yield* ArchiveReader.ArchiveReader, yield* LookupRegistry.LookupRegistry)
      }),
    )
}

const O_ACCMODE = 3
const SELINUX = Bytes.fromText("security.selinux")
const DOT = Bytes.fromText(".")
const DOT_DOT = Bytes.fromText("..")
const UNKNOWN_NAME = Bytes.fromText("?")

/** The operations over `reader`, counting in `registry`; one registry for one bridge. */
export const make = (reader: ArchiveReader.Tree, registry: LookupRegistry.Shape): Shape => {
  const report = LogOnce.make()

  const node = (id: NodeId.NodeId): Operation<Node.Node> => {
    const found = registry.find(id)
    return found === undefined ? Effect.fail(Errno.ENOENT) : Effect.succeed(found)
  }

  const directory = (id: NodeId.NodeId): Operation<Node.Node> =>
    NodeId.isDirectory(id) ? node(id) : Effect.fail(registry.find(id) === undefined ? Errno.ENOENT : Errno.ENOTDIR)

  const pathOf = Effect.fnUntraced(function* (id: NodeId.NodeId): Effect.fn.Return<Uint8Array> {
    const parts: Array<Uint8Array> = []
    let at = registry.find(id)
    while (at !== undefined && at.id !== NodeId.ROOT) {
      parts.unshift(ArchivePath.ROOT, yield* Effect.orElseSucceed(reader.name(at), () => UNKNOWN_NAME))
      at = registry.find(at.parent)
    }
    // Not held, or not any more.
    if (at === undefined) parts.unshift(ArchivePath.ROOT, UNKNOWN_NAME)
    return parts.length === 0 ? ArchivePath.ROOT : Bytes.concat(parts)
  })

  /** Logs what is wrong in the archive, once, and turns it into an errno. */
  const answerErrno =
    (id: NodeId.NodeId, name?: Uint8Array) =>
    (error: ArchiveError): Operation<never> =>
      Effect.andThen(
        report(keyOf(error, id, name), pathUnder(id, name), error.message),
        Effect.fail(error.errno === Errno.ELOOP.code ? Errno.ELOOP : Errno.EIO),
      )

  /** One report a check and entry, whichever operation meets it, at whatever byte; one for what concerns an archive. */
  const keyOf = (error: ArchiveError, id: NodeId.NodeId, name: Uint8Array = Bytes.empty): string =>
    error.check === "P5" || error.check === UNAVAILABLE
      ? `${error.check} ${error.archive}`
      : `${error.check} ${id}/${Bytes.toKey(name)}`

  const pathUnder = (id: NodeId.NodeId, name: Uint8Array | undefined): Effect.Effect<Uint8Array> =>
    name === undefined ? pathOf(id) : Effect.map(pathOf(id), (path) => ArchivePath.join(path, name))

  const { cached } = reader

  const entry = (id: NodeId.NodeId): Operation<Entry> => {
    const found = registry.find(id)
    if (found === undefined) return Effect.fail(Errno.ENOENT)
    const atOnce = cached.entry(found)
    return atOnce === undefined ? Effect.catch(reader.entry(found), answerErrno(id)) : Effect.succeed(atOnce)
  }

  const lookup: Shape["lookup"] = (parent, name, lease) =>
    AtOnce.flatMap(directory(parent), (found) => {
      const atOnce = cached.lookup(found, name)
      if (atOnce === "absent") return Effect.undefined
      const hold = (child: ArchiveReader.Found): Stat.Stat => {
        lease.add(child.node)
        return Stat.fromEntry(child.entry, child.node.id)
      }
      if (atOnce !== undefined) return Effect.succeed(hold(atOnce))
      const child = Effect.catch(reader.lookup(found, name), answerErrno(parent, name))
      return Effect.map(child, (child) => child && hold(child))
    })

  const forget: Shape["forget"] = (id, count) =>
    Effect.flatMap(registry.forget(id, count), (known) =>
      known
        ? Effect.void
        : report(
            `forget ${id}`,
            Effect.succeed(Bytes.empty),
            `the kernel returned a reference to inode ${NodeId.toBigInt(id)}, which is not held`,
          ),
    )

  const read: Shape["read"] = (id, offset, size, reserve) =>
    AtOnce.flatMap(entry(id), ({ body }) => {
      if (body._tag === "Directory") return Effect.fail(Errno.EISDIR)
      if (body._tag !== "File") return Effect.fail(Errno.EBADF)
      const length = Math.max(0, Math.min(size, body.content.length - offset))
      const target = reserve(length)
      return length === 0 || cached.content(body.content, offset, target)
        ? Effect.void
        : Effect.catch(reader.content(body.content, offset, target), answerErrno(id))
    })

  /** A child for a listing; `undefined` for one that is not shown. */
  const listed = Effect.fnUntraced(function* (
    parent: Node.Node,
    slot: number,
  ): Effect.fn.Return<Listed | undefined, ArchiveError> {
    const child = yield* reader.child(parent, slot)
    if (child === undefined) {
      yield* report(`D9 ${parent.id} ${slot}`, pathOf(parent.id), "a second entry of one name is not shown (check D9)")
      return undefined
    }
    if (child.name.length > FUSE_NAME_MAX) {
      const detail = `a name of ${child.name.length} bytes is not shown: the kernel takes ${FUSE_NAME_MAX}`
      yield* report(`name ${parent.id} ${slot}`, pathOf(parent.id), detail)
      return undefined
    }
    return fromFound(yield* reader.resolve(parent, child), slot)
  })

  /** The name alone of a child that cannot be decoded, so that its siblings stay visible; nothing if that is bad too. */
  const listedByName = (parent: Node.Node, slot: number, error: ArchiveError) =>
    Effect.matchEffect(reader.nameAt(parent, slot), {
      onFailure: () => Effect.as(report(`slot ${parent.id} ${slot}`, pathOf(parent.id), error.message), undefined),
      onSuccess: (name) =>
        Effect.as(
          report(keyOf(error, parent.id, name), pathUnder(parent.id, name), error.message),
          name.length > FUSE_NAME_MAX
            ? undefined
            : { name, id: NodeId.UNKNOWN, mode: 0, child: undefined, next: slot + 1 },
        ),
    })

  /** Hands names over from `slot` on as long as they are at hand; the first slot that is not, or `undefined` at the end. */
  const listAtOnce = (
    parent: Node.Node,
    count: number,
    slot: number,
    add: (entry: Listed) => boolean,
  ): number | undefined => {
    const table = cached.table(parent)
    for (let at = slot; at < count; at++) {
      const found = table && cached.child(parent, table, at)
      if (found === undefined || found.name.length > FUSE_NAME_MAX) return at
      if (!add(fromFound(found, at))) return undefined
    }
    const dot = { child: undefined, mode: S_IFDIR }
    if (slot <= count && !add({ ...dot, name: DOT, id: parent.id, next: count + 1 })) return undefined
    if (slot <= count + 1) add({ ...dot, name: DOT_DOT, id: parent.parent, next: count + 2 })
    return undefined
  }

  const listSlowly = Effect.fnUntraced(function* (
    parent: Node.Node,
    count: number,
    from: number,
    add: (entry: Listed) => boolean,
  ): Effect.fn.Return<void, Errno.Errno> {
    for (let slot: number | undefined = from; slot !== undefined; slot = listAtOnce(parent, count, slot, add)) {
      const entry = yield* Effect.catch(listed(parent, slot), (error) =>
        error.kind === "IO" ? answerErrno(parent.id)(error) : listedByName(parent, slot as number, error),
      )
      if (entry !== undefined && !add(entry)) return
      slot++
    }
  })

  const readdir: Shape["readdir"] = (id, offset, add) =>
    AtOnce.flatMap(directory(id), (parent) => {
      const table = cached.table(parent)
      const count =
        table === undefined ? Effect.catch(reader.count(parent), answerErrno(id)) : Effect.succeed(table.count)
      return AtOnce.flatMap(count, (count) => {
        const list = () => {
          const slot = listAtOnce(parent, count, offset, add)
          return slot === undefined ? Effect.void : listSlowly(parent, count, slot, add)
        }
        return offset === 0 ? Effect.flatMap(registry.attach(id, reader.release(parent)), list) : list()
      })
    })

  const getxattr: Shape["getxattr"] = (id, name) =>
    AtOnce.flatMap(entry(id), (found) => {
      const value = XattrList.get(found, name)
      if (value !== undefined) return Effect.succeed(value)
      // The kernel then stops asking for every file of a listing (fuse-protocol §4).
      return Effect.fail(Bytes.equals(name, SELINUX) ? Errno.EOPNOTSUPP : Errno.ENODATA)
    })

  return {
    lease: registry.lease,
    leaseUnsafe: registry.leaseUnsafe,
    lookup,
    forget,
    getattr: (id) => AtOnce.map(entry(id), (found) => Stat.fromEntry(found, id)),
    readlink: (id) =>
      AtOnce.flatMap(entry(id), ({ body }) =>
        body._tag === "Symlink" ? Effect.succeed(body.target) : Effect.fail(Errno.EINVAL),
      ),
    open: (id, flags) =>
      AtOnce.flatMap(node(id), () => ((flags & O_ACCMODE) === 0 ? Effect.void : Effect.fail(Errno.EROFS))),
    read,
    readdir,
    getxattr,
    listxattr: (id) =>
      AtOnce.flatMap(entry(id), (found) => {
        const list = XattrList.fromEntry(found)
        const names = XattrList.names(list)
        if (list.findings.length === 0) return Effect.succeed(names)
        return Effect.as(
          Effect.forEach(
            list.findings,
            (finding) => report(`${finding.check} ${id}`, pathOf(id), `${finding.detail} (check ${finding.check})`),
            { discard: true },
          ),
          names,
        )
      }),
    fileAttributes: (id) => AtOnce.map(entry(id), FileAttributes.fromEntry),
    size: reader.size,
    memory: reader.memory,
    pathOf,
  }
}

const fromFound = ({ entry, name, node }: ArchiveReader.Found, slot: number): Listed => {
  const stat = Stat.fromEntry(entry, node.id)
  return { name, id: stat.id, mode: stat.mode, child: { node, stat }, next: slot + 1 }
}
