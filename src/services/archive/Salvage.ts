/**
 * Opens what is left of an archive whose end is missing or bad: reads it from the front (§4.9) and completes it.
 *
 * The result is a source that holds the archive up to the first byte that makes no sense, and behind it goodbye tables of
 * the folders that are open there, made from what was read. To everybody else it is an archive like any other. A file
 * that is cut in its middle keeps its size; reading it beyond the cut fails. Bytes before the end that make no sense are
 * passed over (see `Resync`); what is behind them is taken for part of the innermost folder of which it can be, unless a
 * table that comes later says otherwise.
 *
 * Memory is 56 bytes for each child of the folders that are open where the archive ends; time is that of reading the
 * metadata once. Nothing is written.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Bytes from "../../domain/Bytes.ts"
import * as ByteBuilder from "../../domain/ByteBuilder.ts"
import { EIO } from "../../domain/Errno.ts"
import * as AttributeDecoder from "../../domain/pxar/AttributeDecoder.ts"
import * as ArchiveHead from "../../domain/pxar/ArchiveHead.ts"
import * as ArchivePath from "../../domain/pxar/ArchivePath.ts"
import * as FormatError from "../../domain/pxar/FormatError.ts"
import * as ForwardDecoder from "../../domain/pxar/ForwardDecoder.ts"
import * as GoodbyeEncoder from "../../domain/pxar/GoodbyeEncoder.ts"
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"
import * as Item from "../../domain/pxar/Item.ts"
import type { Limits } from "../../domain/pxar/Limits.ts"
import type { Hash } from "../../domain/pxar/SipHash.ts"
import type * as Work from "../../domain/Work.ts"
import * as AtOnce from "../AtOnce.ts"
import { type ByteSource, isRange, SourceError } from "../bytes/ByteSource.ts"
import * as ArchiveError from "./ArchiveError.ts"
import * as BlockCache from "./BlockCache.ts"
import * as Resync from "./Resync.ts"
import * as Turns from "./Turns.ts"

/** An archive that was completed. */
export interface Salvaged {
  readonly source: ByteSource
  /** First byte that is not of the archive; contents that reach beyond it are cut there. */
  readonly end: number
  /** Where reading from the front came to an end, and why. */
  readonly stop: FormatError.FormatError
  /** Path of what is cut or goes on there: a file, or a folder. */
  readonly path: Uint8Array
  /** What was passed over before that because it makes no sense: the first hundred of `gapCount`. */
  readonly gaps: ReadonlyArray<Gap>
  readonly gapCount: number
}

/** Bytes that make no sense, between others that do. */
export interface Gap {
  readonly start: number
  readonly end: number
  readonly error: FormatError.FormatError
}

/** Bytes read at once. */
const CHUNK = 64 * 1024
/** The same behind content that was passed over. */
const FAR = 4 * 1024

/** No position beyond this: there is room for tables behind it. */
const MAX_POSITION = 2 ** 52

/** The end of an archive. */
export interface End {
  /** The archive, completed if it has no end of its own. */
  readonly bytes: ByteSource
  /** First byte that is not of the archive. */
  readonly end: number
  readonly rootTail: GoodbyeTable.Tail
  readonly cut: { readonly error: ArchiveError.ArchiveError; readonly path: Uint8Array } | undefined
}

/** Finds the root's tail at the end of `source`, which begins with `head`, and completes the archive if there is none. */
export const findEnd = Effect.fnUntraced(function* (
  source: ByteSource,
  head: ArchiveHead.ArchiveHead,
  blocks: BlockCache.BlockCache,
  limits: Limits,
  hash: (name: Uint8Array) => Hash,
): Effect.fn.Return<End, ArchiveError.ArchiveError> {
  const tailOf = (size: number) => ({
    position: size - GoodbyeTable.ITEM_SIZE,
    extent: GoodbyeTable.ITEM_SIZE,
    decode: (window: Item.Window) => ArchiveHead.readRootTail(window, size, 0, limits),
  })
  const tail = yield* Effect.result(blocks.decode(tailOf(source.size)))
  if (Result.isSuccess(tail)) return { bytes: source, end: source.size, rootTail: tail.success, cut: undefined }
  if (tail.failure.kind !== "Malformed") return yield* tail.failure
  const salvaged = yield* complete(source, head, limits, hash)
  const { end, gapCount, gaps, path, source: bytes, stop } = salvaged
  const { check, kind, offset } = tail.failure
  const detail = `the index at the end is missing; read from the front, up to byte ${end}: ${stop.detail}${saidOf(gaps, gapCount)}`
  const error = new ArchiveError.ArchiveError({ archive: source.name, kind, check, offset, detail, errno: EIO.code })
  const rootTail = yield* BlockCache.make(bytes).decode(tailOf(bytes.size))
  return { bytes, end, rootTail, cut: { error, path } }
})

const saidOf = ([first]: ReadonlyArray<Gap>, count: number): string => {
  if (first === undefined) return ""
  const where = `bytes ${first.start} to ${first.end} make no sense (${first.error.detail})`
  return count === 1 ? `; ${where}` : `; ${where}, nor do ${count - 1} other parts; all of them were passed over`
}

/** Completes the archive in `source`, which begins with `head`. Fails if there is no folder at its front. */
export const complete = Effect.fnUntraced(function* (
  source: ByteSource,
  head: ArchiveHead.ArchiveHead,
  limits: Limits,
  hash: (name: Uint8Array) => Hash,
): Effect.fn.Return<Salvaged, ArchiveError.ArchiveError> {
  const read = (from: number, length: number) => {
    const bytes = new Uint8Array(Math.min(length, source.size - from))
    return Effect.map(Effect.mapError(source.read(bytes, from), ArchiveError.fromSource), () =>
      Item.makeWindow(bytes, from),
    )
  }
  let window = Item.makeWindow(Bytes.empty, head.entryStart)
  const decoder = new ForwardDecoder.ForwardDecoder({
    position: head.entryStart,
    version: head.version,
    bound: MAX_POSITION,
    limits,
  })
  const pass = new Pass(hash, limits)
  const resync = { source, version: head.version, limits, bound: MAX_POSITION }
  let begun = AttributeDecoder.NOTHING
  let stop: FormatError.FormatError | undefined
  while (stop === undefined) {
    const { position } = decoder
    const attempt = () => FormatError.capture(() => AttributeDecoder.orTurn(() => pass.run(decoder, window, begun)))
    const result = position >= window.base ? attempt() : undefined
    if (result !== undefined && Result.isSuccess(result)) {
      if (result.success instanceof FormatError.FormatError) {
        stop = result.success
      } else {
        begun = result.success.begun
        yield* Effect.yieldNow
      }
    } else if (result?.failure._tag === "FormatError") {
      const { failure } = result
      const found =
        failure.kind === "Limit" || pass.isEmpty
          ? undefined
          : yield* Resync.find(resync, decoder.position + 1, pass.starts())
      if (found === undefined) stop = failure
      else pass.passOver(decoder, found, failure)
    } else {
      const from = decoder.position
      const wanted = Math.max(Item.HEADER_SIZE, (result?.failure.end ?? from) - from)
      if (from + wanted > source.size) {
        stop = FormatError.malformed("A4", source.size, "the archive ends in the midst of it")
      } else {
        const isFar = from > window.base + window.bytes.length
        window = yield* read(from, wanted > FAR ? Math.max(CHUNK, 2 * wanted) : isFar ? FAR : CHUNK)
      }
    }
  }
  if (pass.isEmpty) return yield* ArchiveError.fromFormat(source.name, stop)
  return yield* pass.complete(source, stop)
})

/** A folder that is open. */
interface Folder {
  readonly name: Uint8Array
  readonly nameStart: number
  /** E of §3.4. */
  readonly start: number
  readonly children: GoodbyeEncoder.Children
  /** Name of the last child. */
  last: Uint8Array | undefined
}

/** So many gaps are remembered. */
const MAX_GAPS = 100

/** The folders that are open, with their children so far. */
class Pass {
  private readonly folders: Array<Folder> = []
  /** The file that came last. */
  private file: { readonly name: Uint8Array; readonly end: number } | undefined
  /** Where the last child ends, or the contents of the last folder begin. */
  private end = 0
  /** End of the archive, where it has one. */
  private whole: number | undefined
  private readonly gaps: Array<Gap> = []
  private gapCount = 0
  private readonly hash: (name: Uint8Array) => Hash
  private readonly limits: Limits

  constructor(hash: (name: Uint8Array) => Hash, limits: Limits) {
    this.hash = hash
    this.limits = limits
  }

  get isEmpty(): boolean {
    return this.folders.length === 0
  }

  /** Takes events until the root ends; or bytes are needed, or a turn for others, or the bytes are bad: that is thrown. */
  run(
    decoder: ForwardDecoder.ForwardDecoder,
    window: Item.Window,
    begun: AttributeDecoder.Begun,
  ): FormatError.FormatError {
    for (;;) {
      const event = decoder.next(window, begun)
      switch (event._tag) {
        case "Enter":
          this.enter(event.name, event.nameStart, event.nameStart === 0 ? 0 : event.entry.start, event.entry.end)
          break
        case "Leaf":
          this.add(event.name, event.nameStart, event.entry.end)
          this.file = { name: event.name, end: event.entry.end }
          break
        case "Bad":
          if (event.isFolder) this.enter(event.name ?? Bytes.empty, event.nameStart, event.start, event.end)
          else this.add(event.name ?? Bytes.empty, event.nameStart, event.end)
          break
        case "Leave": {
          if (this.gapCount > 0 && event.problem?.check === "D3" && !this.findOwner(decoder, event)) break
          if (decoder.depth === 0) {
            if (event.problem === undefined || event.directoryStart === 0) {
              // The tables of the root are those that it has.
              this.folders.length = 1
              this.whole = event.end
              return FormatError.malformed("A4", event.end, "bytes after the end of the archive")
            }
            decoder.jump(event.start, 1)
            return event.problem
          }
          const { name, nameStart } = this.folders.pop() as Folder
          this.add(name, nameStart, event.end)
        }
      }
    }
  }

  /** Starts of the folders that are open, the outermost first. */
  starts(): ReadonlyArray<number> {
    return this.folders.map(({ start }) => start)
  }

  /** Goes on where the archive does, behind bytes that make no sense. */
  passOver(decoder: ForwardDecoder.ForwardDecoder, found: Resync.Found, error: FormatError.FormatError): void {
    const { folder, name, position } = found
    this.gapCount++
    if (this.gaps.length < MAX_GAPS) this.gaps.push({ start: decoder.position, end: position, error })
    // A folder whose table is found has those of its subfolders that are lost in it.
    if (folder !== undefined) this.folders.length = this.starts().indexOf(folder) + 1
    const depth = name === undefined ? this.folders.length : Resync.depthOf(name, this.lastNames())
    while (this.folders.length > depth) {
      const { name, nameStart } = this.folders.pop() as Folder
      this.add(name, nameStart, position)
    }
    this.file = undefined
    this.end = position
    decoder.jump(position, this.folders.length)
  }

  /** Names of the last children of the folders that are open. */
  private lastNames(): ReadonlyArray<Uint8Array | undefined> {
    return this.folders.map(({ last }, index) => this.folders[index + 1]?.name ?? last)
  }

  /** Leaves for a table the folder whose it is; `false` if that is none that is open: the table is then passed over. */
  private findOwner(decoder: ForwardDecoder.ForwardDecoder, { directoryStart, end }: ForwardDecoder.Leave): boolean {
    const level = directoryStart === undefined ? -1 : this.starts().indexOf(directoryStart)
    if (level >= 0) {
      this.folders.length = level + 1
      decoder.jump(end, level)
      return true
    }
    this.file = undefined
    this.end = end
    decoder.resume(end, this.starts())
    return false
  }

  private enter(name: Uint8Array, nameStart: number, start: number, contentsStart: number): void {
    this.requireRoom(nameStart)
    this.folders.push({ name, nameStart, start, children: GoodbyeEncoder.makeChildren(), last: undefined })
    this.file = undefined
    this.end = contentsStart
  }

  private add(name: Uint8Array, nameStart: number, end: number): void {
    this.requireRoom(nameStart)
    const folder = this.folders.at(-1) as Folder
    GoodbyeEncoder.addChild(folder.children, this.hash(name), nameStart, end - nameStart)
    folder.last = name
    this.file = undefined
    this.end = end
  }

  private requireRoom(nameStart: number): void {
    const { directoryEntries } = this.limits
    if ((this.folders.at(-1)?.children.count ?? -1) < directoryEntries) return
    throw FormatError.limit("D10", nameStart, `directory of more than ${directoryEntries} entries`)
  }

  /** The archive as far as it could be read. */
  complete(source: ByteSource, stop: FormatError.FormatError): Effect.Effect<Salvaged> {
    const names = this.folders.slice(1).map(({ name }) => name)
    if (this.file !== undefined && this.file.end > source.size) names.push(this.file.name)
    const path = names.reduce<Uint8Array>(ArchivePath.join, ArchivePath.ROOT)
    const position = this.end
    const end = Math.min(this.whole ?? position, source.size)
    const { gapCount, gaps } = this
    if (this.whole !== undefined) {
      return Effect.succeed({ source: completed(source, end, end, Bytes.empty), end, stop, path, gaps, gapCount })
    }
    return Effect.map(
      Turns.run(() => this.tables(position)),
      (tables) => ({ source: completed(source, end, position, tables), end, stop, path, gaps, gapCount }),
    )
  }

  /** Tables of the folders that are open, the innermost first, to stand at `position`. */
  private *tables(position: number): Work.Work<Uint8Array> {
    const tables = ByteBuilder.make(4096)
    const folders = this.folders.slice()
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      yield* GoodbyeEncoder.writingGoodbye(tables, folder.children, position + tables.length, folder.start)
      const { children } = folders.at(-1) ?? folder
      const size = position + tables.length - folder.nameStart
      GoodbyeEncoder.addChild(children, this.hash(folder.name), folder.nameStart, size)
    }
    return ByteBuilder.contents(tables)
  }
}

/** The first `end` bytes of a source, zeros up to `position`, and there other bytes. */
const completed = (source: ByteSource, end: number, position: number, bytes: Uint8Array): ByteSource => {
  const size = position + bytes.length
  const fill = (target: Uint8Array, offset: number): void => {
    if (offset < position) target.fill(0, 0, Math.min(target.length, position - offset))
    const from = Math.max(offset, position)
    const to = offset + target.length
    if (from < to) target.set(bytes.subarray(from - position, to - position), from - offset)
  }
  return {
    name: source.name,
    size,
    read: (target, offset) => {
      const to = offset + target.length
      if (!isRange(offset, target.length, size)) {
        return Effect.fail(new SourceError({ source: source.name, offset, detail: "read past the end" }))
      }
      if (to <= end) return source.read(target, offset)
      const real = Math.max(0, end - offset)
      const rest = (): void => fill(target.subarray(real), offset + real)
      return AtOnce.map(real === 0 ? Effect.void : source.read(target.subarray(0, real), offset), rest)
    },
  }
}
