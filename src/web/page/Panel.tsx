/**
 * All about one entry: a look into it, its attributes, its versions.
 */
import type { JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import * as Client from "./Client.ts"
import * as Format from "./Format.ts"
import { Icon, kindIcon } from "./Icons.tsx"
import { Preview } from "./Preview.tsx"
import * as Route from "./Route.ts"
import { Versions } from "./Versions.tsx"

/** What is shown. */
export type Tab = "preview" | "details" | "versions"

interface Props {
  readonly repository: string
  readonly path: string
  readonly row: Client.Json.RowJson
  readonly hasVersions: boolean
  readonly tab: Tab
  readonly onTab: (tab: Tab) => void
  readonly onDownload: () => void
  readonly onRestore: (() => void) | undefined
  readonly onClose: () => void
}

const titles: Readonly<Record<Tab, string>> = { preview: "Preview", details: "Details", versions: "Versions" }

/** The details of an entry, or why there are none. */
export const useDetails = (repository: string, path: string) => {
  const [details, setDetails] = useState<Client.Json.DetailsJson>()
  const [error, setError] = useState<Error>()
  useEffect(() => {
    const controller = new AbortController()
    setDetails(undefined)
    setError(undefined)
    Client.entry(repository, path, controller.signal).then(setDetails, (error: Error) => {
      if (!controller.signal.aborted) setError(error)
    })
    return () => controller.abort()
  }, [repository, path])
  return { details, error }
}

export const Panel = (props: Props): JSX.Element => {
  const { hasVersions, onClose, onDownload, onRestore, onTab, path, repository, row, tab } = props
  const { details, error } = useDetails(repository, path)
  const tabs = (["preview", "details", "versions"] as const).filter((name) => name !== "versions" || hasVersions)
  const shown = tabs.includes(tab) ? tab : "preview"
  return (
    <aside class="panel" aria-label={`About ${row.name}`}>
      <header>
        <Icon name={kindIcon(row.kind)} />
        <div>
          <h2>{row.name}</h2>
          <p>
            {Format.kind(row.kind)}
            {row.kind === "file" && row.size !== undefined ? `, ${Format.size(row.size)}` : ""}
          </p>
        </div>
        <button type="button" class="quiet" aria-label="Close" title="Close  Esc" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="actions">
        <button type="button" onClick={onDownload}>
          <Icon name="download" /> Download
        </button>
        {onRestore === undefined ? null : (
          <button type="button" onClick={onRestore}>
            <Icon name="restore" /> Restore…
          </button>
        )}
      </div>
      <div class="tabs" role="tablist" aria-label="What to show">
        {tabs.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            aria-selected={name === shown}
            aria-controls="tab-content"
            onClick={() => onTab(name)}
          >
            {titles[name]}
          </button>
        ))}
      </div>
      <div class="tab" role="tabpanel" id="tab-content" aria-labelledby={`tab-${shown}`} tabIndex={0}>
        {error !== undefined ? (
          <p class="problem">{error.message}</p>
        ) : details === undefined ? (
          <p class="waiting">Looking…</p>
        ) : (
          <>
            {details.problems.length === 0 ? null : (
              <ul class="problems" aria-label="What is damaged">
                {details.problems.map((problem) => (
                  <li key={problem}>{problem}</li>
                ))}
              </ul>
            )}
            {shown === "preview" ? <Preview repository={repository} path={path} details={details} /> : null}
            {shown === "details" ? <Attributes details={details} /> : null}
            {shown === "versions" ? (
              <Versions repository={repository} path={path} isText={details.preview === "text"} />
            ) : null}
          </>
        )}
      </div>
    </aside>
  )
}

const Attributes = ({ details }: { readonly details: Client.Json.DetailsJson }): JSX.Element => {
  const rows: ReadonlyArray<readonly [string, string | undefined]> = [
    ["Path", details.path],
    ["Name in hex", details.path_hex === undefined ? undefined : Route.lastName(details.path_hex)],
    ["Hard link to", details.hardlink],
    ["Target", details.target],
    ["Mode", `${Format.mode(details.kind, details.mode)} (${(details.mode & 0o7777).toString(8).padStart(4, "0")})`],
    ["Owner", `user ${details.uid}, group ${details.gid}`],
    [
      "Size",
      details.kind === "file" ? `${Format.count(details.size)} ${details.size === 1 ? "byte" : "bytes"}` : undefined,
    ],
    ["Modified", Format.exactTime(details.mtime_seconds, details.mtime_nanos)],
    ["Device", details.device === undefined ? undefined : `${details.device.major}, ${details.device.minor}`],
    ["Flags", details.flags],
    ["Project id", details.quota_project_id],
    ["Inode", details.ino],
  ]
  return (
    <>
      <dl class="attributes">
        {rows.map(([name, value]) =>
          value === undefined ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
      {details.attributes.length === 0 ? null : (
        <>
          <h3>Extended attributes</h3>
          <dl class="attributes stacked">
            {details.attributes.map(({ name, text }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  {name.startsWith("system.posix_acl")
                    ? text.split(",").map((line) => <div key={line}>{line}</div>)
                    : text}
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </>
  )
}
