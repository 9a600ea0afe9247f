/**
 * Names that can be what somebody looks for: all that are, and perhaps more. What they are found by is parts of three
 * characters (FTS5, trigram); a question without any looks at every name once.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import * as Result from "effect/Result"
import type { Entry } from "../../domain/pxar/Entry.ts"
import * as Query from "../tree/Query.ts"
import * as Database from "./Database.ts"
import * as EntryLook from "./EntryLook.ts"
import * as NameText from "./NameText.ts"

export class NameCandidates {
  private readonly database: DatabaseSync
  private readonly byPart: StatementSync
  private readonly all: StatementSync
  private last: { readonly key: string; readonly names: ReadonlyArray<number> } | undefined

  constructor(database: DatabaseSync) {
    this.database = database
    this.byPart = database.prepare("SELECT rowid AS id FROM name_part WHERE name_part MATCH ?")
    this.all = database.prepare("SELECT id, name FROM name")
  }

  /** Numbers of names, each once; `undefined` if names alone do not say what is found. */
  of(query: Query.Query): ReadonlyArray<number> | undefined {
    const { ignoreCase, manner, patterns } = query
    if (manner !== "name" || patterns.length === 0) return undefined
    const key = JSON.stringify([Database.pragma(this.database, "data_version"), ignoreCase, patterns])
    if (this.last?.key === key) return this.last.names
    const found = new Set<number>()
    const rest: Array<string> = []
    for (const pattern of patterns) {
      const parts = partsOf(pattern)
      if (parts.length === 0) {
        rest.push(pattern)
        continue
      }
      const asked = parts.map((part) => `"${part.replaceAll('"', '""')}"`).join(" AND ")
      for (const row of this.byPart.iterate(asked)) found.add(row["id"] as number)
    }
    if (rest.length > 0) {
      const test = Result.getOrThrow(Query.compile({ patterns: rest, manner, ignoreCase }))
      for (const row of this.all.iterate()) {
        const name = NameText.fromStored(row["name"] as NameText.Stored)
        // A pattern may be one of folders alone.
        if (ANY.some((entry) => test({ name, path: name, entry }))) found.add(row["id"] as number)
      }
    }
    const names = [...found].toSorted((a, b) => a - b)
    this.last = { key, names }
    return names
  }
}

const lookOf = (mode: number): Entry => {
  const look = new Uint8Array(40)
  new DataView(look.buffer).setUint32(0, mode, true)
  return EntryLook.decode(look)
}

/** A folder, and a file. */
const ANY: ReadonlyArray<Entry> = [lookOf(0o040755), lookOf(0o100644)]

/** Parts that each name has which a pattern means; none where that cannot be told. */
const partsOf = (pattern: string): ReadonlyArray<string> => {
  // What else patterns can say is rare.
  if (/[[\\/]/.test(pattern) || pattern.startsWith("!")) return []
  const literals = pattern.split(/[*?]+/).toSorted((a, b) => b.length - a.length)
  return NameText.trigrams(literals[0] ?? "")
}
