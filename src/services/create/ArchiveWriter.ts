/**
 * Writes an archive, v1 or v2, in one pass into one or two sinks (§6).
 *
 * The caller walks a tree and names what it finds, in the order in which it shall stand in the archive. Guarantees: the
 * bytes are those of the reference for the same tree; memory is the blocks of `SinkBuffer` and 32 bytes for each child
 * of the directories still open, whatever the size of files; a value that a reader would refuse is refused here.
 *
 * It does not sort children (§6.1), does not notice a name that is given twice, and reads no file system. A call that
 * fails with a `WriteError` has written nothing. After any other failure or an interruption the sinks hold half an
 * archive: use the writer no more.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ErrorId } from "../../domain/ErrorId.ts"
import type { ByteBuilder } from "../../domain/ByteBuilder.ts"
import * as ByteBuilders from "../../domain/ByteBuilder.ts"
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from "../../domain/pxar/Entry.ts"
import type { Metadata } from "../../domain/pxar/EntryEncoder.ts"
import * as EntryEncoder from "../../domain/pxar/EntryEncoder.ts"
import { FormatError, malformed } from "../../domain/pxar/FormatError.ts"
import * as GoodbyeEncoder from "../../domain/pxar/GoodbyeEncoder.ts"
import type { Hash } from "../../domain/pxar/SipHash.ts"
import * as SipHash from "../../domain/pxar/SipHash.ts"
import type { Sink, SinkError } from "../bytes/ByteSink.ts"
import * as SinkBuffer from "../bytes/SinkBuffer.ts"

export type { Metadata }

/** An entry that no archive can hold, or a call out of order. */
export class WriteError extends Schema.TaggedError<WriteError>()("WriteError", {
  /** Name of the sink of the archive. */
  archive: Schema.String,
  /** The check of §7 that a reader would find failed. */
  check: Schema.String,
  detail: Schema.String,
}) {
  static readonly ids = { Any: "PXF-WRITE-UNFIT" } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return WriteError.ids.Any
  }
  override get message(): string {
    return `${this.archive}: ${this.detail} (check ${this.check})`
  }
}

/** The bytes of a file, one after the other. */
export interface ContentSource<E = never, R = never> {
  /**
   * Puts the next bytes into `target`, which is not empty, and returns how many; 0 at the end of the file. After an
   * interruption it may still write into `target`.
   */
  readonly read: (target: Uint8Array) => Effect.Effect<number, E, R>
}

/** A file that was added. */
export interface AddedFile {
  /** Position of its FILENAME header: the target of hard links. */
  readonly position: number
  /**
   * Bytes that the source had: fewer than the size announced, and the rest was filled with zeros; or more, and the rest
   * was cut off (§6.7). More than announced is only known to be at least one more.
   */
  readonly available: number
}

/** Sizes of what was written, in bytes. */
export interface Written {
  readonly archiveSize: number
  /** `undefined` for v1. */
  readonly payloadSize: number | undefined
}

/** What a call of the writer gives, or why it fails. */
export type Write<A> = Effect.Effect<A, SinkError | WriteError>

/** An archive that is being written; the calls follow each other as its entries do. */
export interface ArchiveWriter {
  /** Bytes written so far, contents included. */
  readonly position: () => number
  /** Starts the root: the first call. */
  readonly beginRoot: (metadata: Metadata) => Write<void>
  /** Starts a child of the directory that was begun last. */
  readonly beginDirectory: (name: Uint8Array, metadata: Metadata) => Write<void>
  /** Ends the directory begun last, but for the root. */
  readonly endDirectory: Write<void>
  /** Adds a file of `size` bytes, whatever `content` delivers. A failure of the source ends the archive. */
  readonly addFile: <E, R>(
    name: Uint8Array,
    metadata: Metadata,
    size: number,
    content: ContentSource<E, R>,
  ) => Effect.Effect<AddedFile, SinkError | WriteError | E, R>
  /** Adds a symbolic link. */
  readonly addSymlink: (name: Uint8Array, metadata: Metadata, target: Uint8Array) => Write<void>
  /** Adds a device node, block or character by the type bits of its mode. */
  readonly addDevice: (name: Uint8Array, metadata: Metadata, major: bigint, minor: bigint) => Write<void>
  /** Adds a named pipe. */
  readonly addFifo: (name: Uint8Array, metadata: Metadata) => Write<void>
  /** Adds a socket. */
  readonly addSocket: (name: Uint8Array, metadata: Metadata) => Write<void>
  /** Adds another name of the file at `position`, as `addFile` returned it; `path` is the file's, without a `/` first. */
  readonly addHardLink: (name: Uint8Array, position: number, path: Uint8Array) => Write<void>
  /** Ends the root and the archive. When it returns the sinks have taken every byte. */
  readonly finish: Write<Written>
}

/** Where the archive goes. */
export interface Options {
  /** Where the metadata and, in v1, the contents go. */
  readonly archive: Sink
  /** Where the contents of a v2 archive go; without it the archive is v1. */
  readonly payload?: Sink | undefined
  /** The prelude of a v2 archive (§2.1). */
  readonly prelude?: Uint8Array | undefined
  /** Bytes collected before a sink is called. */
  readonly blockSize?: number | undefined
  /** The hash of names in goodbye tables; another one than the format's is for tests. */
  readonly hash?: ((name: Uint8Array) => Hash) | undefined
}

/** A directory that has not ended yet. */
interface OpenDirectory {
  /** Position of its FILENAME header; not used of the root. */
  readonly nameStart: number
  /** What the tail of its table names as its start (§3.4). */
  readonly start: number
  readonly hash: Hash
  readonly children: GoodbyeEncoder.Children
}

const noHash: Hash = { low: 0, high: 0 }

/** A writer into empty sinks. Writes run in the scope, which must outlive it. */
export const make = Effect.fnUntraced(function* (
  options: Options,
): Effect.fn.Return<ArchiveWriter, WriteError, Scope.Scope> {
  const { hash = SipHash.hash, payload, prelude } = options
  const refuse = (check: string, detail: string) => new WriteError({ archive: options.archive.name, check, detail })
  if (prelude !== undefined && payload === undefined)
    return yield* refuse("A3", "an archive of version 1 has no prelude")

  const archive = yield* SinkBuffer.make(options.archive, options.blockSize)
  const data = payload === undefined ? archive : yield* SinkBuffer.make(payload, options.blockSize)
  const settle = Effect.suspend(() => (archive.isFull() ? archive.handOver : Effect.void))
  const open: Array<OpenDirectory> = []
  let state: "new" | "open" | "finished" = "new"

  /** Runs an encoder that, if it throws, has changed nothing but the block of the archive. */
  const encode = <A>(run: (to: ByteBuilder) => A): Effect.Effect<A, WriteError> => {
    const to = archive.block()
    const { length } = to
    try {
      return Effect.succeed(run(to))
    } catch (thrown) {
      if (!(thrown instanceof FormatError)) throw thrown
      to.length = length
      return Effect.fail(refuse(thrown.check, thrown.detail))
    }
  }

  const parentOf = (to: ByteBuilder): OpenDirectory => {
    const parent = open.at(-1)
    if (parent === undefined) throw outOfOrder(to)
    return parent
  }

  /** Appends a child that has no contents of its own. */
  const addLeaf = (name: Uint8Array, encodeEntry: (to: ByteBuilder, start: number) => void): Write<void> =>
    Effect.suspend(() =>
      Effect.andThen(
        encode((to) => {
          const parent = parentOf(to)
          const start = archive.position()
          EntryEncoder.writeName(to, name)
          encodeEntry(to, start)
          GoodbyeEncoder.addChild(parent.children, hash(name), start, archive.position() - start)
        }),
        settle,
      ),
    )

  const begin = (name: Uint8Array | undefined, metadata: Metadata): Write<void> =>
    Effect.suspend(() =>
      Effect.andThen(
        encode((to) => {
          if ((name === undefined) !== (state === "new") || state === "finished") throw outOfOrder(to)
          const nameStart = archive.position()
          if (name !== undefined) {
            parentOf(to)
            EntryEncoder.writeName(to, name)
          } else if (payload !== undefined) {
            EntryEncoder.writeVersion(to)
            if (prelude !== undefined) EntryEncoder.writePrelude(to, prelude)
          }
          // The root's table counts from the beginning of the archive, also where ENTRY is not there (§3.4).
          const start = name === undefined ? 0 : archive.position()
          writeEntry(to, metadata, S_IFDIR)
          open.push({
            nameStart,
            start,
            hash: name === undefined ? noHash : hash(name),
            children: GoodbyeEncoder.makeChildren(),
          })
          if (state === "new" && payload !== undefined) EntryEncoder.writePayloadStart(data.block())
          state = "open"
        }),
        settle,
      ),
    )

  /** Appends the goodbye table of the directory begun last. */
  const end = (to: ByteBuilder): void => {
    const directory = open.pop()
    if (directory === undefined) throw outOfOrder(to)
    GoodbyeEncoder.writeGoodbye(to, directory.children, archive.position(), directory.start)
    const parent = open.at(-1)
    if (parent === undefined) return
    const size = archive.position() - directory.nameStart
    GoodbyeEncoder.addChild(parent.children, directory.hash, directory.nameStart, size)
  }

  /** Appends the head of a file; its contents are the next `size` bytes of `data`. Returns where it starts. */
  const beginFile = (to: ByteBuilder, name: Uint8Array, metadata: Metadata, size: number): number => {
    const parent = parentOf(to)
    const start = archive.position()
    EntryEncoder.writeName(to, name)
    writeEntry(to, metadata, S_IFREG)
    if (payload === undefined) {
      EntryEncoder.writePayloadHeader(to, size)
    } else {
      EntryEncoder.writePayloadRef(to, data.position(), size)
      EntryEncoder.writePayloadHeader(data.block(), size)
    }
    // In both versions the size counts the contents: for v2 the first form of §3.3, which the reference writes.
    GoodbyeEncoder.addChild(parent.children, hash(name), start, archive.position() - start + size)
    return start
  }

  /** Copies `size` bytes from `content` to `data`, filled up with zeros; returns how many there were. */
  const copy = Effect.fnUntraced(function* <E, R>(
    size: number,
    content: ContentSource<E, R>,
  ): Effect.fn.Return<number, SinkError | E, R> {
    let done = 0
    while (done < size) {
      // With room for one byte more, so that a file which has grown shows without another call.
      const wanted = Math.min(size - done + 1, COPY_SIZE)
      if (data.isTight(wanted)) yield* data.handOver
      const block = data.block()
      const from = block.length
      const count = yield* content.read(
        block.bytes.subarray(from, from + Math.min(ByteBuilders.room(block), size - done + 1)),
      )
      if (count === 0) break
      block.length = from + Math.min(count, size - done)
      done += count
      if (data.isFull()) yield* data.handOver
    }
    for (let filled = done; filled < size;) {
      const block = data.block()
      const zeros = Math.min(ByteBuilders.room(block), size - filled)
      block.bytes.fill(0, block.length, block.length + zeros)
      block.length += zeros
      filled += zeros
      if (data.isFull()) yield* data.handOver
    }
    return done
  })

  return {
    position: () => (data === archive ? archive.position() : archive.position() + data.position()),
    beginRoot: (metadata) => begin(undefined, metadata),
    beginDirectory: begin,
    endDirectory: Effect.suspend(() =>
      Effect.andThen(
        encode((to) => {
          if (open.length < 2) throw outOfOrder(to)
          end(to)
        }),
        settle,
      ),
    ),
    addFile: Effect.fnUntraced(function* (name, metadata, size, content) {
      const position = yield* encode((to) => beginFile(to, name, metadata, size))
      if (data !== archive && archive.isFull()) yield* archive.handOver
      const available = yield* copy(size, content)
      // An empty file leaves its header only.
      if (data.isFull()) yield* data.handOver
      return { position, available }
    }),
    addSymlink: (name, metadata, target) =>
      addLeaf(name, (to) => {
        writeEntry(to, metadata, S_IFLNK)
        EntryEncoder.writeSymlink(to, target)
      }),
    addDevice: (name, metadata, major, minor) =>
      addLeaf(name, (to) => {
        writeEntry(to, metadata, (metadata.mode & S_IFMT) === S_IFBLK ? S_IFBLK : S_IFCHR)
        EntryEncoder.writeDevice(to, major, minor)
      }),
    addFifo: (name, metadata) => addLeaf(name, (to) => writeEntry(to, metadata, S_IFIFO)),
    addSocket: (name, metadata) => addLeaf(name, (to) => writeEntry(to, metadata, S_IFSOCK)),
    addHardLink: (name, position, path) =>
      addLeaf(name, (to, start) => EntryEncoder.writeHardLink(to, start - position, path)),
    finish: Effect.gen(function* () {
      yield* encode((to) => {
        if (open.length !== 1) throw outOfOrder(to)
        end(to)
        state = "finished"
        if (payload !== undefined) EntryEncoder.writePayloadTail(data.block())
      })
      yield* archive.flush
      if (data !== archive) yield* data.flush
      return { archiveSize: archive.position(), payloadSize: data === archive ? undefined : data.position() }
    }),
  }
})

/** Least free memory to read into, unless a file's rest is shorter. */
const COPY_SIZE = 128 * 1024

/** Appends ENTRY and attributes; the type bits of the mode must be `type` (E1). */
const writeEntry = (to: ByteBuilder, metadata: Metadata, type: number): void => {
  if ((metadata.mode & S_IFMT) !== type) {
    throw malformed("E1", to.length, `mode 0o${metadata.mode.toString(8)} where type 0o${type.toString(8)} is due`)
  }
  EntryEncoder.writeEntry(to, metadata)
}

const outOfOrder = (to: ByteBuilder): FormatError =>
  malformed("H4", to.length, "an archive is one root, begun first and finished last, with directories that end")
