/**
 * The operations of a read-only file system over an archive (§9.3, §9.4): reader and registry on one side, any
 * front that speaks in nodes on the other.
 *
 * An operation fails with the errno to answer and with nothing else: what is wrong in the archive has then been
 * logged, once, with the path. References are counted in the lease that the caller passes; it leaks the lease when
 * its answer has been delivered.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as ArchivePath from "../../domain/pxar/ArchivePath.ts"
import * as Bytes from "../../domain/Bytes.ts"
import { type Entry, S_IFDIR } from "../../domain/pxar/Entry.ts"
import * as Errno from "../../domain/Errno.ts"
import * as Inode from "../../domain/pxar/Inode.ts"
import * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import * as Stat from "../../domain/pxar/Stat.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import { type ArchiveError, UNAVAILABLE } from "../../services/archive/ArchiveError.ts"
import { ArchiveTree, type Found, type Listed as TreeChild } from "../../services/archive/ArchiveTree.ts"
import * as LookupRegistry from "../../services/LookupRegistry.ts"
import { FUSE_NAME_MAX } from "../wire/Abi.ts"
import * as AtOnce from "../../services/AtOnce.ts"
import * as FileAttributes from "../wire/FileAttributes.ts"
import type { Child, Listed } from "./Listed.ts"
import * as Lean from "./Lean.ts"
import * as LogOnce from "./LogOnce.ts"
import * as Seek from "./Seek.ts"
import * as Xattrs from "./Xattrs.ts"

export type { Child, Listed }

/** The outcome of an operation: its answer, or the errno to answer. */
export type Operation<A> = Effect.Effect<A, Errno.Errno>

/** The operations. A node is one that the kernel holds: ENOENT for any other. */
export interface Bridge {
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
  /** Finds data and holes of a file (see `Seek`); absent where no file has holes. */
  readonly seek?: ((id: NodeId.NodeId, offset: number, whence: number) => Operation<number>) | undefined
  /** Hands the names from `offset` on to `add` until it returns false (§9.4). No references are counted. */
  readonly readdir: (id: NodeId.NodeId, offset: number, add: (entry: Listed) => boolean) => Operation<void>
  /** Value of an extended attribute (§8.1, §9.3); ENODATA if there is none of that name. */
  readonly getxattr: (id: NodeId.NodeId, name: Uint8Array) => Operation<Uint8Array>
  /** Names, each with a NUL. */
  readonly listxattr: (id: NodeId.NodeId) => Operation<Uint8Array>
  /** What `chattr` set when the entry was archived (§5, §2.8). */
  readonly fileAttributes: (id: NodeId.NodeId) => Operation<FileAttributes.FileAttributes>
  /** Whether what is in a folder can change (see `ArchiveTree`); absent where that is so of none. */
  readonly isLive?: ((id: NodeId.NodeId) => boolean) | undefined
  /**
   * The lean path of the session over a bridge with these operations, as far as they are this bridge's own: one above it
   * that has taken this over with the others may do some differently. Absent where there is none.
   *
   * @internal
   */
  readonly lean?: Lean.Make | undefined
  /** Bytes of the archive and its payload archive. */
  readonly size: number
  /** Bytes that caches hold. */
  readonly memory: ArchiveTree["memory"]
  /** Path of a node below the root, with a leading slash; as far as it can be found out. */
  readonly pathOf: (id: NodeId.NodeId) => Effect.Effect<Uint8Array>
}

/** The operations that a session carries out. */
export const Bridge: Context.Service<Bridge, Bridge> = Context.Service("pxar-fuse/fuse/bridge/Bridge")

/** The bridge over the tree in `ArchiveTree`, which counts in `LookupRegistry`. */
export const layer: Layer.Layer<Bridge, never, ArchiveTree | LookupRegistry.LookupRegistry> = Layer.effect(
  Bridge,
  Effect.gen(function* () {
    return make(yield* ArchiveTree, yield* LookupRegistry.LookupRegistry)
  }),
)

const O_ACCMODE = 3
const DOT = Bytes.fromText(".")
const DOT_DOT = Bytes.fromText("..")
const UNKNOWN_NAME = Bytes.fromText("?")

/** How a bridge differs from the usual. */
export interface Options {
  /**
   * Whether the names of a file are shown as one file, as they are: its number of links must then be right, and somebody
   * else shows that (`CountedLinks`). Otherwise each name is a file of its own, with one link.
   */
  readonly sharesLinks?: boolean | undefined
}

/**
 * The operations over `tree`, counting in `registry`; one registry for one bridge. An operation does nothing until it is
 * run, and does it again each time.
 */
export const make = (tree: ArchiveTree, registry: LookupRegistry.LookupRegistry, options?: Options): Bridge =>
  lazily(eager(tree, registry, options))

/**
 * The same bridge; what it does, it does when it is run.
 *
 * @internal
 */
export const lazily = (bridge: Bridge): Bridge => {
  const { seek } = bridge
  return {
    ...bridge,
    lookup: (...args) => Effect.suspend(() => bridge.lookup(...args)),
    forget: (...args) => Effect.suspend(() => bridge.forget(...args)),
    getattr: (id) => Effect.suspend(() => bridge.getattr(id)),
    readlink: (id) => Effect.suspend(() => bridge.readlink(id)),
    open: (...args) => Effect.suspend(() => bridge.open(...args)),
    read: (...args) => Effect.suspend(() => bridge.read(...args)),
    seek: seek && ((...args) => Effect.suspend(() => seek(...args))),
    readdir: (...args) => Effect.suspend(() => bridge.readdir(...args)),
    getxattr: (...args) => Effect.suspend(() => bridge.getxattr(...args)),
    listxattr: (id) => Effect.suspend(() => bridge.listxattr(id)),
    fileAttributes: (id) => Effect.suspend(() => bridge.fileAttributes(id)),
    pathOf: (id) => Effect.suspend(() => bridge.pathOf(id)),
  }
}

/**
 * The operations for a session, which runs each operation once, at once: one that need not wait is done when it is called, and
 * has ended (`AtOnce`).
 *
 * @internal
 */
export const eager = (
  tree: ArchiveTree,
  registry: LookupRegistry.LookupRegistry,
  { sharesLinks = false }: Options = {},
): Bridge => {
  const report = LogOnce.make()

  /** The node of a child; of a hard link one of its own, unless all names of the file share one. */
  const nodeOf = ({ link, nameStart, node }: Found): Node.Node =>
    link === undefined || sharesLinks ? node : { ...node, id: NodeId.ofEntry(nameStart) }

  const node = (id: NodeId.NodeId): Operation<Node.Node> => {
    const found = registry.find(id)
    return found === undefined ? Effect.fail(Errno.ENOENT) : Effect.succeed(found)
  }

  const directory = (id: NodeId.NodeId): Operation<Node.Node> =>
    NodeId.isDirectory(id) ? node(id) : Effect.fail(registry.find(id) === undefined ? Errno.ENOENT : Errno.ENOTDIR)

  const pathOf = Effect.fnUntraced(function* (id: NodeId.NodeId): Effect.fn.Return<Uint8Array> {
    const parts: Array<Uint8Array> = []
    let at = registry.find(id)
    while (at !== undefined && !isRoot(at)) {
      parts.unshift(ArchivePath.ROOT, yield* Effect.orElseSucceed(tree.name(at), () => UNKNOWN_NAME))
      at = registry.parent(at)
    }
    // Not held, or not any more.
    if (at === undefined) parts.unshift(ArchivePath.ROOT, UNKNOWN_NAME)
    return parts.length === 0 ? ArchivePath.ROOT : Bytes.concat(parts)
  })

  /** Logs what is wrong in the archive, once, and turns it into an errno. */
  const answerErrno = (error: ArchiveError, id: NodeId.NodeId, name?: Uint8Array): Operation<never> =>
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

  const entry = (id: NodeId.NodeId): Operation<Entry> => {
    const found = registry.find(id)
    return found === undefined
      ? Effect.fail(Errno.ENOENT)
      : AtOnce.catch_(tree.entry(found), (error) => answerErrno(error, id))
  }

  const lookup: Bridge["lookup"] = (parent, name, lease) =>
    AtOnce.flatMap(directory(parent), (found) => {
      const child = AtOnce.catch_(tree.lookup(found, name), (error) => answerErrno(error, parent, name))
      return AtOnce.map(child, (child) => {
        if (child === undefined) return undefined
        const node = nodeOf(child)
        return Stat.fromEntry(child.entry, lease.add(node), tree.inode(node))
      })
    })

  const forget: Bridge["forget"] = (id, count) =>
    Effect.flatMap(registry.forget(id, count), (known) =>
      known
        ? Effect.void
        : report(
            `forget ${id}`,
            Effect.succeed(Bytes.empty),
            `the kernel returned a reference to inode ${NodeId.toBigInt(id)}, which is not held`,
          ),
    )

  const read: Bridge["read"] = (id, offset, size, reserve) => {
    const found = registry.find(id)
    if (found === undefined) return Effect.fail(Errno.ENOENT)
    const entry = AtOnce.catch_(tree.entry(found), (error) => answerErrno(error, id))
    return AtOnce.flatMap(entry, ({ body }) => {
      if (body._tag === "Directory") return Effect.fail(Errno.EISDIR)
      if (body._tag !== "File") return Effect.fail(Errno.EBADF)
      const length = Math.max(0, Math.min(size, body.content.length - offset))
      const target = reserve(length)
      if (length === 0) return Effect.void
      return AtOnce.catch_(tree.content(found, offset, target), (error) => answerErrno(error, id))
    })
  }

  const seek =
    (extent: NonNullable<ArchiveTree["extent"]>): Bridge["seek"] =>
    (id, offset, whence) =>
      AtOnce.flatMap(AtOnce.map(entry(id), Stat.sizeOf), (size) =>
        Seek.seek(size, offset, whence, (at) =>
          AtOnce.flatMap(node(id), (found) =>
            AtOnce.catch_(extent(found, at, size), (error) => answerErrno(error, id)),
          ),
        ),
      )

  /** Says why a child is not listed with its attributes, or not at all. */
  const reportChild = (id: NodeId.NodeId, child: TreeChild, next: number): Effect.Effect<void> => {
    if (child._tag !== "Unreadable") {
      const detail = `a name of ${child.name.length} bytes is not shown: the kernel takes ${FUSE_NAME_MAX}`
      return report(`name ${id} ${next}`, pathOf(id), detail)
    }
    const { error, name } = child
    if (error.check === "D9") {
      const detail = "a second entry of one name is not shown (check D9)"
      return report(`D9 ${id} ${next}`, pathOf(id), detail)
    }
    return name === undefined
      ? report(`child ${id} ${next}`, pathOf(id), error.message)
      : report(keyOf(error, id, name), pathUnder(id, name), error.message)
  }

  /** A child as it is listed; `undefined` if it is not. What cannot be decoded is listed with its name alone. */
  const listed = (child: TreeChild, next: number): Listed | undefined => {
    if (child.name === undefined || child.name.length > FUSE_NAME_MAX) return undefined
    switch (child._tag) {
      case "Found":
        return fromFound(child, next)
      case "Unopened":
        return { name: child.name, ino: tree.inode(child.node), mode: S_IFDIR, child: undefined, next }
      case "Unreadable":
        return child.error.check === "D9"
          ? undefined
          : { name: child.name, ino: Inode.UNKNOWN, mode: 0, child: undefined, next }
    }
  }

  /** Lists `.` and `..`, which stand behind the children. */
  const listDots = (parent: Node.Node, count: number, from: number, add: (entry: Listed) => boolean): void => {
    const dot = { child: undefined, mode: S_IFDIR }
    if (from <= count && !add({ ...dot, name: DOT, ino: tree.inode(parent), next: count + 1 })) return
    if (from <= count + 1) add({ ...dot, name: DOT_DOT, ino: tree.inode(Node.parentOf(parent)), next: count + 2 })
  }

  const fromFound = (found: Found, next: number): Listed => {
    const node = nodeOf(found)
    const stat = Stat.fromEntry(found.entry, node.id, tree.inode(node))
    return { name: found.name, ino: stat.ino, mode: stat.mode, child: { node, stat }, next }
  }

  const list = (
    id: NodeId.NodeId,
    parent: Node.Node,
    from: number,
    add: (entry: Listed) => boolean,
  ): Operation<void> => {
    let full = false
    /** What a child shows of a bad source: the listing fails, and can be tried again. */
    let failure: ArchiveError | undefined
    let reports: Effect.Effect<void> = Effect.void
    const children = tree.list(parent, from, (child, next) => {
      if (child._tag === "Unreadable" && child.error.kind === "IO") {
        failure = child.error
        return false
      }
      const entry = listed(child, next)
      if (entry === undefined || child._tag === "Unreadable") {
        reports = Effect.andThen(reports, reportChild(id, child, next))
      }
      full = entry !== undefined && !add(entry)
      return !full
    })
    return AtOnce.flatMap(
      AtOnce.catch_(children, (error) => answerErrno(error, id)),
      () => {
        if (failure !== undefined) return answerErrno(failure, id)
        if (full) return reports
        const count = AtOnce.catch_(tree.count(parent), (error) => answerErrno(error, id))
        return AtOnce.flatMap(count, (count) => {
          listDots(parent, count, from, add)
          return reports
        })
      },
    )
  }

  const readdir: Bridge["readdir"] = (id, offset, add) =>
    AtOnce.flatMap(directory(id), (parent) =>
      offset === 0
        ? AtOnce.flatMap(registry.attach(id, tree.release(parent)), () => list(id, parent, 0, add))
        : list(id, parent, Math.min(offset, Number.MAX_SAFE_INTEGER), add),
    )

  const bridge: Bridge = {
    lease: registry.lease,
    leaseUnsafe: registry.leaseUnsafe,
    lookup,
    forget,
    getattr: (id) => {
      const found = registry.find(id)
      if (found === undefined) return Effect.fail(Errno.ENOENT)
      return AtOnce.map(entry(id), (entry) => Stat.fromEntry(entry, id, tree.inode(found)))
    },
    readlink: (id) =>
      AtOnce.flatMap(entry(id), ({ body }) =>
        body._tag === "Symlink" ? Effect.succeed(body.target) : Effect.fail(Errno.EINVAL),
      ),
    open: (id, flags) =>
      AtOnce.flatMap(node(id), () => ((flags & O_ACCMODE) === 0 ? Effect.void : Effect.fail(Errno.EROFS))),
    read,
    seek: tree.extent && seek(tree.extent),
    readdir,
    getxattr: (id, name) => AtOnce.flatMap(entry(id), (found) => Xattrs.get(found, name)),
    listxattr: (id) =>
      AtOnce.flatMap(AtOnce.flatMap(entry(id), Xattrs.list), (list) => {
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
    isLive:
      tree.isLive &&
      ((id) => {
        const folder = registry.find(id)
        return folder !== undefined && tree.isLive?.(folder) === true
      }),
    size: tree.size,
    memory: tree.memory,
    pathOf,
  }
  return { ...bridge, lean: Lean.make(tree, registry, bridge) }
}

/** Whether it is the root of the whole tree. */
const isRoot = ({ archive, id }: Node.Key): boolean => id === NodeId.ROOT && archive === undefined
