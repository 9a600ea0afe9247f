/**
 * What goes on for a while: downloads and restores, by id. Each can be watched, and cancelled.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { JobJson } from "../domain/json/WebJson.ts"
import { makeToken } from "./Access.ts"
import * as ApiError from "./api/ApiError.ts"
import type { PieceMemory } from "./PieceMemory.ts"
import { WebRefusal } from "./WebRefusal.ts"

/** What a job says of itself. It is changed in place; whoever watches looks now and then. */
export type State = {
  -readonly [K in keyof JobJson]: JobJson[K] extends ReadonlyArray<string> ? Array<string> : JobJson[K]
}

export interface Job {
  readonly state: State
  /** What it gives, where that is taken by another request. It can be taken once. */
  take: ((memory: PieceMemory) => Effect.Effect<Stream.Stream<Uint8Array>, ApiError.ApiError>) | undefined
  fiber: Fiber.Fiber<void> | undefined
}

export interface Jobs {
  readonly make: (kind: JobJson["kind"], title: string) => Job
  /** Runs what a job does; that it fails is told by its state. */
  readonly run: (job: Job, work: Effect.Effect<void, { readonly message: string }>) => Effect.Effect<void>
  readonly find: (id: string) => Effect.Effect<Job, ApiError.ApiError>
  /** The states of a job until it has ended. */
  readonly watch: (job: Job) => Stream.Stream<JobJson>
  readonly cancel: (job: Job) => Effect.Effect<void>
}

/** Jobs that are remembered; the oldest that has ended goes. */
const MAX_JOBS = 100

/** Restores at the same time: disks are not faster for it. */
const MAX_RUNNING = 4

/** Lines of a job that are kept. */
const MAX_NOTES = 200

/** How often a watcher is told. */
const PACE = "200 millis"

/** Adds a line, as long as there is room. */
export const note = ({ notes }: State, line: string): void => {
  if (notes.length < MAX_NOTES) notes.push(line)
}

export const hasEnded = ({ state }: Pick<JobJson, "state">): boolean => state !== "running" && state !== "waiting"

const copyOf = (state: State): JobJson => ({ ...state, notes: [...state.notes] })

export const make: Effect.Effect<Jobs, never, Scope.Scope> = Effect.map(Effect.scope, (scope) => {
  const jobs = new Map<string, Job>()

  const forget = (): void => {
    for (const [id, { state }] of jobs) {
      if (jobs.size <= MAX_JOBS) return
      if (hasEnded(state) || state.state === "waiting") jobs.delete(id)
    }
  }

  return {
    make: (kind, title) => {
      const state: State = {
        id: makeToken(),
        kind,
        title,
        state: "waiting",
        entries: 0,
        bytes: 0,
        notes: [],
        problems: 0,
      }
      const job: Job = { state, take: undefined, fiber: undefined }
      jobs.set(state.id, job)
      forget()
      return job
    },
    run: (job, work) =>
      Effect.suspend(() => {
        const { state } = job
        const running = [...jobs.values()].filter(
          ({ fiber, state }) => fiber !== undefined && state.state === "running",
        )
        if (running.length >= MAX_RUNNING) {
          state.state = "failed"
          state.error = `${MAX_RUNNING} restores are running: try again later`
          return Effect.void
        }
        state.state = "running"
        const settled = Effect.onExit(work, (exit) => {
          if (Exit.isSuccess(exit)) return Effect.sync(() => void (state.state = "done"))
          const [reason] = exit.cause.reasons
          state.state = reason?._tag === "Interrupt" ? "cancelled" : "failed"
          if (reason?._tag === "Fail") state.error = reason.error.message
          if (reason?._tag !== "Die") return Effect.void
          state.error = "bug in this program, please report it"
          return Effect.logError(exit.cause)
        }).pipe(Effect.ignoreCause)
        return Effect.map(Effect.forkIn(settled, scope), (fiber) => void (job.fiber = fiber))
      }),
    find: (id) => {
      const job = jobs.get(id)
      return job === undefined
        ? Effect.fail(
            new ApiError.NotFound({ id: WebRefusal.ids.Job, message: "there is no such job, or not any more" }),
          )
        : Effect.succeed(job)
    },
    watch: ({ state }) =>
      Stream.concat(
        Stream.suspend(() => Stream.succeed(copyOf(state))),
        Stream.unfold(false, (ended) =>
          ended
            ? Effect.undefined
            : Effect.map(
                Effect.delay(
                  Effect.sync(() => copyOf(state)),
                  PACE,
                ),
                (now) => [now, hasEnded(now)] as const,
              ),
        ),
      ),
    cancel: ({ fiber, state }) =>
      Effect.suspend(() => {
        if (fiber !== undefined) return Fiber.interrupt(fiber)
        if (!hasEnded(state)) state.state = "cancelled"
        return Effect.void
      }),
  }
})
