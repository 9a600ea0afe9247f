/**
 * A folder as a table of which only the rows on the screen exist.
 *
 * The table has the focus and tells which row is meant, so that a screen reader follows and no row has to.
 */
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core"
import type { JSX } from "preact"
import { useEffect, useReducer, useRef, useState } from "preact/hooks"
import type { Json } from "./Client.ts"
import * as Format from "./Format.ts"
import { Icon, kindIcon } from "./Icons.tsx"
import type { Folder, Wanted } from "./UseFolder.ts"

const ROW = 34

interface Props {
  readonly folder: Folder
  readonly wanted: Wanted
  readonly cursor: number
  readonly selected: ReadonlySet<string>
  readonly onCursor: (index: number) => void
  readonly onOpen: (row: Json.RowJson) => void
  readonly onSelect: (row: Json.RowJson) => void
  readonly onSort: (sort: Wanted["sort"]) => void
  readonly onUp: () => void
}

const columns: ReadonlyArray<readonly [sort: Wanted["sort"], title: string]> = [
  ["name", "Name"],
  ["size", "Size"],
  ["time", "Modified"],
]

/** A list of which only what is seen is made. */
const useVirtual = (count: number) => {
  const scroller = useRef<HTMLDivElement>(null)
  const [, redraw] = useReducer((turn: number) => turn + 1, 0)
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
    // The head is above the rows, and stays where it is when they move.
    scrollMargin: ROW,
    scrollPaddingStart: ROW,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => redraw(0),
  }
  const [virtualizer] = useState(() => new Virtualizer<HTMLDivElement, HTMLDivElement>(options))
  virtualizer.setOptions(options)
  useEffect(() => virtualizer._didMount(), [virtualizer])
  useEffect(() => virtualizer._willUpdate())
  return { scroller, virtualizer }
}

export const Listing = (props: Props): JSX.Element => {
  const { cursor, folder, onCursor, onOpen, onSelect, onSort, onUp, selected, wanted } = props
  const { scroller, virtualizer } = useVirtual(folder.count)
  const items = virtualizer.getVirtualItems()
  const [first, last] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0]
  useEffect(() => folder.want(first, last))
  useEffect(() => {
    scroller.current?.focus({ preventScroll: true })
    virtualizer.scrollToOffset(0)
  }, [wanted.path, wanted.repository])
  useEffect(() => {
    if (folder.count > 0) virtualizer.scrollToIndex(cursor)
  }, [cursor])

  const press = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW) - 2)
    const row = folder.row(cursor)
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: cursor + 1,
      ArrowUp: cursor - 1,
      PageDown: cursor + page,
      PageUp: cursor - page,
      Home: 0,
      End: folder.count - 1,
    }
    const to = moves[event.key]
    if (to !== undefined) onCursor(Math.max(0, Math.min(to, folder.count - 1)))
    else if ((event.key === "Enter" || event.key === "ArrowRight") && row !== undefined) onOpen(row)
    else if (event.key === "Backspace" || event.key === "ArrowLeft") onUp()
    else if (event.key === " " && row !== undefined) {
      onSelect(row)
      onCursor(Math.min(cursor + 1, folder.count - 1))
    } else return
    event.preventDefault()
  }

  return (
    <div class="listing">
      <div
        class="scroller"
        ref={scroller}
        role="grid"
        tabIndex={0}
        aria-label={`Contents of ${wanted.path}`}
        aria-rowcount={folder.count + 1}
        aria-multiselectable="true"
        aria-activedescendant={folder.row(cursor) === undefined ? undefined : `row-${cursor}`}
        onKeyDown={press}
      >
        <div class="row head" role="row" aria-rowindex={1}>
          {columns.map(([sort, title]) => {
            const isSorted = wanted.sort === sort
            return (
              <div
                key={sort}
                role="columnheader"
                class={`cell-${sort}`}
                aria-sort={isSorted ? (wanted.descending ? "descending" : "ascending") : "none"}
              >
                <button type="button" tabIndex={-1} onClick={() => onSort(sort)}>
                  {title}
                  <span aria-hidden="true">{isSorted ? (wanted.descending ? " ↓" : " ↑") : ""}</span>
                </button>
              </div>
            )
          })}
        </div>
        <div class="rows" role="rowgroup" style={{ height: `${virtualizer.getTotalSize()}px` }}>
          {items.map(({ index, start }) => {
            const row = folder.row(index)
            return (
              <Row
                key={index}
                index={index}
                start={start - ROW}
                row={row}
                isCurrent={index === cursor}
                isSelected={row !== undefined && selected.has(row.name)}
                onClick={(event) => {
                  onCursor(index)
                  if (row !== undefined && (event.ctrlKey || event.metaKey)) onSelect(row)
                }}
                onOpen={() => row !== undefined && onOpen(row)}
                onSelect={() => row !== undefined && onSelect(row)}
              />
            )
          })}
        </div>
      </div>
    </div>
  )
}

interface RowProps {
  readonly index: number
  readonly start: number
  readonly row: Json.RowJson | undefined
  readonly isCurrent: boolean
  readonly isSelected: boolean
  readonly onClick: (event: MouseEvent) => void
  readonly onOpen: () => void
  readonly onSelect: () => void
}

const marks: Readonly<Record<string, string>> = { new: "new", changed: "changed", gone: "gone" }

const Row = ({ index, isCurrent, isSelected, onClick, onOpen, onSelect, row, start }: RowProps): JSX.Element => {
  const change = row?.change
  return (
    <div
      id={`row-${index}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      class={`row${isCurrent ? " current" : ""}${isSelected ? " selected" : ""}${change === undefined ? "" : ` ${change}`}`}
      style={{ transform: `translateY(${start}px)` }}
      onClick={onClick}
      onDblClick={onOpen}
    >
      <div class="cell-name" role="gridcell">
        <span class="check" aria-hidden="true" onClick={(event) => (event.stopPropagation(), onSelect())} />
        {row === undefined ? (
          <span class="waiting">…</span>
        ) : (
          <>
            <Icon name={kindIcon(row.kind)} />
            <span
              class="name"
              title={row.name}
              onClick={row.kind === "directory" && change !== "gone" ? onOpen : undefined}
            >
              {row.name}
            </span>
            {row.target === undefined ? null : <span class="target">→ {row.target}</span>}
            {change === undefined ? null : <span class={`mark ${change}`}>{marks[change]}</span>}
            {row.problem === undefined ? null : (
              <span class="mark damaged" title={row.problem}>
                damaged
              </span>
            )}
          </>
        )}
      </div>
      <div class="cell-size" role="gridcell">
        {row?.kind === "file" && row.size !== undefined ? Format.size(row.size) : ""}
      </div>
      <div class="cell-time" role="gridcell">
        {row?.mtime_seconds === undefined ? "" : Format.time(row.mtime_seconds)}
      </div>
    </div>
  )
}
