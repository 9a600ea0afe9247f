/**
 * An archive that comes as a stream, as a tree that can be walked once, from front to back (§4.9).
 *
 * What a walk does in the order of the archive works: list a folder, its children one by one, enter it or pass it over,
 * read the file that came last from its beginning. Anything else fails, and names are not looked up. The checks are those
 * of `ForwardDecoder`; goodbye tables are passed over. Memory is that of one entry, and of the last `MAX_TARGETS` files,
 * for hard links that name them.
 */
import * as Effect from "effect/Effect"
import * as AttributeDecoder from "../../domain/pxar/AttributeDecoder.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as ArchiveHead from "../../domain/pxar/ArchiveHead.ts"
import * as Bytes from "../../domain/Bytes.ts"
import type { Content, Entry, HardLink } from "../../domain/pxar/Entry.ts"
import * as ForwardDecoder from "../../domain/pxar/ForwardDecoder.ts"
import * as Inode from "../../domain/pxar/Inode.ts"
import * as Item from "../../domain/pxar/Item.ts"
import * as Limits from "../../domain/pxar/Limits.ts"
import type * as Node from "../../domain/pxar/Node.ts"
import * as NodeId from "../../domain/pxar/NodeId.ts"
import type { Payload } from "../bytes/ArchiveBytes.ts"
import type { ByteStream } from "../bytes/ByteStream.ts"
import * as ArchiveError from "./ArchiveError.ts"
import type { ArchiveReader } from "./ArchiveReader.ts"
import type { Add, Cut, Listed, Read } from "./ArchiveTree.ts"
import * as PayloadReader from "./PayloadReader.ts"
import { StreamWindow } from "./StreamWindow.ts"
import type { Flaw } from "./TableRepair.ts"

/** So many files are remembered for hard links. */
const MAX_TARGETS = 131_072

/** No position beyond this. */
const MAX_POSITION = 2 ** 52

/** A folder that the walk is in. */
interface Level {
  readonly node: Node.Node
  /** Folders that the decoder is in while it is in this one. */
  readonly depth: number
  /** Children that have come by. */
  count: number
}

export const make = Effect.fnUntraced(function* (
  stream: ByteStream,
  payloadSource: Payload,
  limits: Limits.Limits = Limits.defaults,
): Effect.fn.Return<ArchiveReader, ArchiveError.ArchiveError> {
  const fail = (error: FormatError.FormatError) => ArchiveError.fromFormat(stream.name, error)
  const window = new StreamWindow(stream)

  /** Decodes at `position`, when there are bytes enough; `undefined` if the stream ends before. */
  const decode = <A>(
    position: () => number,
    run: (window: Item.Window, begun: AttributeDecoder.Begun) => A,
    begun = AttributeDecoder.NOTHING,
  ): Read<A | undefined> =>
    Effect.suspend(() => {
      const attempt = () => FormatError.capture(() => AttributeDecoder.orTurn(() => run(window.view, begun)))
      const result = position() > window.end ? undefined : attempt()
      if (result?._tag === "Success") {
        const { success } = result
        return success instanceof AttributeDecoder.NeedTurn
          ? Effect.flatMap(Effect.yieldNow, () => decode(position, run, success.begun))
          : Effect.succeed(success)
      }
      if (result?.failure._tag === "FormatError") return Effect.fail(fail(result.failure))
      const wanted = Math.max(position() + Item.HEADER_SIZE, result?.failure.end ?? 0)
      return Effect.flatMap(window.advance(position(), wanted), (isThere) =>
        isThere ? decode(position, run, begun) : Effect.undefined,
      )
    })

  const head = yield* decode(
    () => 0,
    (view) => ArchiveHead.readHead(view, MAX_POSITION),
  )
  const tooShort = (): ArchiveError.ArchiveError =>
    fail(FormatError.malformed("A1", 0, `not a pxar archive: it ends after ${window.end} bytes`))
  if (head === undefined) return yield* tooShort()
  const { version } = head
  const prelude = yield* readPrelude(window, head.prelude, limits, fail)
  const decoder = new ForwardDecoder.ForwardDecoder({
    position: head.entryStart,
    version,
    bound: MAX_POSITION,
    limits,
  })
  const next = decode(
    () => decoder.position,
    (view, begun) => decoder.next(view, begun),
  )
  const first = yield* next
  if (first?._tag !== "Enter") return yield* tooShort()
  const source = { name: stream.name, size: 0, read: () => Effect.die(new Error("a stream is not read at a place")) }
  const payload = yield* PayloadReader.make(source, payloadSource, version)

  const nodeOf = (entry: Entry, parent: Node.Node | undefined, nameStart: number): Node.Node => ({
    id:
      parent === undefined ? NodeId.ROOT : entry.body._tag === "Directory" ? entry.start : NodeId.ofEntry(entry.start),
    parent: parent?.id ?? NodeId.ROOT,
    nameStart,
    start: parent === undefined ? 0 : entry.start,
    bound: MAX_POSITION,
    contentsStart: entry.body._tag === "Directory" ? entry.body.contentsStart : 0,
  })
  const root = nodeOf(first.entry, undefined, 0)
  const levels: Array<Level> = [{ node: root, depth: 1, count: 0 }]
  /** What came last. */
  let last: { readonly node: Node.Node; readonly entry: Entry } = { node: root, entry: first.entry }
  let cut: Cut | undefined
  let closed: { readonly folder: number; readonly flaws: ReadonlyArray<Flaw> } | undefined
  const targets = new Map<number, Entry>()
  let lastLink: HardLink | undefined

  const once = (): ArchiveError.ArchiveError =>
    ArchiveError.outOfRange(stream.name, "a stream comes only once: give the archive as a file for this")

  const found = (parent: Node.Node, name: Uint8Array, nameStart: number, entry: Entry, link?: HardLink): Listed => {
    const node = nodeOf(entry, parent, nameStart)
    last = { node, entry }
    return { _tag: "Found", name, node, entry, link, nameStart }
  }

  const listed = (parent: Node.Node, event: Exclude<ForwardDecoder.Event, ForwardDecoder.Leave>): Listed => {
    if (event._tag === "Bad") return { _tag: "Unreadable", name: event.name, link: undefined, error: fail(event.error) }
    const { entry, name, nameStart } = event
    if (entry._tag === "Entry") {
      if (entry.body._tag === "File") {
        const [oldest] = targets.keys()
        if (targets.size === MAX_TARGETS && oldest !== undefined) targets.delete(oldest)
        targets.set(nameStart, entry)
      }
      return found(parent, name, nameStart, entry)
    }
    lastLink = entry
    const target = targets.get(entry.target)
    if (target !== undefined) return found(parent, name, nameStart, target, entry)
    const detail = "hard link to something that is no file, or was too long ago in a stream"
    return { _tag: "Unreadable", name, link: entry, error: fail(FormatError.malformed("L3", entry.start, detail)) }
  }

  /** The next event in the innermost folder, what is inside others passed over; `undefined` when there is no more. */
  const nextIn = (level: Level): Read<Exclude<ForwardDecoder.Event, ForwardDecoder.Leave> | undefined> =>
    Effect.suspend(() => {
      if (cut !== undefined || decoder.depth < level.depth) return Effect.undefined
      const isInside = decoder.depth > level.depth
      return Effect.flatMap(next, (event) => {
        if (event === undefined) {
          return Effect.fail(
            fail(FormatError.malformed("A4", window.end, "the stream ends in the midst of the archive")),
          )
        }
        if (isInside) return nextIn(level)
        if (event._tag !== "Leave") return Effect.succeed(event)
        const { problem } = event
        const flaws = problem === undefined ? [] : [{ error: problem, name: undefined, loses: false, hash: undefined }]
        closed = { folder: level.node.start, flaws }
        return Effect.undefined
      })
    })

  const list = (directory: Node.Node, from: number, add: Add): Read<void> =>
    Effect.suspend(() => {
      let at = levels.findIndex(({ node }) => node.id === directory.id)
      if (at < 0 && last.node.id === directory.id) {
        at = levels.push({ node: directory, depth: levels.length + 1, count: 0 }) - 1
      }
      const level = levels[at]
      if (level === undefined || from !== level.count) return Effect.fail(once())
      levels.length = at + 1
      const goOn = (): Read<void> =>
        Effect.flatMap(nextIn(level), (event) => {
          if (event === undefined) return Effect.void
          level.count++
          return add(listed(directory, event), level.count) ? goOn() : Effect.void
        })
      return Effect.tapError(goOn(), (error) =>
        Effect.sync(() => {
          cut ??= { error, path: Bytes.fromText("/") }
        }),
      )
    })

  const content = (node: Node.Node, offset: number, target: Uint8Array): Read<void> =>
    Effect.suspend(() => {
      const { body } = last.entry
      if (node.start !== last.entry.start || body._tag !== "File") return Effect.fail(once())
      const { content } = body
      return content.source === "payload" ? payload.read(content, offset, target) : inline(content, offset, target)
    })

  const inline = (content: Content, offset: number, target: Uint8Array): Read<void> => {
    const from = content.start + offset
    if (from >= rest.start && from + target.length <= rest.start + rest.bytes.length) {
      target.set(rest.bytes.subarray(from - rest.start, from - rest.start + target.length))
      return Effect.void
    }
    if (from < window.base) return Effect.fail(once())
    return Effect.flatMap(window.read(from, target), (isThere) => {
      if (isThere) return Effect.void
      rest = { start: from, bytes: target.slice(0, Math.max(0, window.end - from)) }
      return Effect.fail(ArchiveError.cutShort(stream.name, window.end, content.start))
    })
  }

  /** What came of a file before the stream ended in its midst: it can be asked for once more. */
  let rest = { start: 0, bytes: Bytes.empty }

  return {
    archive: stream.name,
    size: payload.size,
    comesOnce: true,
    ids: "own",
    // That of a folder is made of its end, which has not come yet.
    inode: ({ id }) => (NodeId.isDirectory(id) && id !== NodeId.ROOT ? Inode.UNKNOWN : Inode.ofNode(id)),
    version,
    root,
    prelude,
    get cut() {
      return cut
    },
    flaws: (directory) => Effect.succeed(closed?.folder === directory.start ? closed.flaws : []),
    entry: (node) =>
      node.id === NodeId.ROOT
        ? Effect.succeed(first.entry)
        : node.id === last.node.id
          ? Effect.succeed(last.entry)
          : Effect.fail(once()),
    lookup: () => Effect.undefined,
    count: () => Effect.fail(once()),
    list,
    // Asked for the target of a hard link: its path says.
    name: (node) =>
      lastLink?.target === node.nameStart
        ? Effect.succeed(lastLink.path.subarray(lastLink.path.lastIndexOf(0x2f) + 1))
        : Effect.fail(once()),
    content,
    release: () => Effect.void,
    memory: Effect.succeed({ blocks: 0, tables: 0 }),
  }
})

const readPrelude = Effect.fnUntraced(function* (
  window: StreamWindow,
  prelude: ArchiveHead.ArchiveHead["prelude"],
  limits: Limits.Limits,
  fail: (error: FormatError.FormatError) => ArchiveError.ArchiveError,
): Effect.fn.Return<Read<Uint8Array | undefined>, ArchiveError.ArchiveError> {
  if (prelude === undefined) return Effect.undefined
  const length = prelude.end - prelude.start
  if (length > limits.preludeBytes) {
    return Effect.fail(fail(FormatError.limit("R1", prelude.start, `prelude of ${length} bytes`)))
  }
  const bytes = new Uint8Array(length)
  const isThere = yield* window.read(prelude.start, bytes)
  return isThere ? Effect.succeed(bytes) : Effect.fail(ArchiveError.cutShort("the stream", window.end))
})
