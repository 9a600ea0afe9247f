/**
 * What a search finds, as it finds it.
 */
import type { JSX } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import * as Client from "./Client.ts"
import * as Format from "./Format.ts"
import { Icon, kindIcon } from "./Icons.tsx"
import * as Route from "./Route.ts"

interface Props {
  readonly repository: string
  readonly path: string
  readonly text: string
  readonly onClose: () => void
}

/** Most rows that are shown. */
const MAX_SHOWN = 500

export const Found = ({ onClose, path, repository, text }: Props): JSX.Element => {
  const [found, setFound] = useState<ReadonlyArray<Client.Json.SearchJson>>([])
  const [progress, setProgress] = useState<Client.Json.SearchJson>({})
  const [error, setError] = useState<Error>()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const controller = new AbortController()
    const all: Array<Client.Json.SearchJson> = []
    setFound([])
    setProgress({})
    setError(undefined)
    heading.current?.focus()
    let isDue = false
    Client.search(repository, path, text, controller.signal, (step) => {
      if (step.row === undefined) setProgress(step)
      else all.push(step)
      if (isDue) return
      isDue = true
      requestAnimationFrame(() => {
        isDue = false
        if (!controller.signal.aborted) setFound([...all])
      })
    }).catch((error: Error) => {
      if (!controller.signal.aborted) setError(error)
    })
    return () => controller.abort()
  }, [repository, path, text])
  const isDone = progress.done !== undefined
  return (
    <main class="found" aria-busy={!isDone}>
      <header>
        <h1 tabIndex={-1} ref={heading}>
          “{text}” below {path === "/" ? repository : Route.lastName(path)}
        </h1>
        <button type="button" onClick={onClose}>
          {isDone ? "Back to the folder" : "Stop"}
        </button>
      </header>
      <p role="status">
        {Format.counted(found.length, "name", "names")} found
        {progress.looked_at === undefined ? "" : `, ${Format.count(progress.looked_at)} looked at`}
        {isDone ? "" : "…"}
        {progress.done === "limit" ? ". There are more: search further down, or for more of the name" : ""}
        {progress.unreadable === undefined || progress.unreadable === 0
          ? ""
          : `; ${Format.count(progress.unreadable)} could not be read`}
      </p>
      {error === undefined ? null : <p class="problem">{error.message}</p>}
      {isDone && found.length === 0 ? <p class="empty">Nothing below this folder has that in its name.</p> : null}
      <ul>
        {found.slice(0, MAX_SHOWN).map(({ path: at = "", row }) => (
          <li key={at}>
            <a href={Route.format({ repository, path: at })} onClick={onClose}>
              <Icon name={kindIcon(row?.kind ?? "file")} />
              <span class="name">{row?.name}</span>
              <span class="where">
                <bdi>{Route.parent(at)}</bdi>
              </span>
              <span class="facts">{row?.kind === "file" ? Format.size(row.size ?? 0) : ""}</span>
            </a>
          </li>
        ))}
      </ul>
      {found.length > MAX_SHOWN ? <p>Only the first {MAX_SHOWN} are shown.</p> : null}
    </main>
  )
}
