/**
 * An entry in all backups of its group: which of them differ, and how.
 */
import type { JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import * as Client from "./Client.ts"
import * as Format from "./Format.ts"
import * as Route from "./Route.ts"

interface Props {
  readonly repository: string
  readonly path: string
  readonly isText: boolean
}

const words: Readonly<Record<Client.Json.VersionJson["state"], string>> = {
  first: "appears",
  changed: "changed",
  same: "same size and time",
  absent: "not there",
  unreadable: "cannot be read",
}

export const Versions = ({ isText, path, repository }: Props): JSX.Element => {
  const [versions, setVersions] = useState<ReadonlyArray<Client.Json.VersionJson>>()
  const [error, setError] = useState<Error>()
  const [compared, setCompared] = useState<Client.Json.VersionJson>()
  useEffect(() => {
    const controller = new AbortController()
    setVersions(undefined)
    setCompared(undefined)
    setError(undefined)
    Client.versions(repository, path, controller.signal).then(setVersions, (error: Error) => {
      if (!controller.signal.aborted) setError(error)
    })
    return () => controller.abort()
  }, [repository, path])
  if (error !== undefined) return <p class="problem">{error.message}</p>
  if (versions === undefined) return <p class="waiting">Looking into all backups…</p>
  return (
    <>
      <ol class="versions" reversed>
        {versions.toReversed().map((version) => {
          const isThis = version.path === path
          return (
            <li key={version.path} class={version.state} aria-current={isThis ? "true" : undefined}>
              {version.row === undefined ? (
                <span>{Format.backupTime(version.time)}</span>
              ) : (
                <a href={Route.format({ repository, path: version.path })}>{Format.backupTime(version.time)}</a>
              )}
              <span class="state">{words[version.state]}</span>
              <span class="facts">
                {version.row?.kind === "file" ? Format.size(version.row.size ?? 0) : (version.problem ?? "")}
              </span>
              {isText && !isThis && version.row?.kind === "file" ? (
                <button type="button" class="quiet" onClick={() => setCompared(version)}>
                  Compare
                </button>
              ) : null}
            </li>
          )
        })}
      </ol>
      {compared === undefined ? null : <Diff repository={repository} path={path} other={compared} />}
    </>
  )
}

const reasons: Readonly<Record<string, string>> = {
  same: "The texts are the same.",
  binary: "These are no texts. Download both to compare them.",
  large: "The texts are too large, or differ in too much. Download both to compare them.",
}

/** The older one is on the left of every comparison. */
const Diff = ({
  other,
  path,
  repository,
}: {
  readonly repository: string
  readonly path: string
  readonly other: Client.Json.VersionJson
}): JSX.Element => {
  const [diff, setDiff] = useState<Client.Json.TextDiffJson>()
  const [error, setError] = useState<Error>()
  const [older, newer] = other.path < path ? [other.path, path] : [path, other.path]
  useEffect(() => {
    let isWanted = true
    setDiff(undefined)
    setError(undefined)
    Client.diff(repository, older, newer).then(
      (diff) => isWanted && setDiff(diff),
      (error: Error) => isWanted && setError(error),
    )
    return () => {
      isWanted = false
    }
  }, [repository, older, newer])
  if (error !== undefined) return <p class="problem">{error.message}</p>
  if (diff === undefined) return <p class="waiting">Comparing…</p>
  if (diff.state !== "different") return <p>{reasons[diff.state]}</p>
  return (
    <section class="diff" aria-label="What differs">
      {diff.hunks.map((hunk) => (
        <div key={`${hunk.old_start} ${hunk.new_start}`}>
          <h4>
            Line {hunk.old_start} before, {hunk.new_start} after
          </h4>
          <pre tabIndex={0} aria-label={`Lines from ${hunk.new_start} on`}>
            {hunk.lines.map((line, index) => {
              const tone = line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : ""
              return (
                <span key={index} class={tone}>
                  {line}
                  {"\n"}
                </span>
              )
            })}
          </pre>
        </div>
      ))}
    </section>
  )
}
