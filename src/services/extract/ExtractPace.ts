/**
 * Where an extraction has come to, and when others have a turn: it tells of both every few entries, by the clock, so
 * that a slow disk holds up the program no longer than one write.
 */
import * as Effect from "effect/Effect"
import type { Content } from "../../domain/pxar/Entry.ts"
import type { Counts } from "./Counts.ts"

/** How far a run is. */
export interface Progress {
  /** Entries extracted so far. */
  entries: number
  /** Bytes of contents extracted so far. */
  bytes: number
  /** Bytes of the archive and its payload archive that are behind, of `size`. */
  position: number
  readonly size: number
}

/** Time in milliseconds after which others have a turn. */
const TURN = 20

export class ExtractPace {
  private readonly counts: Counts
  private readonly onProgress: (progress: Readonly<Progress>) => void
  private readonly progress: Progress
  private archivePosition = 0
  private payloadPosition = 0
  private readonly now: () => number
  private last: number

  /** `now` gives the time in milliseconds. */
  constructor(size: number, counts: Counts, onProgress: (progress: Readonly<Progress>) => void, now: () => number) {
    this.counts = counts
    this.now = now
    this.last = now()
    this.onProgress = onProgress
    this.progress = { entries: 0, bytes: 0, position: 0, size }
  }

  /** At the entry whose FILENAME header is at `position`. `undefined` if it is nobody else's turn. */
  atEntry(position: number): Effect.Effect<void> | undefined {
    this.archivePosition = Math.max(this.archivePosition, position)
    return this.turn(0)
  }

  /** When the first `done` bytes of a file are written. */
  inContent(content: Content, done: number): Effect.Effect<void> {
    // The content of a hard link's target can be far back.
    const position = content.start + done
    if (content.source === "payload") this.payloadPosition = Math.max(this.payloadPosition, position)
    else this.archivePosition = Math.max(this.archivePosition, position)
    return this.turn(done) ?? Effect.void
  }

  /** At the end of the run. */
  atEnd(): void {
    this.progress.position = this.progress.size
    this.tell(0)
  }

  private turn(uncounted: number): Effect.Effect<void> | undefined {
    const now = this.now()
    if (now - this.last < TURN) return undefined
    this.last = now
    this.progress.position = Math.min(this.progress.size, this.archivePosition + this.payloadPosition)
    this.tell(uncounted)
    return Effect.yieldNow
  }

  private tell(uncounted: number): void {
    this.progress.entries = entriesOf(this.counts)
    this.progress.bytes = this.counts.bytes + uncounted
    this.onProgress(this.progress)
  }
}

/** The sum of the counts by kind. */
export const entriesOf = (counts: Readonly<Counts>): number =>
  counts.folders + counts.files + counts.hardLinks + counts.symlinks + counts.devices + counts.fifos + counts.sockets
