/**
 * The browser at work: keys come from the terminal, answers from the archive, and each change is drawn.
 *
 * One fiber owns the state and takes events from a queue; what is wanted is loaded by another, which is interrupted when
 * something else is wanted, and an extraction by a third. Nothing waits for the archive but the place where the answer
 * will stand.
 */
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import type { PlatformError } from "effect/PlatformError"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type * as Terminal from "effect/Terminal"
import type * as Archive from "../../services/tree/Archive.ts"
import type { ArchiveError } from "../../services/archive/ArchiveError.ts"
import * as BrowseExtract from "./BrowseExtract.ts"
import * as BrowseLoad from "./BrowseLoad.ts"
import * as BrowseState from "./BrowseState.ts"
import * as BrowseUpdate from "./BrowseUpdate.ts"
import * as BrowseView from "./BrowseView.ts"
import * as Keys from "./Keys.ts"
import * as Layout from "./Layout.ts"
import * as Screen from "./Screen.ts"
import * as Wants from "./Wants.ts"

/** How a session ended. */
export interface Ended {
  readonly code: number
  /** Extractions that came to their end. */
  readonly extractions: ReadonlyArray<BrowseExtract.Outcome>
}

/** How long drawing, and keys typed ahead, wait for what the screen lacks. */
const PATIENCE = "30 millis"

/** Browses until the person quits. `name` is what the archive is called on the screen. */
export const run = (archive: Archive.Archive, name: string): Effect.Effect<Ended, ArchiveError | PlatformError> =>
  Effect.scoped(browse(archive, name))

const browse = Effect.fnUntraced(function* (
  archive: Archive.Archive,
  name: string,
): Effect.fn.Return<Ended, ArchiveError | PlatformError, Scope.Scope> {
  const root = yield* archive.root
  const terminal = yield* NodeTerminal.make(() => false)
  const events = yield* Queue.unbounded<Message>()
  const size = Layout.sizeOf({ columns: yield* terminal.columns, rows: yield* terminal.rows })
  yield* listen(terminal, events)
  const screen = yield* Screen.open(terminal)
  const loading = yield* FiberHandle.make<void, never>()
  const patience = yield* FiberHandle.make<boolean, never>()
  const extraction = yield* FiberHandle.make<void, never>()
  const extractions: Array<BrowseExtract.Outcome> = []

  const load = (want: Wants.Want) =>
    Effect.map(
      BrowseLoad.answer(archive, want),
      (answer) => void Queue.offerUnsafe(events, { _tag: "Answer", want, answer }),
    )
  const due = Effect.andThen(Effect.sleep(PATIENCE), Queue.offer(events, { _tag: "Due" }))
  const extract = (job: BrowseState.Job) =>
    Effect.map(
      BrowseExtract.run(archive, job, (text) => void Queue.offerUnsafe(events, { _tag: "Progress", job, text })),
      (outcome) => {
        extractions.push(outcome)
        const problems = [...outcome.summary, "", ...outcome.problems]
        Queue.offerUnsafe(events, {
          _tag: "Extracted",
          job,
          message: outcome.message,
          problems: outcome.summary.length === 0 ? [] : problems,
        })
      },
    )

  let state = BrowseState.make(name, root, size)
  let want: Wants.Want | undefined
  let isOverdue = false
  let job: BrowseState.Job | undefined
  const waiting: Array<BrowseUpdate.Event> = []
  const isReady = (): boolean => state.ended === undefined && (isOverdue || !isLackingEntries(state))
  while (state.ended === undefined) {
    const next = Wants.wanted(state)
    if (next?.key !== want?.key) {
      want = next
      isOverdue = false
      if (next === undefined) yield* FiberHandle.clear(loading)
      else yield* FiberHandle.run(loading, load(next))
    }
    if (state.job !== job) {
      job = state.job
      if (job === undefined) yield* FiberHandle.clear(extraction)
      else yield* FiberHandle.run(extraction, extract(job), { startImmediately: false })
    }

    const isPatient = want !== undefined && want._tag !== "Names" && !isOverdue
    if (isPatient) yield* FiberHandle.run(patience, due, { onlyIfMissing: true })
    else yield* FiberHandle.clear(patience)
    if (!isPatient && Queue.sizeUnsafe(events) === 0) yield* screen.draw(BrowseView.frame(state))

    for (const message of yield* Queue.takeAll(events)) {
      if (message._tag === "Due") isOverdue = true
      else if (message._tag === "Answer") {
        if (message.want === want) {
          // The same may be wanted again: a folder that is entered a second time.
          want = undefined
          isOverdue = false
        }
        state = BrowseUpdate.update(state, message.answer)
      } else waiting.push(message)
    }
    // A key that is typed ahead is about what will be there, unless that takes long.
    while (waiting.length > 0 && isReady()) state = BrowseUpdate.update(state, waiting.shift() as BrowseUpdate.Event)
  }
  return { code: state.ended, extractions }
})

const isLackingEntries = (state: BrowseState.State): boolean => {
  const want = Wants.wanted(state)?._tag
  return want === "Difference" || want === "OtherBackup" || want === "Contents" || want === "Items"
}

/** What the fiber that owns the state is told. */
type Message =
  | BrowseUpdate.Event
  | { readonly _tag: "Answer"; readonly want: Wants.Want; readonly answer: BrowseUpdate.Event }
  /** What is lacking has been waited for long enough. */
  | { readonly _tag: "Due" }

/** Keys and sizes of the terminal, as events. */
const listen = Effect.fnUntraced(function* (
  terminal: Terminal.Terminal,
  events: Queue.Enqueue<Message>,
): Effect.fn.Return<void, never, Scope.Scope> {
  const forward = <A>(queue: Queue.Dequeue<A, Cause.Done>, event: (value: A) => BrowseUpdate.Event) =>
    Queue.take(queue).pipe(
      Effect.flatMap((value) => Queue.offer(events, event(value))),
      Effect.forever,
      Effect.catch(() => Queue.offer(events, { _tag: "InputEnded" })),
      Effect.forkScoped,
    )
  yield* forward(yield* terminal.readInput, (input) => ({ _tag: "Key", key: Keys.fromInput(input) }))
  yield* forward(yield* terminal.size, (size) => ({ _tag: "Resized", size: Layout.sizeOf(size) }))
})
