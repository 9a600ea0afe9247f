/**
 * Zeros in place of what is lost of files for good, on request: the rest of such a file can then be read. Each loss is told
 * with the file and the range, once; of a file with many the first ones.
 *
 * Where a loss is known the source is not asked again. What is remembered is bounded: of the files with losses the ones
 * used last.
 */
import * as Effect from "effect/Effect"
import type * as Node from "../../domain/pxar/Node.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree, Read } from "../archive/ArchiveTree.ts"
import * as AtOnce from "../AtOnce.ts"
import * as NodePath from "./NodePath.ts"

/** Bytes of a file that are lost. */
export interface Lost {
  /** Name of the archive, or of the file where it is in none. */
  readonly archive: string
  /** Path within the archive, with a leading slash; empty where the file is in none. */
  readonly path: Uint8Array
  /** First byte, counted from the start of the file. */
  readonly start: number
  /** After the last byte. */
  readonly end: number
  /** Why. */
  readonly error: ArchiveError
  /** Whether this is the last loss of the file that is told. */
  readonly isLast: boolean
}

/** Reads a part of a file, as `ByteSource.read`. */
export type ReadPart = (target: Uint8Array, offset: number) => Read<void>

/** A file, as losses are told of it. */
export interface File extends Pick<Lost, "archive"> {
  /** What tells it from other files of the archive. */
  readonly id: number
  /** Looked for when something of it is lost. */
  readonly path: Effect.Effect<Uint8Array>
}

/** What is known to be lost, and who is told. */
export interface Losses {
  /** Reads as `read` does, with zeros for what is lost. */
  readonly reading: (file: File, read: ReadPart) => ReadPart
  /** The same for all files of an archive. */
  readonly tree: (tree: ArchiveTree) => ArchiveTree
}

/** Files with losses that are remembered. */
const MAX_FILES = 4096
/** Losses that are told of one file. */
const MAX_RANGES = 16

type Range = Pick<Lost, "start" | "end">

/** Nothing is known to be lost yet. */
export const make = (tell: (lost: Lost) => Effect.Effect<void>): Losses => {
  /** In order of use, the least recent first. */
  const files = new Map<string, Array<Range>>()

  const rangesOf = (key: string): Array<Range> | undefined => {
    const ranges = files.get(key)
    if (ranges === undefined) return undefined
    files.delete(key)
    files.set(key, ranges)
    return ranges
  }

  const remember = (key: string, ranges: Array<Range>): void => {
    files.set(key, ranges)
    const [oldest] = files.keys()
    if (files.size > MAX_FILES && oldest !== undefined) files.delete(oldest)
  }

  /** Tells a loss that is not known. */
  const note = (key: string, file: File, range: Range, error: ArchiveError): Effect.Effect<void> =>
    Effect.suspend(() => {
      const known = rangesOf(key)
      const ranges = known ?? []
      if (ranges.length === MAX_RANGES || ranges.some(({ start }) => start === range.start)) return Effect.void
      ranges.push(range)
      if (known === undefined) remember(key, ranges)
      const isLast = ranges.length === MAX_RANGES
      return Effect.flatMap(file.path, (path) => tell({ ...range, archive: file.archive, path, error, isLast }))
    })

  const reading = (file: File, read: ReadPart): ReadPart => {
    const key = `${file.id} ${file.archive}`
    const fill: ReadPart = (target, offset) => {
      if (target.length === 0) return Effect.void
      const end = offset + target.length
      const isLost = files.size > 0 && rangesOf(key)?.some((range) => range.start <= offset && end <= range.end)
      if (isLost === true) {
        target.fill(0)
        return Effect.void
      }
      return AtOnce.catch_(read(target, offset), (error) => {
        const range = error.inFile
        const from = Math.max(0, (range?.start ?? end) - offset)
        const to = Math.min(target.length, (range?.end ?? 0) - offset)
        // Each round leaves less to be read.
        if (range === undefined || from >= to) return Effect.fail(error)
        return Effect.gen(function* () {
          yield* note(key, file, range, error)
          target.fill(0, from, to)
          yield* fill(target.subarray(0, from), offset)
          yield* fill(target.subarray(to), offset + to)
        })
      })
    }
    return (target, offset) => (target.length === 0 ? read(target, offset) : fill(target, offset))
  }

  return {
    reading,
    tree: (tree) => ({
      ...tree,
      content: (node, offset, target) =>
        reading(fileOf(tree, node), (part, at) => tree.content(node, at, part))(target, offset),
    }),
  }
}

const fileOf = (tree: ArchiveTree, node: Node.Node): File => ({
  archive: tree.archive,
  id: node.id,
  // What cannot be found has lost its folder, too.
  path: Effect.catch(NodePath.find(tree, node), () => Effect.succeed(UNKNOWN)),
})

const UNKNOWN = new TextEncoder().encode("?")
