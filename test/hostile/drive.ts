/**
 * Uses everything in an archive in every way, and says what it should not have done.
 *
 * The oracles: failures are typed, work is bounded by a number of reads, nothing is held in the end, what the damage
 * cannot have touched is as the golden view says, and the walk, the file system and the verifier agree.
 */
import * as crypto from "node:crypto"
import { Cause, Data, Effect, Exit, Logger, Stream } from "effect"
import { Errno } from "../../src/domain/Errno.ts"
import * as NodeId from "../../src/domain/pxar/NodeId.ts"
import * as Bridge from "../../src/fuse/bridge/Bridge.ts"
import * as Archive from "../../src/services/tree/Archive.ts"
import { ArchiveError } from "../../src/services/archive/ArchiveError.ts"
import * as ArchiveReader from "../../src/services/archive/ArchiveReader.ts"
import { fromBytes, type ByteSource, type SourceError } from "../../src/services/bytes/ByteSource.ts"
import type * as Finding from "../../src/services/verify/Finding.ts"
import * as LookupRegistry from "../../src/services/LookupRegistry.ts"
import type { Payload } from "../../src/services/bytes/ArchiveBytes.ts"
import type * as TreeWalk from "../../src/services/tree/TreeWalk.ts"
import * as Verifier from "../../src/services/verify/Verifier.ts"
import type { Damaged } from "../support/Damage.ts"
import type * as Golden from "../support/Golden.ts"
import * as Layout from "../support/Layout.ts"

export interface Outcome {
  /** What should not be; nothing if all is well. */
  readonly problems: ReadonlyArray<string>
  readonly opened: boolean
  readonly entries: number
  /** Entries compared with the golden view. */
  readonly compared: number
  readonly reads: number
}

/** More reads than any use of the archive needs. */
class TooManyReads extends Data.TaggedError("TooManyReads")<{ readonly reads: number }> {}

interface Counted extends ByteSource {
  reads: number
  bytes: number
}

/** Counts, and ends what has no end. */
const counting = (bytes: Uint8Array, name: string, limit: number): Counted => {
  const inner = fromBytes(bytes, name)
  const self: Counted = {
    name,
    size: inner.size,
    reads: 0,
    bytes: 0,
    read: (target, offset) => {
      const read = (): Effect.Effect<void, SourceError> => {
        self.bytes += target.length
        if (++self.reads > limit) return Effect.die(new TooManyReads({ reads: self.reads }))
        return inner.read(target, offset)
      }
      // Some of the archive is at hand, some is not.
      return offset % 3 === 0 ? Effect.suspend(read) : read()
    },
  }
  return self
}

/** Bytes of a file's content that are read; whole files are compared up to there. */
const CONTENT = 128 * 1024

/** Names taken from a listing at once: small, so that listings continue where they ended. */
const PAGE = 50

interface State {
  readonly problems: Array<string>
  readonly health: Layout.Health | undefined
  readonly view: ReadonlyMap<string, Golden.View> | undefined
  entries: number
  /** Paths that were compared with the view. */
  readonly compared: Set<string>
}

const complain = (state: State, problem: string): void => {
  if (state.problems.length < 20) state.problems.push(problem)
}

/** The value of an operation; `undefined` when it failed as it may. Anything else that it does is a problem. */
const attempt = <A>(
  state: State,
  what: string,
  isTyped: (error: unknown) => boolean,
  effect: Effect.Effect<A, unknown>,
): Effect.Effect<A | undefined> =>
  Effect.map(Effect.exit(effect), (exit) => {
    if (Exit.isSuccess(exit)) return exit.value
    const typed =
      exit.cause.reasons.length === 1 && exit.cause.reasons.every((r) => r._tag === "Fail" && isTyped(r.error))
    if (!typed) complain(state, `${what}: ${Cause.pretty(exit.cause)}`)
    return undefined
  })

const isErrno = (error: unknown): boolean => error instanceof Errno && error.code > 0
const isArchiveError = (error: unknown): boolean => error instanceof ArchiveError

const sha256 = (bytes: Uint8Array): string => crypto.createHash("sha256").update(bytes).digest("hex")

/** What the file system shows of one entry, in every way there is. */
const useNode = Effect.fnUntraced(function* (state: State, bridge: Bridge.Bridge, path: string, id: NodeId.NodeId) {
  const ask = <A>(what: string, effect: Effect.Effect<A, Errno>) => attempt(state, `${what} ${path}`, isErrno, effect)
  const stat = yield* ask("getattr", bridge.getattr(id))
  const target = yield* ask("readlink", bridge.readlink(id))
  const list = yield* ask("listxattr", bridge.listxattr(id))
  const names = list === undefined ? [] : Buffer.from(list).toString("latin1").split("\0").slice(0, -1)
  if (list !== undefined && (list.length > 65_536 || names.some((name) => name === "" || name.length > 255))) {
    complain(state, `listxattr ${path}: a list that the kernel refuses`)
  }
  const xattrs: Record<string, string> = {}
  for (const name of [...new Set(names)].slice(0, 40)) {
    const bytes = Buffer.from(name, "latin1")
    const value = yield* ask("getxattr", bridge.getxattr(id, bytes))
    if (value !== undefined) xattrs[bytes.toString("hex")] = Buffer.from(value).toString("hex")
  }
  yield* ask("getxattr", bridge.getxattr(id, Buffer.from("system.posix_acl_access")))
  yield* ask("open", bridge.open(id, 0))
  let content: Buffer | undefined
  const reserve = (length: number): Uint8Array => (content = Buffer.alloc(length))
  const read = yield* ask("read", Effect.as(bridge.read(id, 0, CONTENT, reserve), true))
  const got = read === true ? content : undefined
  const size = stat?.size ?? 0
  for (const offset of [size, size + 1, Math.max(0, size - 10)]) {
    let last: number | undefined
    const measure = (length: number): Uint8Array => new Uint8Array((last = length))
    const tail = yield* ask("read", Effect.as(bridge.read(id, offset, 100, measure), true))
    if (tail === true && last !== Math.max(0, Math.min(100, size - offset))) complain(state, `short read of ${path}`)
  }
  return { stat, target, xattrs, content: got }
})

/** Compares an entry with the golden view, where the damage cannot have reached it. */
const compare = (
  state: State,
  path: string,
  { content, stat, target, xattrs }: Effect.Success<ReturnType<typeof useNode>>,
): void => {
  const view = state.view?.get(path)
  const whole = state.health?.healthy.get(path)
  if (view === undefined || whole === undefined) return
  state.compared.add(path)
  if (stat === undefined) return complain(state, `${path}: is whole, but cannot be read`)
  const seen = {
    ino: path === "/" ? 1n : NodeId.toBigInt(stat.id),
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    nlink: stat.nlink,
    size: stat.size,
    seconds: stat.mtimeSeconds,
    nanos: stat.mtimeNanos,
    target: target === undefined ? undefined : Buffer.from(target).toString("hex"),
  }
  const expected = {
    // Names of one file have nodes of their own, where links are not counted.
    ino: view.hardlink ? seen.ino : view.ino,
    mode: view.mode,
    uid: view.uid,
    gid: view.gid,
    nlink: view.nlink,
    size: view.size,
    seconds: view.mtimeSeconds,
    nanos: view.mtimeNanos,
    target: view.target?.toString("hex"),
  }
  for (const key of Object.keys(expected) as Array<keyof typeof expected>) {
    if (seen[key] !== expected[key]) complain(state, `${path}: ${key} is ${seen[key]}, not ${expected[key]}`)
  }
  const attributes = Object.entries(view.xattrs)
  if (attributes.length !== Object.keys(xattrs).length || attributes.some(([name, value]) => xattrs[name] !== value)) {
    complain(state, `${path}: its attributes are others`)
  }
  if (
    whole &&
    view.kind === "file" &&
    view.size <= CONTENT &&
    (content === undefined || sha256(content) !== view.sha256)
  ) {
    complain(state, `${path}: its content is ${content === undefined ? "not to be read" : "another"}`)
  }
}

/** The file system: lists every folder in pages, uses every entry, looks every name up, and gives everything back. */
const useBridge = (state: State, reader: ArchiveReader.ArchiveReader) =>
  Effect.scoped(
    Effect.gen(function* () {
      const registry = yield* LookupRegistry.make(reader.root)
      const bridge = Bridge.make(reader, registry)
      const ask = <A>(what: string, effect: Effect.Effect<A, Errno>) => attempt(state, what, isErrno, effect)
      const references = new Map<NodeId.NodeId, number>()
      const listed = new Set<NodeId.NodeId>()
      const count = (id: NodeId.NodeId): void => void references.set(id, (references.get(id) ?? 0) + 1)
      const folders: Array<readonly [id: NodeId.NodeId, path: string]> = [[NodeId.ROOT, "/"]]
      compare(state, "/", yield* useNode(state, bridge, "/", NodeId.ROOT))
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        const [id, path] = folder
        if (listed.has(id)) complain(state, `${path}: a folder that was met before`)
        listed.add(id)
        const found: Array<Bridge.Listed> = []
        for (let offset = 0, more = true; more;) {
          const before = offset
          let room = PAGE
          yield* Effect.scoped(
            Effect.flatMap(bridge.lease, (lease) =>
              ask(
                `readdir ${path}`,
                bridge.readdir(id, offset, (entry) => {
                  if (room-- === 0) return false
                  if (entry.child !== undefined) {
                    lease.add(entry.child.node)
                    count(entry.child.node.id)
                  }
                  found.push(entry)
                  offset = entry.next
                  return true
                }),
              ).pipe(Effect.andThen(Effect.sync(lease.leak))),
            ),
          )
          more = offset > before
        }
        for (const { child, name } of found) {
          const text = Buffer.from(name).toString("latin1")
          if (text === "." || text === "..") continue
          state.entries++
          const full = path === "/" ? `/${text}` : `${path}/${text}`
          const looked = yield* Effect.scoped(
            Effect.flatMap(bridge.lease, (lease) =>
              Effect.tap(ask(`lookup ${full}`, bridge.lookup(id, name, lease)), (answer) =>
                Effect.sync(() => {
                  if (answer === undefined) return
                  lease.leak()
                  count(answer.id)
                }),
              ),
            ),
          )
          // A child that cannot be decoded can have the name of another.
          if (child === undefined) continue
          if (looked?.id !== child.node.id) complain(state, `${full}: LOOKUP and listing disagree`)
          compare(state, full, yield* useNode(state, bridge, full, child.node.id))
          if (NodeId.isDirectory(child.node.id)) folders.push([child.node.id, full])
        }
        const names = found.flatMap(({ child, name }) =>
          child === undefined ? [] : [Buffer.from(name).toString("latin1")],
        )
        if (new Set(names).size !== names.length) complain(state, `${path}: a name is listed twice`)
      }
      for (const [id, held] of references) {
        if ((yield* registry.count(id)) !== held) complain(state, `inode ${id}: other references than were counted`)
        yield* attempt(state, `forget ${id}`, () => false, bridge.forget(id, held))
      }
      const held = yield* registry.held
      if (held.length !== 1) complain(state, `${held.length} nodes are held in the end`)
    }),
  )

/** The tree by paths; gives the errors met. */
const useWalk = Effect.fnUntraced(function* (state: State, reader: ArchiveReader.ArchiveReader) {
  const archive = Archive.fromReader(reader)
  const errors: Array<ArchiveError> = []
  const found = new Set<string>()
  const root = yield* attempt(state, "root", isArchiveError, archive.root)
  if (root === undefined) return { errors: undefined, found }
  const onItem = (item: TreeWalk.Item) =>
    Effect.sync(() => {
      if (item._tag === "Unreadable") {
        if (isArchiveError(item.error)) errors.push(item.error)
        else complain(state, `walk: ${String(item.error)}`)
      } else found.add(Buffer.from(item.path).toString("latin1"))
    })
  yield* attempt(state, "walk", () => false, Stream.runForEach(archive.walk(root), onItem))
  return { errors, found }
})

/** The verifier; its verdict comes last and agrees with the walk. */
const useVerifier = Effect.fnUntraced(function* (state: State, archive: ByteSource, payload: Payload) {
  const stream = Verifier.verify({ archive, payload }, { data: true })
  const events = (yield* attempt(state, "verify", () => false, Stream.runCollect(stream))) ?? []
  const findings = events.filter((event): event is Finding.Finding => event._tag === "Finding")
  const verdict = events.at(-1)
  if (verdict?._tag !== "Verdict" || findings.length !== events.length - 1) {
    complain(state, "verify: no verdict in the end")
    return undefined
  }
  const errors = findings.filter(({ severity }) => severity === "error").length
  if (verdict.errors !== errors || (verdict.result === "damaged") !== errors > 0) {
    complain(state, `verify: ${errors} errors, but the verdict is ${verdict.result}`)
  }
  return { verdict, findings }
})

/** Uses an archive in every way. Never fails and never dies, unless this file is wrong. */
export const drive = ({ base, bytes, changed, changedPayload, payload }: Damaged): Effect.Effect<Outcome> =>
  Effect.gen(function* () {
    const state: State = {
      problems: [],
      health: changed === undefined ? undefined : Layout.healthOf(base.layout, changed, changedPayload),
      view: base.view,
      entries: 0,
      compared: new Set(),
    }
    const limit = 5000 + 100 * base.layout.places.length
    const archive = counting(bytes, "hostile.mpxar", limit)
    const other = payload === undefined ? undefined : counting(payload, "hostile.ppxar", limit)
    const source: Payload =
      other === undefined ? { _tag: "Absent", expected: undefined } : { _tag: "Present", source: other }
    const reader = yield* attempt(state, "open", isArchiveError, ArchiveReader.make(archive, source))
    if (reader === undefined && state.health?.opens === true)
      complain(state, "is whole where it counts, but does not open")
    const verified = yield* useVerifier(state, archive, source)
    if (reader !== undefined) {
      yield* attempt(state, "prelude", isArchiveError, reader.prelude)
      yield* useBridge(state, reader)
      const { errors, found } = yield* useWalk(state, reader)
      for (const path of state.health?.healthy.keys() ?? []) {
        const listed = state.view === undefined || state.compared.has(path)
        if (!listed) complain(state, `${path}: is whole, but the file system does not list it`)
        if (!found.has(path)) complain(state, `${path}: is whole, but the walk did not find it`)
      }
      const bad = errors?.find(({ check, kind }) => kind !== "Limit" && check !== "D9")
      if (bad !== undefined && (verified?.verdict.errors ?? 0) === 0) {
        complain(state, `the verifier finds nothing where the walk met: ${bad.message}`)
      }
      const silent = verified !== undefined && verified.verdict.entries === 0
      if (silent && found.size > 0) complain(state, "the verifier saw no entry, the walk did")
    } else if (verified !== undefined && verified.verdict.errors === 0) {
      complain(state, "does not open, but the verifier finds nothing")
    }
    const { compared, entries, problems } = state
    return {
      problems,
      opened: reader !== undefined,
      entries,
      compared: compared.size,
      reads: archive.reads + (other?.reads ?? 0),
    }
  }).pipe(Effect.provide(Logger.layer([])))
