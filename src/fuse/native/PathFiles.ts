/**
 * The operations of libfuse 2, which name files by path, on those of the bridge, which name them by node.
 *
 * A path is walked for each operation and its references are given back when that ends; those of an open file when it
 * is released. What fuse-native cannot carry is left out and logged, once, never shown as something else: names and
 * link targets that are not text. Numbers that it cannot carry are in `NativeStat`; the first of each kind is logged.
 *
 * It knows nothing of the library: any path-based front will do.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as ArchivePath from "../../domain/pxar/ArchivePath.ts"
import * as Bytes from "../../domain/Bytes.ts"
import * as Errno from "../../domain/Errno.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type * as Stat from "../../domain/pxar/Stat.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import type * as Bridge from "../bridge/Bridge.ts"
import * as LogOnce from "../bridge/LogOnce.ts"
import * as NativeStat from "./NativeStat.ts"
import * as NativeText from "./NativeText.ts"
import * as PathWalk from "./PathWalk.ts"

type Operation<A> = Effect.Effect<A, Errno.Errno>

/** An open file; never 0. */
export type Handle = number

/** One name of a listing. */
export interface Listed {
  readonly name: string
  readonly stat: NativeStat.Source
}

export interface PathFiles {
  readonly getattr: (path: string) => Operation<Stat.Stat>
  /** All names of a folder, `.` and `..` last. */
  readonly readdir: (path: string) => Operation<ReadonlyArray<Listed>>
  readonly readlink: (path: string) => Operation<string>
  /** Fails for write access (EROFS). `flags` as for `open(2)`. */
  readonly open: (path: string, flags: number) => Operation<Handle>
  /** Fills `target` from `offset` on; fewer bytes only at the end of the file. Nothing is written after it has ended. */
  readonly read: (handle: Handle, offset: number, target: Uint8Array) => Operation<number>
  readonly release: (handle: Handle) => Operation<void>
  /** The path by which a file was opened. */
  readonly pathOf: (handle: Handle) => string | undefined
  /** The value's length; an empty `target` only asks for that. */
  readonly getxattr: (path: string, name: string, target: Uint8Array) => Operation<number>
  /** The same for the names, each with a NUL. */
  readonly listxattr: (path: string, target: Uint8Array) => Operation<number>
}

/** An open file and what it holds. */
interface File {
  readonly path: string
  readonly id: NodeId.NodeId
  readonly scope: Scope.Closeable
}

/** The binding takes 31 bits. */
const MAX_HANDLE = 0x7fff_ffff
const POSIX_ACL = /^system\.posix_acl_/

/** Makes the operations; closing the scope releases every file that is still open. */
export const make = Effect.fnUntraced(function* (
  bridge: Bridge.Bridge,
  giveBack: PathWalk.GiveBack,
): Effect.fn.Return<PathFiles, never, Scope.Scope> {
  const session = yield* Scope.fork(yield* Effect.scope)
  const report = LogOnce.make()
  const files = new Map<Handle, File>()
  let lastHandle = 0

  const at = <A>(path: string, use: (id: NodeId.NodeId, stat: Stat.Stat | undefined) => Operation<A>): Operation<A> =>
    Effect.scoped(Effect.flatMap(PathWalk.walk(bridge, path, giveBack), (stat) => use(stat?.id ?? NodeId.ROOT, stat)))

  const below = (parent: NodeId.NodeId, name: Uint8Array): Effect.Effect<Uint8Array> =>
    Effect.map(bridge.pathOf(parent), (path) => ArchivePath.join(path, name))

  const reportInode = (path: Effect.Effect<Uint8Array>): Effect.Effect<void> =>
    report("inode", path, "its inode number and others are cut to 32 bits: several files may show one")

  const reportTime = (path: Effect.Effect<Uint8Array>): Effect.Effect<void> =>
    report("time", path, "its time and others are shown as the nearest there is")

  const reportName = (parent: NodeId.NodeId, name: Uint8Array, detail: string): Effect.Effect<void> =>
    report(`name ${parent}/${Bytes.toKey(name)}`, below(parent, name), `not shown: ${detail}`)

  const getattr = Effect.fnUntraced(function* (
    id: NodeId.NodeId,
    found: Stat.Stat | undefined,
  ): Effect.fn.Return<Stat.Stat, Errno.Errno> {
    const stat = found ?? (yield* bridge.getattr(id))
    if (NativeStat.isInodeCut(stat.ino)) yield* reportInode(bridge.pathOf(id))
    if (NativeStat.isTimeMoved(stat)) yield* reportTime(bridge.pathOf(id))
    return stat
  })

  const readdir = Effect.fnUntraced(function* (
    id: NodeId.NodeId,
  ): Effect.fn.Return<ReadonlyArray<Listed>, Errno.Errno> {
    const listed: Array<Listed> = []
    const hidden: Array<readonly [name: Uint8Array, detail: string]> = []
    let cut: Bridge.Listed | undefined
    yield* bridge.readdir(id, 0, (entry) => {
      const detail = NativeText.obstacle(entry.name)
      const name = NativeText.fromBytes(entry.name)
      if (detail !== undefined || name === undefined) hidden.push([entry.name, String(detail)])
      else listed.push({ name, stat: entry.child?.stat ?? entry })
      if (NativeStat.isInodeCut(entry.ino)) cut ??= entry
      return true
    })
    for (const [name, detail] of hidden) yield* reportName(id, name, detail)
    if (cut !== undefined) yield* reportInode(below(id, cut.name))
    return listed
  })

  const readlink = (id: NodeId.NodeId): Operation<string> =>
    Effect.flatMap(bridge.readlink(id), (target) => {
      const text = NativeText.fromBytes(target)
      if (text !== undefined) return Effect.succeed(text)
      const reported = report(`target ${id}`, bridge.pathOf(id), "its target cannot be read: it is not UTF-8")
      return Effect.andThen(reported, Effect.fail(Errno.EILSEQ))
    })

  const nextHandle = (): Handle => {
    do lastHandle = (lastHandle % MAX_HANDLE) + 1
    while (files.has(lastHandle))
    return lastHandle
  }

  const open = (path: string, flags: number): Operation<Handle> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Scope.fork(session), (scope) =>
        PathWalk.walk(bridge, path, giveBack).pipe(
          Effect.map((stat) => stat?.id ?? NodeId.ROOT),
          Effect.tap((id) => bridge.open(id, flags)),
          restore,
          Scope.provide(scope),
          Effect.map((id) => {
            const handle = nextHandle()
            files.set(handle, { path, id, scope })
            return handle
          }),
          Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))),
        ),
      ),
    )

  const read = (handle: Handle, offset: number, target: Uint8Array): Operation<number> => {
    const file = files.get(handle)
    if (file === undefined) return Effect.fail(Errno.EBADF)
    // A source that was interrupted may write later still, when the library has used its memory for something else.
    let bytes = Bytes.empty
    const reserve = (length: number): Uint8Array => (bytes = Buffer.allocUnsafeSlow(length))
    return Effect.map(bridge.read(file.id, offset, target.length, reserve), () => {
      target.set(bytes)
      return bytes.length
    })
  }

  const release = (handle: Handle): Operation<void> => {
    const file = files.get(handle)
    if (file === undefined) return Effect.fail(Errno.EBADF)
    files.delete(handle)
    return Scope.close(file.scope, Exit.void)
  }

  const getxattr = (id: NodeId.NodeId, name: string, target: Uint8Array): Operation<number> => {
    const bytes = NativeText.toBytes(name)
    if (bytes === undefined) return Effect.fail(Errno.EILSEQ)
    const value = bridge.getxattr(id, bytes)
    const reported = POSIX_ACL.test(name)
      ? Effect.tap(value, () => report("acl", bridge.pathOf(id), "its ACL and others are shown, but not enforced"))
      : value
    return Effect.flatMap(reported, (value) => fill(value, target))
  }

  const listxattr = Effect.fnUntraced(function* (
    id: NodeId.NodeId,
    target: Uint8Array,
  ): Effect.fn.Return<number, Errno.Errno> {
    const shown: Array<Uint8Array> = []
    for (const name of XattrList.split(yield* bridge.listxattr(id))) {
      const detail = NativeText.obstacle(name)
      if (detail === undefined) shown.push(name)
      else yield* report(`xattr ${id}/${Bytes.toKey(name)}`, bridge.pathOf(id), `an attribute is not shown: ${detail}`)
    }
    return yield* fill(XattrList.join(shown), target)
  })

  return {
    getattr: (path) => at(path, getattr),
    readdir: (path) => at(path, readdir),
    readlink: (path) => at(path, readlink),
    open,
    read,
    release,
    pathOf: (handle) => files.get(handle)?.path,
    getxattr: (path, name, target) => at(path, (id) => getxattr(id, name, target)),
    listxattr: (path, target) => at(path, (id) => listxattr(id, target)),
  }
})

/** Puts a value where there is room for it; no room at all asks how long it is. */
const fill = (value: Uint8Array, target: Uint8Array): Operation<number> => {
  if (target.length === 0) return Effect.succeed(value.length)
  if (value.length > target.length) return Effect.fail(Errno.ERANGE)
  target.set(value)
  return Effect.succeed(value.length)
}
