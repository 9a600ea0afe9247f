/**
 * Contents put into the kernel's page cache, by a thread (fuse-protocol §9).
 *
 * One batch at a time. The thread may wait for pages that READs hold, so whoever serves must go on serving until `end` has
 * ended: that is before it unmounts. Nothing is stored afterwards.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Errno from "../../domain/Errno.ts"
import type { Stores } from "../wire/Stores.ts"
import * as StoreSyscalls from "./StoreSyscalls.ts"

/** Milliseconds that the end waits for what is under way: more only if nobody serves any more, or a disk stands still. */
export const END = 5000

/** The kernel does not take contents in this way: there is no use in trying again. */
export class CannotStore extends Schema.TaggedError<CannotStore>()("CannotStore", {
  /** Positive; 0 where there is none. */
  errno: Schema.Finite,
}) {
  override get message(): string {
    return `the kernel's page cache cannot be filled ahead (errno ${this.errno})`
  }
}

export interface PageStore {
  /** Whether a batch would be taken now. */
  readonly isFree: () => boolean
  /**
   * Stores a batch, when it is free; how many of its files the kernel still knew. The batch is used until it is free again,
   * also if this is interrupted.
   */
  readonly store: (stores: Stores) => Effect.Effect<number, CannotStore>
  /** Takes nothing more; ends when what is under way has been stored, at the latest after `END` milliseconds. */
  readonly end: Effect.Effect<void>
}

/** Stores through the descriptor of a session. The scope frees what the kernel keeps for it, if nothing is under way. */
export const make = (
  descriptor: number,
  open: (descriptor: number) => StoreSyscalls.Writer | undefined = StoreSyscalls.open,
): Effect.Effect<PageStore, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Batches(descriptor, open)),
      (batches) => Effect.sync(() => batches.close()),
    ),
    (batches) => ({
      isFree: () => batches.isFree,
      store: (stores) => batches.store(stores),
      end: Effect.suspend(() => batches.end()),
    }),
  )

class Batches {
  private readonly descriptor: number
  private readonly open: (descriptor: number) => StoreSyscalls.Writer | undefined
  /** Opened for the first batch: most mounts have none. */
  private writer: StoreSyscalls.Writer | undefined
  private underWay: Deferred.Deferred<void> | undefined
  private ended = false

  constructor(descriptor: number, open: (descriptor: number) => StoreSyscalls.Writer | undefined) {
    this.descriptor = descriptor
    this.open = open
  }

  get isFree(): boolean {
    return !this.ended && this.underWay === undefined
  }

  store(stores: Stores): Effect.Effect<number, CannotStore> {
    return Effect.callback<number, CannotStore>((resume) => {
      if (!this.isFree) return resume(Effect.succeed(0))
      const writer = (this.writer ??= this.open(this.descriptor))
      if (writer === undefined) return resume(this.refuse(0))
      const done = Deferred.makeUnsafe<void>()
      this.underWay = done
      writer.write(stores, (results) => {
        this.underWay = undefined
        resume(this.outcome(results))
        Deferred.doneUnsafe(done, Effect.void)
      })
    })
  }

  private outcome(results: Int32Array): Effect.Effect<number, CannotStore> {
    if (results.length === 0) return this.refuse(0)
    let stored = 0
    for (const result of results) {
      if (result >= 0) stored++
      else if (!gone.has(-result)) return this.refuse(-result)
    }
    return Effect.succeed(stored)
  }

  private refuse(errno: number): Effect.Effect<never, CannotStore> {
    this.ended = true
    return Effect.fail(new CannotStore({ errno }))
  }

  end(): Effect.Effect<void> {
    this.ended = true
    if (this.underWay === undefined) return Effect.void
    return Effect.asVoid(Effect.timeoutOption(Deferred.await(this.underWay), END))
  }

  close(): void {
    this.ended = true
    if (this.underWay === undefined) this.writer?.close()
    this.writer = undefined
  }
}

/** The kernel has forgotten the file, has no memory for it now, or the file system is gone. */
const { ECONNABORTED, ENODEV, ENOENT, ENOMEM, ENOTCONN } = Errno.code
const gone: ReadonlySet<number> = new Set([ENOENT, ENOMEM, ENODEV, ENOTCONN, ECONNABORTED])
