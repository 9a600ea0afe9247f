/**
 * The tunnels to the backups of a repository (see `Tunnel`): one serves one backup, several one backup where the way is
 * long, because one connection then does not fill the line. They are opened when something is asked, closed when nothing
 * has been for a while, so that backups can be pruned again, and opened once more when they are lost.
 *
 * A tunnel gives chunks only of indexes that were downloaded on it: those that a backup's reader has had are downloaded
 * again on each, and must be what they were (server §6.4).
 */
import * as crypto from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Outage } from "./Outage.ts"
import { fromAnswer, ServerError } from "./ServerError.ts"
import type { Answer, Tunnel } from "./Tunnel.ts"

/** Requests that one tunnel has before another is opened. */
const BUSY = 4
/** Tunnels of a repository at most. */
const MAX_TUNNELS = 32
/** Milliseconds without a request after which a tunnel is closed, and after which a sign of life is sent. */
const IDLE = 300_000
const SILENT = 60_000
/** Milliseconds until a further tunnel is tried again after one could not be opened. */
const REFUSED = 30_000

/** The tunnels to one backup. */
export interface BackupTunnels {
  /** Opens the first tunnel, if there is none. What is wrong is told to whoever wants something. */
  readonly ready: Effect.Effect<void>
  /** A file of the backup; of an index also its chunks can be had from then on. */
  readonly download: (name: string, limit: number) => Effect.Effect<Uint8Array, ServerError>
  /** A chunk's answer, by the digits of its digest. A refusal is an answer too. */
  readonly chunk: (digest: string, limit: number) => Effect.Effect<Answer, ServerError>
}

/** The tunnels to the backups of a repository. */
export interface Tunnels {
  /** To one backup; nothing is opened yet. */
  readonly to: (name: string, open: Effect.Effect<Tunnel, ServerError>) => BackupTunnels
  /** How many are open. */
  readonly count: () => number
}

/** How many tunnels fill a line of 1 Gbit/s: each carries what fits into the server's buffer a round trip. */
export const wanted = (roundTrip: number): number => Math.min(8, Math.max(1, Math.ceil(roundTrip / 12.5)))

interface Entry {
  readonly tunnel: Tunnel
  /** Names of indexes that were downloaded on it. */
  readonly registered: Set<string>
  /** Held while they are downloaded. */
  readonly registering: Semaphore.Semaphore
  /** Requests that are about to use it. */
  users: number
  lastUsed: number
}

/**
 * The tunnels of a repository; they end with the scope. `prepare` begins with so many connections that they may be made of.
 */
export const make = (
  outage: Outage,
  prepare: (count: number) => void = () => {},
): Effect.Effect<Tunnels, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const now = (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    const backups = new Map<string, Backup>()
    let isOver = false
    const entries = (): ReadonlyArray<Entry> => [...backups.values()].flatMap((backup) => backup.entries)
    const isIdle = ({ tunnel, users }: Entry): boolean => users === 0 && tunnel.inFlight() === 0

    const sweep = Effect.sync(() => {
      for (const entry of entries()) {
        const quiet = now() - entry.lastUsed
        if (isIdle(entry) && quiet > IDLE) entry.tunnel.close()
        else if (quiet > SILENT) entry.tunnel.ping()
      }
    })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        // Others, who are ended later, may still want chunks.
        isOver = true
        entries().forEach(({ tunnel }) => tunnel.close())
      }),
    )
    const run = yield* FiberSet.makeRuntime<never>()
    yield* Effect.forkScoped(Effect.repeat(Effect.delay(sweep, SILENT), Schedule.forever))

    /** Before another is opened. */
    const makeRoom = (): void => {
      const open = entries().filter(({ tunnel }) => tunnel.isOpen())
      if (open.length < MAX_TUNNELS) return
      open
        .filter(isIdle)
        .toSorted((a, b) => a.lastUsed - b.lastUsed)[0]
        ?.tunnel.close()
    }

    return {
      count: () => entries().filter(({ tunnel }) => tunnel.isOpen()).length,
      to: (name, open) => {
        const known = backups.get(name)
        if (known !== undefined) return known
        const opened = Effect.suspend(() => {
          if (isOver) return Effect.fail(over(name))
          makeRoom()
          return open
        })
        const backup = new Backup(
          name,
          opened,
          outage,
          prepare,
          (effect) => void run(effect),
          () => isOver,
          now,
        )
        backups.set(name, backup)
        return backup
      },
    }
  })

/** No tunnel is opened any more. */
const over = (server: string): ServerError =>
  new ServerError({ server, reason: "Refused", detail: "is not read any more" })

class Backup implements BackupTunnels {
  entries: ReadonlyArray<Entry> = []
  /** Checksums of the indexes that were downloaded, by name. */
  private readonly indexes = new Map<string, string>()
  private readonly opening = Semaphore.makeUnsafe(1)
  /** Further tunnels that are being opened. */
  private widening = 0
  private widenAfter = 0
  private hasRead = false
  /** Requests that wait for a tunnel that is not busy. */
  private readonly waiting = new Set<() => void>()
  private readonly name: string
  private readonly open: Effect.Effect<Tunnel, ServerError>
  private readonly outage: Outage
  private readonly prepare: (count: number) => void
  private readonly fork: (effect: Effect.Effect<void>) => void
  private readonly isOver: () => boolean
  /** Milliseconds of a clock that nobody sets. */
  private readonly now: () => number

  constructor(
    name: string,
    open: Effect.Effect<Tunnel, ServerError>,
    outage: Outage,
    prepare: (count: number) => void,
    fork: (effect: Effect.Effect<void>) => void,
    isOver: () => boolean,
    now: () => number,
  ) {
    this.name = name
    this.open = open
    this.outage = outage
    this.prepare = prepare
    this.fork = fork
    this.isOver = isOver
    this.now = now
  }

  get ready(): Effect.Effect<void> {
    return Effect.ignore(this.pick())
  }

  download(name: string, limit: number): Effect.Effect<Uint8Array, ServerError> {
    return this.outage.endure(this.use((entry) => this.fetch(entry, name, limit)))
  }

  chunk(digest: string, limit: number): Effect.Effect<Answer, ServerError> {
    const ask = (isFirst: boolean): Effect.Effect<Answer, ServerError> =>
      this.use((entry) => {
        // More may follow: getting their connections ready takes half as long as opening a tunnel.
        if (!this.hasRead) this.prepare(wanted(entry.tunnel.roundTrip()) - 1)
        this.hasRead = true
        return Effect.andThen(
          this.register(entry),
          Effect.flatMap(entry.tunnel.get(`/chunk?digest=${digest}`, limit), (answer) => {
            if (answer.status !== 401 || !isFirst) return Effect.succeed(answer)
            // The server has forgotten what it was told.
            entry.registered.clear()
            return ask(false)
          }),
        )
      })
    return this.outage.endure(ask(true))
  }

  /** Does something with the tunnel that has the least to do. */
  private use<A>(use: (entry: Entry) => Effect.Effect<A, ServerError>): Effect.Effect<A, ServerError> {
    return Effect.flatMap(this.pick(), (entry) => {
      entry.users++
      return Effect.ensuring(
        use(entry),
        Effect.sync(() => {
          entry.users--
          entry.lastUsed = this.now()
          this.wake()
        }),
      )
    })
  }

  private pick(): Effect.Effect<Entry, ServerError> {
    return Effect.suspend(() => {
      const best = this.best()
      if (best === undefined) {
        // Others that wait meanwhile take what the first of them has opened.
        return this.opening.withPermit(
          Effect.suspend(() => {
            const other = this.best()
            return other === undefined ? this.another() : Effect.succeed(other)
          }),
        )
      }
      this.widen(best)
      // What is asked on a busy tunnel comes later than what is asked on one that is opened meanwhile.
      return best.users < BUSY || this.widening === 0
        ? Effect.succeed(best)
        : Effect.andThen(this.change, () => this.pick())
    })
  }

  /** Opens as many further tunnels as there is work and a use for, all at once: each takes several round trips. */
  private widen(best: Entry): void {
    if (this.now() < this.widenAfter) return
    const users = 1 + this.waiting.size + this.entries.reduce((sum, entry) => sum + entry.users, 0)
    const useful = Math.min(wanted(best.tunnel.roundTrip()), Math.ceil(users / BUSY))
    for (let count = this.entries.length + this.widening; count < useful; count++) {
      this.widening++
      const opened = Effect.onExit(this.another(), (exit) =>
        Effect.sync(() => {
          this.widening--
          if (exit._tag === "Failure") this.widenAfter = this.now() + REFUSED
          this.wake()
        }),
      )
      const detail = (error: ServerError) => Effect.logDebug(`${error.message}: no further connection`)
      this.fork(
        Effect.catch(
          Effect.flatMap(opened, (entry) => this.register(entry)),
          detail,
        ),
      )
    }
  }

  /** Ends when a request has ended, or a tunnel is open or cannot be opened. */
  private get change(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const wake = () => resume(Effect.void)
      this.waiting.add(wake)
      return Effect.sync(() => void this.waiting.delete(wake))
    })
  }

  private wake(): void {
    const waiting = [...this.waiting]
    this.waiting.clear()
    for (const wake of waiting) wake()
  }

  private best(): Entry | undefined {
    this.entries = this.entries.filter(({ tunnel }) => tunnel.isOpen())
    return this.entries.toSorted((a, b) => a.users - b.users)[0]
  }

  private another(): Effect.Effect<Entry, ServerError> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(this.open), (tunnel) => {
        if (this.isOver()) {
          tunnel.close()
          return Effect.fail(over(this.name))
        }
        const entry: Entry = {
          tunnel,
          registered: new Set(),
          registering: Semaphore.makeUnsafe(1),
          users: 0,
          lastUsed: this.now(),
        }
        this.entries = [...this.entries, entry]
        return Effect.succeed(entry)
      }),
    )
  }

  /** Downloads the indexes that chunks are wanted of and that this tunnel has not. */
  private register(entry: Entry): Effect.Effect<void, ServerError> {
    const missing = () => [...this.indexes.keys()].filter((name) => !entry.registered.has(name))
    return Effect.suspend(() =>
      missing().length === 0
        ? Effect.void
        : entry.registering.withPermit(
            Effect.suspend(() =>
              Effect.forEach(missing(), (name) => this.fetch(entry, name, Number.MAX_SAFE_INTEGER), {
                concurrency: "unbounded",
                discard: true,
              }),
            ),
          ),
    )
  }

  private fetch({ registered, tunnel }: Entry, name: string, limit: number): Effect.Effect<Uint8Array, ServerError> {
    return Effect.flatMap(tunnel.get(`/download?file-name=${encodeURIComponent(name)}`, limit), ({ body, status }) => {
      const file = `${this.name}/${name}`
      if (status !== 200) return Effect.fail(notDownloaded(file, status, Buffer.from(body).toString("utf8")))
      if (name.endsWith(".blob")) return Effect.succeed(body)
      const checksum = crypto.createHash("sha256").update(body).digest("hex")
      const before = this.indexes.get(name)
      if (before !== undefined && before !== checksum) {
        const detail = "is not what it was: the backup has been replaced since it was opened"
        return Effect.fail(new ServerError({ server: file, reason: "Refused", detail }))
      }
      this.indexes.set(name, checksum)
      registered.add(name)
      return Effect.succeed(body)
    })
  }
}

const notDownloaded = (file: string, status: number, text: string): ServerError =>
  status === 404 || /No such file or directory/.test(text)
    ? new ServerError({ server: file, reason: "NotFound", detail: "is missing from the datastore" })
    : fromAnswer(file, status, text)
