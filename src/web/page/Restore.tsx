/**
 * Restores what is selected to the machine that serves: tried first, watched, cancelled.
 */
import type { JSX } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import * as Client from "./Client.ts"
import { Dialog } from "./Dialog.tsx"
import * as Format from "./Format.ts"

interface Props {
  readonly repository: string
  readonly folder: string
  readonly names: ReadonlyArray<string>
  /** The folder that may be restored into. */
  readonly allowed: string
  readonly onClose: () => void
}

type Conflict = Client.Json.RestoreRequest["conflict"]

const conflicts: ReadonlyArray<readonly [Conflict, string]> = [
  ["refuse", "leave it, and tell me"],
  ["never", "leave it: an earlier restore is completed"],
  ["if-changed", "replace it if it differs"],
  ["if-newer", "replace it if the backup is newer"],
  ["always", "replace it"],
]

const states: Readonly<Record<Client.Json.JobJson["state"], string>> = {
  waiting: "Waiting",
  running: "Restoring",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
}

export const Restore = ({ allowed, folder, names, onClose, repository }: Props): JSX.Element => {
  const [target, setTarget] = useState("")
  const [conflict, setConflict] = useState<Conflict>("refuse")
  const [job, setJob] = useState<Client.Json.JobJson>()
  const [wasTried, setTried] = useState(false)
  const [error, setError] = useState<Error>()
  const stop = useRef<() => void>(undefined)
  useEffect(() => () => stop.current?.(), [])
  const isRunning = job !== undefined && !Client.hasEnded(job)

  const start = (isTrial: boolean): void => {
    setError(undefined)
    setTried(isTrial)
    Client.startRestore(repository, { folder, names, target, conflict, dry_run: isTrial }).then((started) => {
      setJob(started)
      stop.current?.()
      stop.current = Client.watch(started.id, setJob)
    }, setError)
  }

  return (
    <Dialog
      title={`Restore ${names.length === 1 ? names[0] : Format.counted(names.length, "entry", "entries")}`}
      onClose={onClose}
      wide
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          start(false)
        }}
      >
        <label for="target">Into this folder of the machine that serves</label>
        <div class="prefixed">
          <span>{allowed}/</span>
          <input
            id="target"
            value={target}
            placeholder="restored"
            disabled={isRunning}
            spellcheck={false}
            onInput={({ currentTarget }) => setTarget(currentTarget.value)}
          />
        </div>
        <label for="conflict">What is there already and in the way</label>
        <select
          id="conflict"
          value={conflict}
          disabled={isRunning}
          onChange={({ currentTarget }) => setConflict(currentTarget.value as Conflict)}
        >
          {conflicts.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
        <div role="status" class="job-state">
          {error === undefined ? null : <p class="problem">{error.message}</p>}
          {job === undefined ? null : (
            <>
              <p>
                <strong>{wasTried && job.state === "done" ? "This would be done" : states[job.state]}</strong>
                {wasTried ? "" : `: ${Format.counted(job.entries, "entry", "entries")}, ${Format.size(job.bytes)}`}
                {job.problems > 0 ? `, ${Format.counted(job.problems, "problem", "problems")}` : ""}
              </p>
              {job.error === undefined ? null : <p class="problem">{job.error}</p>}
              {job.notes.length === 0 ? null : (
                <pre class="notes" tabIndex={0} aria-label="What was done">
                  {job.notes.join("\n")}
                </pre>
              )}
            </>
          )}
        </div>
        <footer>
          {isRunning && job !== undefined ? (
            <button type="button" onClick={() => void Client.cancel(job.id)}>
              Cancel
            </button>
          ) : (
            <>
              <button type="button" onClick={() => start(true)}>
                Try it first
              </button>
              <button type="submit" class="primary">
                Restore
              </button>
            </>
          )}
        </footer>
      </form>
    </Dialog>
  )
}
