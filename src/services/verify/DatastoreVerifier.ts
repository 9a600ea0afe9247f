/**
 * Checks what is in a datastore: manifests, signatures, indexes, blobs, and every chunk that is in use, each once however
 * often it is used.
 *
 * Without the key of an encrypted backup its chunks are checked as far as a server can (datastore §2.6, steps 1 to 3), and
 * that is told. Chunks are shared out by the beginning of their digests, so that several runs, on several machines too,
 * do the whole; what is in no chunk is checked by the first of them. As many chunks as there are jobs are under way from the
 * first to the last, of whatever backups they are: nothing waits for the end of one.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as Bytes from "../../domain/Bytes.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import type { ChunkFault } from "../chunks/ChunkFault.ts"
import type { Wanted } from "../chunks/ChunkDecoder.ts"
import type { ChunkStore } from "../chunks/ChunkStore.ts"
import type { Healed } from "../chunks/Healed.ts"
import type { Repository, Snapshot, StreamIndex } from "../repository/Repository.ts"
import type { RepositoryError } from "../repository/RepositoryError.ts"
import * as WalkRepository from "../repository/WalkRepository.ts"
import * as ReadAhead from "./ReadAhead.ts"

/** Chunks checked at once: for as many as have processors, and for as many as a long way has room for. */
const JOBS = 4
const FAR_JOBS = 16

/** One of several parts of the work. */
export interface Shard {
  /** From 1 to `count`. */
  readonly index: number
  /** Up to 65536. */
  readonly count: number
}

/** What to check, and how. */
export interface Options extends WalkRepository.Options {
  /** Chunks checked at once; unless given 4, and 16 of what is far away. */
  readonly jobs?: number | undefined
  /** The whole unless given. */
  readonly shard?: Shard | undefined
  /** Whether a chunk has been found good before. Digests of 32 bytes. */
  readonly isDone?: ((digest: Uint8Array) => boolean) | undefined
  /** Is told of every chunk that is good. Not of those that could only be checked in part. */
  readonly onGood?: ((digest: Uint8Array) => void) | undefined
  /** Files of backups that a copy had to stand in for, since it was asked last. */
  readonly takeHealed?: (() => ReadonlyArray<Healed>) | undefined
  /** Called now and then. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** How far it is. */
export interface Progress {
  readonly snapshots: number
  readonly chunks: number
  /** Bytes of the content of those chunks. */
  readonly bytes: number
}

/** Something that is wrong. */
export interface Problem {
  readonly _tag: "Problem"
  /** Path of the backup in the repository. */
  readonly snapshot: string
  /** Name of the file on disk; `undefined` for what concerns the whole backup. */
  readonly file: string | undefined
  /** `error`: something is lost. `note`: nothing is. */
  readonly severity: "error" | "note"
  /** The check of datastore §8, or `IO`. */
  readonly check: string
  readonly detail: string
  /** What is lost of the file. */
  readonly range: { readonly start: number; readonly end: number } | undefined
  /** Where what is lost here can be had. */
  readonly healable?: Healable | undefined
}

/** A copy that has what is missing or damaged. */
export interface Healable {
  /** Name of the copy, or of the backup's folder in it. */
  readonly from: string
  /** Whether only the checksum that is stored with it could be compared, because its key is missing. */
  readonly isPartly: boolean
}

/** What it comes to. */
export interface Verdict {
  readonly _tag: "Verdict"
  readonly result: "sound" | "notes" | "damaged"
  readonly snapshots: number
  /** Chunks checked. */
  readonly chunks: number
  /** Chunks that had been checked before. */
  readonly skipped: number
  /** Chunks of which only header and checksum could be checked, because their key is missing. */
  readonly partly: number
  readonly bytes: number
  readonly errors: number
  readonly notes: number
  /** Errors of which a copy has what is lost. */
  readonly healable: number
}

/** Checks a datastore. The verdict is the last. Fails only if the datastore cannot be listed. */
export const verify = (
  repository: Repository,
  options: Options = {},
): Stream.Stream<Problem | Verdict, RepositoryError> =>
  Stream.suspend(() => {
    const run = new Run(options)
    const backups = ReadAhead.backups(repository, WalkRepository.snapshots(repository, options))
    const counted = Stream.flatMap(backups, (backup) => run.snapshot(backup)).pipe(
      Stream.mapEffect((step) => step, { concurrency: options.jobs ?? FAR_JOBS }),
      Stream.filter((problem) => problem !== undefined),
      Stream.tap((problem) => Effect.sync(() => run.take(problem))),
    )
    return Stream.concat(
      counted,
      Stream.suspend(() => Stream.succeed(run.verdict())),
    )
  })

/** A chunk that is not as it should be. */
interface Looked {
  readonly fault: ChunkFault
  readonly healable: Healable | undefined
}

/** Something to be done, or known already: what is wrong, if anything is. */
type Step = Effect.Effect<Problem | undefined>

class Run {
  private errors = 0
  private notes = 0
  private healable = 0
  private snapshots = 0
  private checked = 0
  private skipped = 0
  private partly = 0
  private bytes = 0
  /** Chunks that have been looked at, with what was wrong. */
  private readonly seen = new Map<string, Looked | undefined>()
  private readonly underWay = new Map<string, Deferred.Deferred<Looked | undefined>>()
  /** What copies had to stand in for in backups that were read ahead. */
  private healedAhead: ReadonlyArray<Healed> = []
  private readonly near = Semaphore.makeUnsafe(JOBS)
  private readonly options: Options

  constructor(options: Options) {
    this.options = options
  }

  take({ healable, severity }: Problem): void {
    if (severity === "error") this.errors++
    else this.notes++
    if (healable !== undefined) this.healable++
  }

  verdict(): Verdict {
    return {
      _tag: "Verdict",
      result: this.errors > 0 ? "damaged" : this.notes > 0 ? "notes" : "sound",
      snapshots: this.snapshots,
      chunks: this.checked,
      skipped: this.skipped,
      partly: this.partly,
      bytes: this.bytes,
      errors: this.errors,
      notes: this.notes,
      healable: this.healable,
    }
  }

  snapshot({ id, read }: ReadAhead.Backup): Stream.Stream<Step> {
    const path = SnapshotId.format(id)
    this.snapshots++
    this.tell()
    const healed = this.healed(path)
    if (read._tag === "Success") return Stream.concat(healed, this.opened(path, read.success))
    const { check, detail } = read.failure
    const severity = check === "SnapshotUnfinished" ? "note" : "error"
    const problem = {
      _tag: "Problem",
      snapshot: path,
      file: undefined,
      severity,
      check,
      detail,
      range: undefined,
    } as const
    return Stream.concat(healed, this.ofFirst([problem]))
  }

  private opened(path: string, snapshot: Snapshot): Stream.Stream<Step> {
    const warnings = snapshot.warnings.map(({ check, detail }): Problem => ({
      _tag: "Problem",
      snapshot: path,
      file: undefined,
      severity: "note",
      check,
      detail,
      range: undefined,
    }))
    const files = Stream.flatMap(Stream.fromIterable(snapshot.manifest.files), ({ name, storage }) =>
      storage === undefined
        ? Stream.empty
        : storage === "blob"
          ? this.blob(path, snapshot, name)
          : this.stream(path, snapshot, name),
    )
    const incomplete = snapshot.files.flatMap(({ name, payload }): ReadonlyArray<Problem> =>
      payload === undefined || snapshot.file(payload) !== undefined
        ? []
        : [
            {
              _tag: "Problem",
              snapshot: path,
              file: name,
              severity: "error",
              check: "SplitIncomplete",
              detail: `needs ${payload} for the contents of files, which is not in the manifest`,
              range: undefined,
            },
          ],
    )
    return Stream.concat(this.ofFirst([...warnings, ...incomplete]), files)
  }

  private blob(path: string, snapshot: Snapshot, name: string): Stream.Stream<Step> {
    if (!this.isFirst()) return Stream.empty
    return Stream.unwrap(
      Effect.match(snapshot.blob(name), {
        onSuccess: () => this.healed(path),
        onFailure: (error) => Stream.succeed(Effect.succeed(problemOf(path, name, error))),
      }),
    )
  }

  private stream(path: string, snapshot: Snapshot, name: string): Stream.Stream<Step> {
    return Stream.unwrap(
      Effect.map(Effect.result(snapshot.index(name)), (read) => {
        if (read._tag === "Failure") return this.ofFirst([problemOf(path, name, read.failure)])
        const { warnings } = read.success
        const notes = warnings.map(({ check, detail }): Problem => ({
          _tag: "Problem",
          snapshot: path,
          file: name,
          severity: "note",
          check,
          detail,
          range: undefined,
        }))
        return this.healed(path).pipe(
          Stream.concat(this.ofFirst(notes)),
          Stream.concat(this.chunksOf(path, name, read.success)),
        )
      }),
    )
  }

  private chunksOf(path: string, name: string, stream: StreamIndex): Stream.Stream<Step> {
    const { chunks, index } = stream
    const numbers = Array.from({ length: index.count }, (_, chunk) => chunk).filter((chunk) =>
      this.isMine(index.digest(chunk)),
    )
    const isNear = this.options.jobs === undefined && !chunks.cache.isFar
    return Stream.map(Stream.fromIterable(numbers), (chunk) => {
      const step = Effect.suspend(() => this.chunk(path, name, stream, chunk))
      return isNear ? this.near.withPermit(step) : step
    })
  }

  private chunk(snapshot: string, file: string, { chunks, encrypted, index, key }: StreamIndex, chunk: number): Step {
    const digest = index.digest(chunk)
    const range = { start: index.start(chunk), end: index.end(chunk) }
    const id = Bytes.toKey(digest) + (encrypted ? "e" : "p")
    const problem = ({ fault, healable }: Looked): Problem => ({
      _tag: "Problem",
      snapshot,
      file,
      severity: "error",
      check: fault.check,
      detail: `bytes ${range.start} to ${range.end} are in the chunk ${fault.file}, which ${fault.detail}`,
      range,
      healable,
    })
    if (this.seen.has(id)) {
      const before = this.seen.get(id)
      return Effect.succeed(before === undefined ? undefined : problem(before))
    }
    const same = this.underWay.get(id)
    if (same !== undefined) return Effect.map(Deferred.await(same), (looked) => looked && problem(looked))
    if (this.options.isDone?.(digest) === true) {
      this.seen.set(id, undefined)
      this.skipped++
      return Effect.undefined
    }
    const underWay = Deferred.makeUnsafe<Looked | undefined>()
    this.underWay.set(id, underWay)
    const ended = (looked: Looked | undefined): void => {
      this.seen.set(id, looked)
      this.underWay.delete(id)
      Deferred.doneUnsafe(underWay, Effect.succeed(looked))
    }
    const wanted = { digest, length: range.end - range.start, encrypted, key }
    return Effect.matchEffect(chunks.check(wanted), {
      onFailure: (fault) =>
        Effect.map(this.look(chunks, wanted, fault), (looked) => {
          ended(looked)
          this.count(wanted.length)
          return problem(looked)
        }),
      onSuccess: (proof) =>
        Effect.sync(() => {
          ended(undefined)
          this.count(wanted.length)
          if (proof === "checksum") this.partly++
          else this.options.onGood?.(digest)
          return undefined
        }),
    })
  }

  /** Whether a copy has a chunk that is missing or damaged. */
  private look(chunks: ChunkStore, wanted: Wanted, fault: ChunkFault): Effect.Effect<Looked> {
    return Effect.match(chunks.findCopy(wanted, fault), {
      onFailure: (all) => ({ fault: all, healable: undefined }),
      onSuccess: ({ from, proof }) => ({ fault, healable: { from, isPartly: proof === "checksum" } }),
    })
  }

  /** What copies had to stand in for. Of a backup that was read ahead it is told when that has its turn. */
  private healed(snapshot: string): Stream.Stream<Step> {
    const all = [...this.healedAhead, ...(this.options.takeHealed?.() ?? [])]
    const isAhead = ({ file }: Healed) => IN_BACKUP.test(file) && !file.includes(`${snapshot}/`)
    this.healedAhead = all.filter(isAhead)
    return this.ofFirst(
      all
        .filter((each) => !isAhead(each))
        .map(({ check, detail, file, from }) => ({
          _tag: "Problem",
          snapshot,
          file: file.slice(file.lastIndexOf("/") + 1),
          severity: "error",
          check,
          detail,
          range: undefined,
          healable: { from, isPartly: false },
        })),
    )
  }

  private count(bytes: number): void {
    this.checked++
    this.bytes += bytes
    this.tell()
  }

  private tell(): void {
    this.options.onProgress?.({ snapshots: this.snapshots, chunks: this.checked, bytes: this.bytes })
  }

  private isFirst(): boolean {
    return this.options.shard === undefined || this.options.shard.index === 1
  }

  private ofFirst(problems: ReadonlyArray<Problem>): Stream.Stream<Step> {
    return this.isFirst() ? Stream.fromIterable(problems.map((problem) => Effect.succeed(problem))) : Stream.empty
  }

  /** Whether a chunk is in this shard: each has an equal part of the folders of chunks. */
  private isMine(digest: Uint8Array): boolean {
    const { shard } = this.options
    if (shard === undefined) return true
    const folder = ((digest[0] as number) << 8) | (digest[1] as number)
    return Math.floor((folder * shard.count) / 65_536) === shard.index - 1
  }
}

/** A file of a backup, by its path. */
const IN_BACKUP = /\/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z\/[^/]*$/

/** Without a key a blob cannot be read: that is told, and it is no damage. */
const problemOf = (snapshot: string, file: string, { check, detail }: RepositoryError): Problem => ({
  _tag: "Problem",
  snapshot,
  file,
  severity: check === "KeyRequired" || check === "WrongKey" ? "note" : "error",
  check,
  detail,
  range: undefined,
})
