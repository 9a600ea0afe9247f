/**
 * What is below a folder: how much there is, what is selected, and what to type for it.
 */
import type { JSX, RefObject } from "preact"
import { useState } from "preact/hooks"
import * as Format from "./Format.ts"
import { Icon } from "./Icons.tsx"
import type { Folder } from "./UseFolder.ts"

interface Props {
  readonly folder: Folder
  readonly filter: string
  readonly filterField: RefObject<HTMLInputElement | null>
  readonly selected: number
  readonly commandLine: string
  /** Shows how the backups here grow, where that can be said. */
  readonly onGrowth: (() => void) | undefined
  readonly onFilter: (text: string) => void
  readonly onDownload: (format: "tar" | "zip") => void
  readonly onRestore: (() => void) | undefined
  readonly onClear: () => void
}

export const Footer = (props: Props): JSX.Element => {
  const { commandLine, filter, filterField, folder, onClear, onDownload, onFilter, onGrowth, onRestore, selected } =
    props
  const isEmpty = folder.state === "ready" && folder.count === 0
  return (
    <>
      {isEmpty ? (
        <p class="empty">{filter === "" ? "This folder is empty." : `No name here has “${filter}” in it.`}</p>
      ) : null}
      {folder.problem === undefined ? null : <p class="problem">{folder.problem}</p>}
      <footer class="below">
        <div class="filter">
          <input
            ref={filterField}
            type="search"
            aria-label="Filter this folder"
            placeholder="Filter  (/)"
            value={filter}
            onInput={({ currentTarget }) => onFilter(currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") onFilter("")
              if (event.key !== "Escape" && event.key !== "Enter" && event.key !== "ArrowDown") return
              document.querySelector<HTMLElement>("[role=grid]")?.focus()
              event.preventDefault()
            }}
          />
          <span role="status">
            {folder.state === "ready" ? counted(folder, filter) : folder.state === "loading" ? "Reading…" : ""}
          </span>
        </div>
        {onGrowth === undefined ? null : (
          <button type="button" title="Sizes over time  t" onClick={onGrowth}>
            Sizes over time
          </button>
        )}
        {selected === 0 ? (
          <Command text={commandLine} />
        ) : (
          <div class="selection">
            <span>{Format.count(selected)} selected</span>
            <button type="button" onClick={() => onDownload("zip")}>
              <Icon name="download" /> zip
            </button>
            <button
              type="button"
              onClick={() => onDownload("tar")}
              title="Everything that tar can hold: owners, links, ACLs"
            >
              <Icon name="download" /> tar
            </button>
            {onRestore === undefined ? null : (
              <button type="button" onClick={onRestore}>
                <Icon name="restore" /> Restore…
              </button>
            )}
            <button type="button" class="quiet" aria-label="Select nothing" onClick={onClear}>
              <Icon name="close" />
            </button>
          </div>
        )}
      </footer>
    </>
  )
}

const counted = ({ count, total }: Folder, filter: string): string =>
  filter === "" ? Format.counted(total, "entry", "entries") : `${Format.count(count)} of ${Format.count(total)}`

const Command = ({ text }: { readonly text: string }): JSX.Element => {
  const [wasCopied, setCopied] = useState("")
  return (
    <div class="command">
      <code>{text}</code>
      <button
        type="button"
        class="quiet"
        aria-label="Copy the command line"
        title="Copy the command line  c"
        onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(text))}
      >
        <Icon name="copy" />
      </button>
      <span role="status">{wasCopied === text ? "copied" : ""}</span>
    </div>
  )
}
