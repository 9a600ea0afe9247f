/**
 * Answers from the database. An answer is that of one state of it, whatever is written meanwhile.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import * as Bytes from "../../domain/Bytes.ts"
import { partitionPoint } from "../../domain/PartitionPoint.ts"
import type { Entry } from "../../domain/pxar/Entry.ts"
import type * as Query from "../tree/Query.ts"
import * as EntryLook from "./EntryLook.ts"
import * as NameCandidates from "./NameCandidates.ts"
import * as NameText from "./NameText.ts"

/** A state of an archive in the database. */
export interface Place {
  readonly chain: number
  /** Number of the state in its chain, from 1. */
  readonly number: number
  readonly entries: number
}

/** An archive that cannot be in the index, and why. */
export interface Left {
  readonly problem: string
}

/** A version of an entry. */
export interface Row extends EntryLook.Variable {
  /** With a leading slash. */
  readonly path: Uint8Array
  /** Number of what it looks like. */
  readonly look: number
  /** States that have it: from `since` on, and before `gone` if that is there. */
  readonly since: number
  readonly gone: number | null
}

/** How much there is. */
export interface Totals {
  readonly archives: number
  readonly irregular: number
  /** Of all archives together. */
  readonly entries: number
  readonly versions: number
  readonly names: number
}

/** A row of `version`, with its name. */
interface Stored extends EntryLook.Variable {
  readonly folder: number
  readonly name: NameText.Stored
  readonly look: number
  readonly since: number
  readonly gone: number | null
}

/** A name in a folder, both by their numbers. */
interface Named {
  readonly folder: number
  readonly name: number
}

const COLUMNS = "v.folder, n.name, v.look, v.size, v.seconds, v.nanos, v.since, v.gone"
const ROWS = `SELECT ${COLUMNS} FROM version v JOIN name n ON n.id = v.name`

/** Looks and folders that are remembered. */
const REMEMBERED = 100_000

export class IndexReader {
  private readonly database: DatabaseSync
  private readonly statements: ReturnType<typeof prepare>
  private readonly entries = new Map<number, Entry>()
  private readonly prefixes = new Map<number, Uint8Array>()
  private readonly candidates: NameCandidates.NameCandidates

  constructor(database: DatabaseSync) {
    this.database = database
    this.statements = prepare(database)
    this.candidates = new NameCandidates.NameCandidates(database)
  }

  /** What is known of archives, in their order. */
  places(checksums: ReadonlyArray<Uint8Array>): ReadonlyArray<Place | Left | undefined> {
    return checksums.map((checksum) => {
      const row = this.statements.place.get(checksum) as (Place & { problem: string | null }) | undefined
      if (row === undefined) return undefined
      const { chain, entries, number, problem } = row
      return problem === null ? { chain, number, entries } : { problem }
    })
  }

  totals(): Totals {
    return this.statements.totals.get() as unknown as Totals
  }

  /** The bytes of a look. */
  look(id: number): Uint8Array {
    return (this.statements.look.get(id) as { bytes: Uint8Array }).bytes
  }

  /** What is found in any of the states `numbers`, ascending, of a chain; as long as `give` wants more. */
  find(
    query: Query.Query,
    test: Query.Test,
    chain: number,
    numbers: ReadonlyArray<number>,
    give: (row: Row) => boolean,
  ) {
    this.database.exec("BEGIN")
    try {
      const names = this.candidates.of(query)
      if (names === undefined) {
        for (const [first, last] of this.ranges(chain)) {
          for (const row of this.statements.range.iterate(first, last, chain)) {
            if (!this.offer(row, numbers, test, give)) return
          }
        }
        return
      }
      for (const name of names) {
        for (const row of this.statements.named.iterate(name, chain)) {
          if (!this.offer(row, numbers, test, give)) return
        }
      }
    } finally {
      this.database.exec("COMMIT")
    }
  }

  /** All versions of a path in a chain, whatever their states. */
  versions(chain: number, path: ReadonlyArray<Uint8Array>): ReadonlyArray<Row> {
    const place = this.placeOf(path)
    if (place === undefined) return []
    const rows = this.statements.versions.all(place.name, chain, place.folder) as unknown as ReadonlyArray<Stored>
    return rows.map((row) => this.rowOf(row))
  }

  /** Names of what is right below a path in any of the states `numbers`, ascending, of a chain; each once, in no order. */
  below(chain: number, path: ReadonlyArray<Uint8Array>, numbers: ReadonlyArray<number>): ReadonlyArray<Uint8Array> {
    const place = this.placeOf(path)
    const own = place && this.folderOf(place)
    if (own === undefined) return []
    const names = new Map<number, Uint8Array>()
    for (const stored of this.statements.below.iterate(chain, own, chain, own)) {
      const row = stored as unknown as Pick<Stored, "name" | "since" | "gone"> & { readonly id: number }
      if (names.has(row.id) || !isInAny(numbers, row.since, row.gone)) continue
      names.set(row.id, NameText.fromStored(row.name))
    }
    return [...names.values()]
  }

  /** Numbers of a path's name, and of the folder that it is in; `undefined` if no state has had such a path. */
  private placeOf(path: ReadonlyArray<Uint8Array>): Named | undefined {
    let place: Named = { folder: 0, name: 1 }
    for (const part of path) {
      const folder = this.folderOf(place)
      const name = this.statements.findName.get(NameText.toStored(part)) as { id: number } | undefined
      if (folder === undefined || name === undefined) return undefined
      place = { folder, name: name.id }
    }
    return place
  }

  /** The number of the folder at a place. */
  private folderOf({ folder, name }: Named): number | undefined {
    return (this.statements.findFolder.get(folder, name) as { id: number } | undefined)?.id
  }

  /** Gives a row if it is wanted; whether more are. */
  private offer(
    stored: unknown,
    numbers: ReadonlyArray<number>,
    test: Query.Test,
    give: (row: Row) => boolean,
  ): boolean {
    const row = stored as Stored
    if (!isInAny(numbers, row.since, row.gone)) return true
    return !test(new Candidate(this, row)) || give(this.rowOf(row))
  }

  private rowOf(row: Stored): Row {
    const { gone, look, nanos, seconds, since, size } = row
    return { path: this.pathOf(row), look, size, seconds, nanos, since, gone }
  }

  pathOf({ folder, name }: Stored): Uint8Array {
    return folder === 0 ? SLASH : Bytes.concat([this.prefix(folder), NameText.fromStored(name)])
  }

  entryOf(row: Stored): Entry {
    let entry = this.entries.get(row.look)
    if (entry === undefined) {
      entry = EntryLook.decode(this.look(row.look))
      if (this.entries.size > REMEMBERED) this.entries.clear()
      this.entries.set(row.look, entry)
    }
    return EntryLook.complete(entry, row)
  }

  /** The path of a folder with a slash behind it. */
  private prefix(folder: number): Uint8Array {
    const known = this.prefixes.get(folder)
    if (known !== undefined) return known
    const below: Array<{ id: number; name: NameText.Stored }> = []
    let at = folder
    let prefix: Uint8Array | undefined = at === ROOT ? SLASH : undefined
    while (prefix === undefined) {
      const { name, parent } = this.statements.folder.get(at) as { parent: number; name: NameText.Stored }
      below.push({ id: at, name })
      at = parent
      prefix = at === ROOT ? SLASH : this.prefixes.get(at)
    }
    if (this.prefixes.size > REMEMBERED) this.prefixes.clear()
    for (const { id, name } of below.toReversed()) {
      prefix = Bytes.concat([prefix, NameText.fromStored(name), SLASH])
      this.prefixes.set(id, prefix)
    }
    return prefix
  }

  /** Runs of rows that archives of the chain have brought. */
  private ranges(chain: number): ReadonlyArray<readonly [first: number, last: number]> {
    const rows = this.statements.ranges.all(chain) as unknown as ReadonlyArray<{ first: number; last: number }>
    const runs: Array<[number, number]> = []
    for (const { first, last } of rows) {
      const run = runs.at(-1)
      if (run !== undefined && run[1] + 1 === first) run[1] = last
      else runs.push([first, last])
    }
    return runs
  }
}

const ROOT = 1
const SLASH: Uint8Array = Bytes.fromText("/")

/** A row as something that is looked at: what is not asked for is not composed. */
class Candidate implements Query.Subject {
  private readonly reader: IndexReader
  private readonly row: Stored
  constructor(reader: IndexReader, row: Stored) {
    this.reader = reader
    this.row = row
  }
  get name(): Uint8Array {
    return NameText.fromStored(this.row.name)
  }
  get path(): Uint8Array {
    return this.reader.pathOf(this.row)
  }
  get entry(): Entry {
    return this.reader.entryOf(this.row)
  }
}

/** Whether one of the states, which ascend, has a version. */
const isInAny = (numbers: ReadonlyArray<number>, since: number, gone: number | null): boolean => {
  const first = numbers[partitionPoint(numbers.length, (at) => (numbers[at] as number) < since)]
  return first !== undefined && (gone === null || first < gone)
}

const prepare = (database: DatabaseSync) => {
  const statement = (text: string): StatementSync => database.prepare(text)
  return {
    place: statement("SELECT chain, number, entries, problem FROM archive WHERE checksum = ?"),
    totals: statement(
      `SELECT count(*) FILTER (WHERE problem IS NULL) AS archives, count(problem) AS irregular,
        coalesce(sum(entries), 0) AS entries, (SELECT coalesce(max(id), 0) FROM version) AS versions,
        (SELECT max(id) FROM name) AS names FROM archive`,
    ),
    look: statement("SELECT bytes FROM look WHERE id = ?"),
    folder: statement("SELECT f.parent, n.name FROM folder f JOIN name n ON n.id = f.name WHERE f.id = ?"),
    ranges: statement(
      "SELECT first_row AS first, last_row AS last FROM archive WHERE chain = ? AND last_row >= first_row ORDER BY first_row",
    ),
    range: statement(`${ROWS} WHERE v.id BETWEEN ? AND ? AND v.chain = ?`),
    named: statement(`${ROWS} WHERE v.name = ? AND v.chain = ?`),
    versions: statement(`${ROWS} WHERE v.name = ? AND v.chain = ? AND v.folder = ?`),
    below: statement(
      `SELECT n.id, n.name, v.since, v.gone FROM version v JOIN name n ON n.id = v.name
        WHERE v.chain = ? AND v.folder = ? AND v.gone IS NULL
      UNION ALL SELECT n.id, n.name, v.since, v.gone FROM version v JOIN name n ON n.id = v.name
        WHERE v.chain = ? AND v.folder = ? AND v.gone IS NOT NULL`,
    ),
    findFolder: statement("SELECT id FROM folder WHERE parent = ? AND name = ?"),
    findName: statement("SELECT id FROM name WHERE name = ?"),
  }
}
