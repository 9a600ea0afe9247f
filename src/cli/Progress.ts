/**
 * How far a long command is: one line on the terminal that is written over again and again, or JSON for a front end.
 *
 * The line appears after a second, and only where stderr is a terminal: what goes into a file or a pipe stays clean. It
 * never waits and keeps no timer: it is drawn when the command reports, at most five times a second. JSON comes as often,
 * an object a line on stderr, and once more when the command ends.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as LogLevel from "effect/LogLevel"
import * as Scope from "effect/Scope"
import * as Traffic from "../services/bytes/Traffic.ts"
import * as Terminal from "./Terminal.ts"

/** How far a command is. */
export interface State {
  readonly entries: number
  /** Bytes of contents, where those are what takes the time. */
  readonly bytes?: number
  /** How much of `size` is done, in any unit. Without it there is no telling how long it will take. */
  readonly position?: number
  readonly size?: number
}

export interface Progress {
  /** Says how far the command is. Cheap: may be called often. */
  readonly update: (state: State) => void
  /** Says something to the person who runs the command, in a line of its own. */
  readonly say: (text: string, level?: LogLevel.LogLevel) => Effect.Effect<void>
  /** Says what is no problem. */
  readonly note: (text: string) => Effect.Effect<void>
  /** Says what was done, if that is to be told. */
  readonly detail: (text: string) => Effect.Effect<void>
}

/** Where progress is shown. */
export interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly write: (text: string) => unknown
}

/** For a person at a terminal, for a program, or for nobody. */
export const modes = ["auto", "json", "none"] as const

export type Mode = (typeof modes)[number]

/** For commands whose results, if stdout is a terminal, show how far they are. */
export const besidesResults = (mode: Mode): Mode => (mode === "auto" && process.stdout.isTTY ? "none" : mode)

export interface Options {
  readonly mode?: Mode
  /** Stderr by default. */
  readonly screen?: Screen
}

/** Milliseconds before the line appears, and between two of its states. */
const PATIENCE = 1000
const INTERVAL = 200

const CLEAR = "\r\u001b[K"

/** Milliseconds since it was made, whatever is done to the time of day. */
export const stopwatch: Effect.Effect<() => number> = Effect.map(Clock.Clock, (clock) => {
  const start = clock.monotonicTimeNanosUnsafe()
  return () => Number(clock.monotonicTimeNanosUnsafe() - start) / 1e6
})

/** Progress for as long as the scope lives. */
export const make = ({ mode = "auto", screen = process.stderr }: Options = {}): Effect.Effect<
  Progress,
  never,
  Scope.Scope
> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.map(
        Effect.all([stopwatch, Terminal.Verbosity, Traffic.Watched, Clock.Clock]),
        ([now, verbosity, places = [], clock]) => {
          const network = () => networkOf(places, clock.currentTimeMillisUnsafe())
          if (mode === "json") return json(screen, now, network)
          return mode === "auto" && screen.isTTY === true && verbosity !== "quiet"
            ? drawn(screen, now, network)
            : silent
        },
      ),
      ({ end }) => Effect.sync(end),
    ),
    ({ clear, update }) => ({
      update,
      say: (text, level) => Effect.andThen(Effect.sync(clear), Terminal.say(text, level)),
      note: (text) => Effect.andThen(Effect.sync(clear), Terminal.note(text)),
      detail: (text) => Effect.andThen(Effect.sync(clear), Terminal.detail(text)),
    }),
  )

/** A line while an effect runs; what that leaves in its scope outlives the line. */
export const during = <A, E, R>(
  options: Options,
  use: (progress: Progress) => Effect.Effect<A, E, R>,
): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Scope.make(),
    (scope) => Effect.flatMap(Scope.provide(make(options), scope), use),
    (scope, exit) => Scope.close(scope, exit),
  )

interface Display {
  readonly update: (state: State) => void
  /** Makes way for another line. */
  readonly clear: () => void
  readonly end: () => void
}

const nothing = (): void => {}

const silent: Display = { update: nothing, clear: nothing, end: nothing }

/** What comes over the network. */
export interface Network {
  /** Bytes so far, as they were sent. */
  readonly fetched: number
  /** Requests under way. */
  readonly inFlight: number
  /** Bytes a second, lately. */
  readonly rate: number
}

/** Nothing where nothing was fetched. */
const networkOf = (places: ReadonlyArray<Traffic.Traffic>, now: number): Network | undefined => {
  const sum = (of: (place: Traffic.Traffic) => number) => places.reduce((total, place) => total + of(place), 0)
  if (sum(({ requests }) => requests) === 0) return undefined
  return {
    fetched: sum(({ fetched }) => fetched),
    inFlight: sum(({ inFlight }) => inFlight),
    rate: sum((place) => Traffic.rate(place, now)),
  }
}

const drawn = (screen: Screen, now: () => number, network: () => Network | undefined): Display => {
  let due = PATIENCE
  let shown = false
  const clear = (): void => {
    if (shown) screen.write(CLEAR)
    shown = false
  }
  const update = (state: State): void => {
    const time = now()
    if (time < due) return
    due = time + INTERVAL
    // The last column stays free: writing there makes some terminals begin a new line.
    screen.write(CLEAR + line(state, time / 1000, network()).slice(0, Math.max(1, (screen.columns || 80) - 1)))
    shown = true
  }
  return { update, clear, end: clear }
}

const json = (screen: Screen, now: () => number, network: () => Network | undefined): Display => {
  let due = INTERVAL
  let last: State = { entries: 0 }
  const print = (time: number, done: boolean): void => {
    const { bytes, entries, position, size } = last
    const seconds = Math.round(time) / 1000
    const { fetched, inFlight } = network() ?? {}
    const progress = { entries, bytes, position, size, fetched, in_flight: inFlight, seconds, done }
    screen.write(`${JSON.stringify({ progress })}\n`)
  }
  const update = (state: State): void => {
    last = state
    const time = now()
    if (time < due) return
    due = time + INTERVAL
    print(time, false)
  }
  return { update, clear: nothing, end: () => print(now(), true) }
}

/** The text of the line after `seconds`. */
export const line = ({ bytes, entries, position, size }: State, seconds: number, network?: Network): string => {
  const done = position === undefined || size === undefined || size === 0 ? undefined : Math.min(1, position / size)
  const contents = bytes === undefined ? [] : [formatBytes(bytes), `${formatBytes(bytes / seconds)}/s`]
  const fetched =
    network === undefined ? [] : [`${formatBytes(network.rate)}/s by ${formatCount(network.inFlight, "request")}`]
  const parts = [entries === 1 ? "1 entry" : `${entries.toLocaleString("en")} entries`, ...contents, ...fetched]
  if (done === undefined) return parts.join(", ")
  const left = done === 0 ? [] : [`${formatTime((seconds * (1 - done)) / done)} left`]
  return [`${Math.floor(done * 100)} %`, ...parts, ...left].join(", ")
}

const units = ["B", "kB", "MB", "GB", "TB", "PB"]

/** A number of bytes, in powers of 1000, with three digits. */
export const formatBytes = (bytes: number): string => {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? Math.round(value) : value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2)} ${units[unit]}`
}

/** So many of something, in words. */
export const formatCount = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`

/** Seconds as `h:mm:ss` or `m:ss`. */
export const formatTime = (seconds: number): string => {
  const total = Math.ceil(seconds)
  const two = (value: number): string => String(value).padStart(2, "0")
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
