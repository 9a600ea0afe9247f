/**
 * How the screen is divided: a line on top, the list with the preview beside it where there is room, a line at the
 * bottom.
 */
import type * as Terminal from "effect/Terminal"

export type Size = Terminal.Size

/** The size that a terminal reports; 0, from one that does not know, stands for the usual. */
export const sizeOf = ({ columns, rows }: Size): Size => ({ columns: columns || 80, rows: rows || 24 })

export interface Layout {
  /** Columns of the whole screen. */
  readonly columns: number
  /** Rows between the lines on top and at the bottom. */
  readonly height: number
  readonly listColumns: number
  /** Columns of the preview; 0 if there is no room for it. */
  readonly previewColumns: number
}

/** A screen that is taller than anybody's stays empty below: what is kept of a folder is more than that. */
const MAX_HEIGHT = 500

/** Narrower screens show the list alone. */
const MIN_COLUMNS_FOR_PREVIEW = 60

export const of = ({ columns, rows }: Size): Layout => {
  const height = Math.max(1, Math.min(rows - 2, MAX_HEIGHT))
  if (columns < MIN_COLUMNS_FOR_PREVIEW) return { columns, height, listColumns: columns, previewColumns: 0 }
  const listColumns = Math.floor(columns / 2)
  return { columns, height, listColumns, previewColumns: columns - listColumns - SEPARATOR }
}

/** Columns between list and preview. */
export const SEPARATOR = 3
