/**
 * What keys do, and their names for `?`.
 */

export interface Binding {
  readonly keys: string
  readonly meaning: string
  /** What has to be there for it to do anything: several backups of one thing, or a folder to restore into. */
  readonly needs?: "backups" | "restore"
}

export const bindings: ReadonlyArray<Binding> = [
  { keys: "↑ ↓", meaning: "up and down; PgUp, PgDn, Home and End too" },
  { keys: "Enter, →", meaning: "open the folder, or show the file" },
  { keys: "Backspace, ←", meaning: "out of the folder" },
  { keys: "Space", meaning: "select, or not any more" },
  { keys: "[ ]", meaning: "the same folder in the backup before, or after", needs: "backups" },
  { keys: "t", meaning: "in a group: how its backups grow", needs: "backups" },
  { keys: "/", meaning: "filter this folder" },
  { keys: "s", meaning: "search below this folder" },
  { keys: "g", meaning: "type or paste a path" },
  { keys: "i", meaning: "all attributes of this entry" },
  { keys: "v", meaning: "versions of this entry in all backups", needs: "backups" },
  { keys: "d", meaning: "download the selection, or this entry" },
  { keys: "r", meaning: "restore the selection, or this entry", needs: "restore" },
  { keys: "c", meaning: "copy the command line for what is on the screen" },
  { keys: "Esc", meaning: "close what is open; end the filter" },
  { keys: "?", meaning: "this help" },
]

/** Whether a key is text for a field, and nothing else. */
export const isTyping = (event: KeyboardEvent): boolean => {
  const { target } = event
  if (event.ctrlKey || event.metaKey || event.altKey) return true
  if (target instanceof HTMLInputElement && /^(?:checkbox|range)$/.test(target.type)) return false
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName) ||
      target.closest("dialog") !== null)
  )
}
