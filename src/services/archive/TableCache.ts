/**
 * Goodbye tables kept in memory, the least recently used dropped first.
 *
 * Holds at most `capacity` bytes of them, or one larger table.
 */
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"

export interface TableCache {
  /** The table of the directory that ends at `end`. */
  readonly get: (end: number) => GoodbyeTable.Table | undefined
  readonly set: (end: number, table: GoodbyeTable.Table) => void
  readonly drop: (end: number) => void
  /** Bytes of the tables held. */
  readonly memory: () => number
}

export const make = (capacity: number): TableCache => {
  // In order of use, the least recent first.
  const tables = new Map<number, GoodbyeTable.Table>()
  let held = 0
  // Used last: a listing asks for one table again and again.
  let last: GoodbyeTable.Table | undefined

  const drop = (end: number): void => {
    const table = tables.get(end)
    if (table === undefined) return
    tables.delete(end)
    if (last === table) last = undefined
    held -= GoodbyeTable.memorySize(table.count)
  }

  return {
    drop,
    memory: () => held,
    get: (end) => {
      if (last?.end === end) return last
      const table = tables.get(end)
      if (table !== undefined) {
        tables.delete(end)
        tables.set(end, table)
        last = table
      }
      return table
    },
    set: (end, table) => {
      drop(end)
      tables.set(end, table)
      last = table
      held += GoodbyeTable.memorySize(table.count)
      for (const oldest of tables.keys()) {
        if (held <= capacity || tables.size === 1) return
        drop(oldest)
      }
    },
  }
}
