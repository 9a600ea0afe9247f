/**
 * Creates an archive, v1 or v2, from a folder (§6).
 *
 * Guarantees: the archive appears under its name, or both halves of it under theirs, when it is complete and not
 * before; nothing is ever overwritten; after a failure or an interruption nothing is left. What could not be stored as
 * it was found is reported, and is an error only if the caller says so.
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as PathText from "../../domain/PathText.ts"
import * as ExcludePattern from "../../domain/pxar/ExcludePattern.ts"
import * as ArchiveTarget from "./ArchiveTarget.ts"
import * as ArchiveWriter from "./ArchiveWriter.ts"
import type { SinkError } from "../bytes/ByteSink.ts"
import * as DiskTree from "../disk/DiskTree.ts"
import { DiskWarning } from "../disk/DiskWarning.ts"
import * as TreeWriter from "./TreeWriter.ts"
import * as UnusedPattern from "./UnusedPattern.ts"

export { PatternError } from "../../domain/pxar/ExcludePattern.ts"
export { TargetError } from "./ArchiveTarget.ts"
export { SourceTreeError } from "../disk/DiskTree.ts"
export type { Progress } from "./TreeWriter.ts"

/** What to archive, and where to. */
export interface Options<E = never> {
  /** The folder; a symbolic link there is followed. */
  readonly source: string | Uint8Array
  /** The archive, or the metadata half of a v2 archive. */
  readonly archive: string | Uint8Array
  /** The payload half: makes the archive v2. */
  readonly payload?: string | Uint8Array | undefined
  /** Patterns of what to leave out, recorded in the archive. `.pxarexclude` files count in any case. */
  readonly exclude?: ReadonlyArray<Uint8Array> | undefined
  /** Whether to stay on the file system of `source`; the default. */
  readonly oneFileSystem?: boolean | undefined
  /** What to store; everything by default. */
  readonly xattrs?: boolean | undefined
  readonly acls?: boolean | undefined
  readonly fcaps?: boolean | undefined
  readonly deviceNodes?: boolean | undefined
  readonly fifos?: boolean | undefined
  readonly sockets?: boolean | undefined
  /** Called often, for each entry at least. The object is the same each time. */
  readonly onProgress?: ((progress: Readonly<TreeWriter.Progress>) => void) | undefined
  /** Told of everything that is not stored as it was found; logs it by default. Failing ends the archive. */
  readonly onWarning?: ((warning: DiskWarning) => Effect.Effect<void, E>) | undefined
}

/** What was written. */
export interface Summary extends ArchiveWriter.Written {
  /** The root, hard links and the record of patterns included. */
  readonly entries: number
  /** Bytes of file contents. */
  readonly contentBytes: number
  readonly warnings: number
}

/** An exclude pattern is none, a file exists already, the source cannot be opened, the disk is full, … */
export type CreateError =
  | ExcludePattern.PatternError
  | DiskTree.SourceTreeError
  | ArchiveTarget.TargetError
  | ArchiveWriter.WriteError
  | SinkError

/** Entries archived by this program, the roots included; updated when an archive is complete. */
export const createdEntries: Metric.Counter<number> = Metric.counter("pxar_fuse_created_entries", {
  description: "Entries in archives that were created",
  incremental: true,
})

/** Bytes of contents archived by this program. */
export const createdBytes: Metric.Counter<number> = Metric.counter("pxar_fuse_created_content_bytes", {
  description: "Bytes of contents in archives that were created",
  incremental: true,
})

/** Creates the archive, in a span `pxar-fuse.create`. */
export const create = <E = never>(options: Options<E>): Effect.Effect<Summary, CreateError | E> =>
  Effect.scoped(run(options)).pipe(
    Effect.tap(({ contentBytes, entries }) =>
      Effect.andThen(Metric.update(createdEntries, entries), Metric.update(createdBytes, contentBytes)),
    ),
    Effect.withSpan("pxar-fuse.create", { attributes: { split: options.payload !== undefined } }),
  )

const run = Effect.fnUntraced(function* <E>(options: Options<E>) {
  const exclude = options.exclude ?? []
  const patterns: Array<ExcludePattern.Pattern> = []
  for (const text of exclude) patterns.push(yield* Effect.fromResult(ExcludePattern.parse(text)))
  const split = options.payload !== undefined
  const prelude =
    split && exclude.length > 0 ? yield* Effect.fromResult(ExcludePattern.recordAsPrelude(exclude)) : undefined

  const tree = yield* DiskTree.open(options.source, options)
  const archive = yield* ArchiveTarget.open(options.archive)
  const payload = options.payload === undefined ? undefined : yield* ArchiveTarget.open(options.payload)
  const writer = yield* ArchiveWriter.make({ archive: archive.sink, payload: payload?.sink, prelude })

  let warnings = 0
  const onWarning = options.onWarning ?? ((warning: DiskWarning) => Effect.logWarning(warning.message))
  const sourceText = typeof options.source === "string" ? options.source : PathText.print(options.source)
  const used = new Set<ExcludePattern.Pattern>()
  const progress = yield* TreeWriter.write<E>(tree, writer, {
    exclude: patterns,
    used,
    record: split || exclude.length === 0 ? undefined : ExcludePattern.record(exclude),
    oneFileSystem: options.oneFileSystem ?? true,
    deviceNodes: options.deviceNodes ?? true,
    fifos: options.fifos ?? true,
    sockets: options.sockets ?? true,
    leftOut: new Set(payload === undefined ? [archive.identity] : [archive.identity, payload.identity]),
    onProgress: options.onProgress ?? (() => undefined),
    onWarning: (warning) => {
      warnings++
      return onWarning(warning)
    },
  })
  const written = yield* writer.finish
  for (const [index, pattern] of patterns.entries()) {
    if (used.has(pattern)) continue
    const text = exclude[index] as Uint8Array
    const detail = UnusedPattern.explain(text, pattern, sourceText)
    warnings++
    yield* onWarning(new DiskWarning({ kind: "Unused", path: text, detail }))
  }
  // The half that readers open comes last: where it is, the other one is too.
  if (payload !== undefined) yield* payload.commit
  yield* archive.commit
  return { ...written, ...progress, warnings }
})
