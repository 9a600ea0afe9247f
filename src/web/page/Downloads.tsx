/**
 * Downloads that go on, and what came of them: what could not be read is said, not left to be found out.
 */
import type { JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import * as Client from "./Client.ts"
import * as Format from "./Format.ts"
import { Icon } from "./Icons.tsx"

/** Lets the browser save what is at an address of ours. */
export const save = (address: string): void => {
  const link = document.createElement("a")
  link.href = address
  link.download = ""
  document.body.append(link)
  link.click()
  link.remove()
}

interface Props {
  readonly jobs: ReadonlyArray<Client.Json.JobJson>
  readonly onForget: (id: string) => void
}

export const Downloads = ({ jobs, onForget }: Props): JSX.Element => (
  <div class="downloads" role="status" aria-label="Downloads">
    {jobs.map((job) => (
      <Download key={job.id} started={job} onForget={() => onForget(job.id)} />
    ))}
  </div>
)

const states: Readonly<Record<Client.Json.JobJson["state"], string>> = {
  waiting: "begins",
  running: "downloading",
  done: "downloaded",
  failed: "failed",
  cancelled: "cancelled",
}

const Download = ({
  onForget,
  started,
}: {
  readonly started: Client.Json.JobJson
  readonly onForget: () => void
}): JSX.Element => {
  const [job, setJob] = useState(started)
  useEffect(() => Client.watch(started.id, setJob), [started.id])
  const hasEnded = Client.hasEnded(job)
  return (
    <div class={`download ${job.problems > 0 || job.state === "failed" ? "bad" : ""}`}>
      <p>
        <strong>{job.title}</strong> {states[job.state]}: {Format.counted(job.entries, "entry", "entries")},{" "}
        {Format.size(job.bytes)}
        {job.problems > 0 ? `; ${Format.counted(job.problems, "problem", "problems")}` : ""}
      </p>
      {job.error === undefined ? null : <p class="problem">{job.error}</p>}
      {hasEnded && job.notes.length > 0 ? (
        <details>
          <summary>What is not as in the backup</summary>
          <pre tabIndex={0}>{job.notes.join("\n")}</pre>
        </details>
      ) : null}
      <button
        type="button"
        class="quiet"
        aria-label={hasEnded ? `Forget ${job.title}` : `Cancel ${job.title}`}
        onClick={() => (hasEnded ? onForget() : void Client.cancel(job.id))}
      >
        <Icon name="close" />
      </button>
    </div>
  )
}
