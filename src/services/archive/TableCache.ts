/**
 * Goodbye tables kept in memory, the least recently used dropped first.
 *
 * Holds at most `capacity` bytes of them, or one larger table.
 */
import * as GoodbyeTable from "../../domain/pxar/GoodbyeTable.ts"

/** A table, or what is made of one. */
type Held = Pick<GoodbyeTable.Table, "end" | "count">

export interface TableCache<T extends Held> {
  /** The table of the directory that ends at `end`. */
  readonly get: (end: number) => T | undefined
  readonly set: (end: number, table: T) => void
  readonly drop: (end: number) => void
  /** Bytes of the tables held. */
  readonly memory: () => number
}

/** Memory in bytes that is charged for a table with `count` children: its items, and their order in the archive. */
export const memorySize = (count: number): number => GoodbyeTable.memorySize(count) + count * 4

export const make = <T extends Held>(capacity: number): TableCache<T> => {
  // In order of use, the least recent first.
  const tables = new Map<number, T>()
  let held = 0
  // Used last: a listing asks for one table again and again.
  let last: T | undefined

  const drop = (end: number): void => {
    const table = tables.get(end)
    if (table === undefined) return
    tables.delete(end)
    if (last === table) last = undefined
    held -= memorySize(table.count)
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
      held += memorySize(table.count)
      for (const oldest of tables.keys()) {
        if (held <= capacity || tables.size === 1) return
        drop(oldest)
      }
    },
  }
}
