/**
 * Puts archives into the database, one transaction each: whatever ends it before, nothing of the archive is there.
 *
 * Of each folder whose digest is another than in the state before, the entries are held against those that were there.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { ChunkIndex } from "../../domain/datastore/ChunkIndex.ts"
import * as ArchiveScan from "./ArchiveScan.ts"
import * as Database from "./Database.ts"
import * as EntryLook from "./EntryLook.ts"
import * as Extents from "./Extents.ts"
import type { Records } from "./FolderRecords.ts"
import { Interned } from "./Interned.ts"
import { Irregular } from "./Irregular.ts"
import * as RecordDecoder from "./RecordDecoder.ts"
import type { Fetch } from "./ScanWindow.ts"

/** An archive to be put in. */
export interface Archive {
  readonly checksum: Uint8Array
  /** States of one archive of a group have the same. */
  readonly chain: string
  readonly index: ChunkIndex
  readonly encrypted: boolean
}

/** What became of it. */
export type Added =
  | { readonly _tag: "Added"; readonly entries: number; readonly versions: number }
  /** Somebody else has put it in. */
  | { readonly _tag: "Known" }
  /** It is not as writers make archives, or damaged: whoever asks has to walk through it. */
  | { readonly _tag: "Irregular"; readonly detail: string }

/** What is heard meanwhile. */
export interface Listener {
  readonly progress: (entries: number) => void
  /** Another process writes: it is waited for. */
  readonly waiting: () => void
}

/** Archives after which the folders of the last one are kept, for whoever goes on another day. */
const EXTENTS_EVERY = 32

/** Milliseconds between two tries. */
const PAUSE = 50

interface Live {
  readonly id: number
  readonly name: number
  readonly look: number
  readonly size: number
  readonly seconds: number
  readonly nanos: number
}

export class IndexWriter {
  private readonly database: DatabaseSync
  private readonly interned: Interned
  private readonly statements: ReturnType<typeof prepare>
  private seen = -1
  /** The last archive of a chain, as far as it is known where its folders are. */
  private last: { chain: number; number: number; extents: Extents.Extents; isStored: boolean } | undefined

  constructor(database: DatabaseSync) {
    this.database = database
    this.interned = new Interned(database)
    this.statements = prepare(database)
  }

  /** Puts an archive in. Throws what SQLite does, and what `fetch` does; nothing of the archive is there then. */
  add(archive: Archive, fetch: Fetch, listener: Listener): Added {
    this.begin(listener)
    try {
      const known = this.statements.find.get(archive.checksum) as { problem: string | null } | undefined
      if (known?.problem === null) {
        this.database.exec("ROLLBACK")
        return { _tag: "Known" }
      }
      const added = this.put(archive, fetch, listener)
      this.database.exec("COMMIT")
      return added
    } catch (thrown) {
      this.forget()
      // SQLite has done so itself where its disk is full.
      if (this.database.isTransaction) this.database.exec("ROLLBACK")
      if (!(thrown instanceof Irregular) || thrown.isTransient) throw thrown
      this.begin(listener)
      this.note(archive, thrown.detail)
      this.database.exec("COMMIT")
      return { _tag: "Irregular", detail: thrown.detail }
    }
  }

  /** Keeps what makes going on another day faster. */
  close(): void {
    this.begin({ progress: () => {}, waiting: () => {} })
    this.keepExtents()
    this.database.exec("COMMIT")
  }

  private begin({ waiting }: Listener): void {
    for (let tries = 0; ; tries++) {
      try {
        this.database.exec("BEGIN IMMEDIATE")
        break
      } catch (thrown) {
        if (Database.codeOf(thrown) !== Database.BUSY) throw thrown
        if (tries === 0) waiting()
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE)
      }
    }
    const version = Database.pragma(this.database, "data_version")
    if (version !== this.seen) this.forget()
    this.seen = version
  }

  /** Another process has written, or what was written is gone. */
  private forget(): void {
    this.interned.forget()
    this.last = undefined
  }

  private put(archive: Archive, fetch: Fetch, listener: Listener): Added {
    const chain = this.chain(archive.chain)
    const number = chain.last + 1
    const before = this.before(chain.id, chain.last)
    const firstRow = this.nextRow()
    const visitor: ArchiveScan.Visitor = {
      root: (window, entry) => {
        const look = this.interned.look(EntryLook.encode(window, entry), EntryLook.FOLDER)
        const seconds = RecordDecoder.secondsOf(entry)
        this.change(chain.id, number, 0, [{ name: 1, look, size: 0, seconds, nanos: entry.mtimeNanos }])
      },
      number: (parent, name) => this.interned.folder(parent, name),
      folder: (id, records) => this.folder(chain.id, number, id, records),
      progress: listener.progress,
    }
    const { entries, extents } = ArchiveScan.scan(archive.index, fetch, visitor, before)
    const lastRow = this.nextRow() - 1
    const { addArchive, setLast } = this.statements
    addArchive.run(archive.checksum, chain.id, number, entries, firstRow, lastRow, Number(archive.encrypted), null)
    setLast.run(number, chain.id)
    if (this.last?.chain !== chain.id || number % EXTENTS_EVERY === 0) this.keepExtents()
    this.last = { chain: chain.id, number, extents, isStored: false }
    return { _tag: "Added", entries, versions: lastRow + 1 - firstRow }
  }

  /** That an archive cannot be in the index. */
  private note({ chain, checksum, encrypted }: Archive, problem: string): void {
    this.statements.addArchive.run(checksum, this.chain(chain).id, 0, 0, 0, -1, Number(encrypted), problem)
  }

  private chain(name: string): { readonly id: number; readonly last: number } {
    const { addChain, findChain } = this.statements
    const known = findChain.get(name) as { id: number; last: number } | undefined
    return known ?? { id: Number(addChain.run(name).lastInsertRowid), last: 0 }
  }

  private before(chain: number, last: number): Extents.Extents | undefined {
    if (this.last?.chain === chain && this.last.number === last) return this.last.extents
    const stored = this.statements.getExtents.get(chain, last) as { extents: Uint8Array } | undefined
    return stored === undefined ? undefined : Extents.decode(stored.extents)
  }

  private keepExtents(): void {
    if (this.last === undefined || this.last.isStored) return
    this.statements.setExtents.run(Extents.encode(this.last.extents), this.last.number, this.last.chain)
    this.last.isStored = true
  }

  private nextRow(): number {
    return (this.statements.lastRow.get() as { id: number }).id + 1
  }

  private folder(chain: number, number: number, folder: number, records: Records): void {
    const state = this.statements.getState.get(chain, folder) as { digest: Uint8Array } | undefined
    if (state !== undefined && Buffer.compare(state.digest, records.digest) === 0) return
    this.change(chain, number, folder, RecordDecoder.decode(records, this.interned))
    this.statements.setState.run(chain, folder, records.digest)
  }

  /** Makes what is in a folder what is there now. */
  private change(chain: number, number: number, folder: number, now: ReadonlyArray<RecordDecoder.Child>): void {
    const { addVersion, close, here } = this.statements
    const before = new Map<number, Live>()
    for (const live of here.all(chain, folder) as unknown as ReadonlyArray<Live>) before.set(live.name, live)
    for (const { look, name, nanos, seconds, size } of now) {
      const live = before.get(name)
      if (live !== undefined) {
        before.delete(name)
        if (live.look === look && live.size === size && live.seconds === seconds && live.nanos === nanos) continue
        close.run(number, live.id)
        if (this.interned.isFolder(live.look) && !this.interned.isFolder(look)) {
          this.closeFolder(chain, number, folder, name)
        }
      }
      addVersion.run(chain, folder, name, look, size, seconds, nanos, number)
    }
    for (const { id, look, name } of before.values()) {
      close.run(number, id)
      if (this.interned.isFolder(look)) this.closeFolder(chain, number, folder, name)
    }
  }

  /** Nothing is left of a folder. */
  private closeFolder(chain: number, number: number, parent: number, name: number): void {
    const { close, dropState, findFolder, here } = this.statements
    const pending: Array<readonly [parent: number, name: number]> = [[parent, name]]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { id: folder } = findFolder.get(...next) as { id: number }
      for (const live of here.all(chain, folder) as unknown as ReadonlyArray<Live>) {
        close.run(number, live.id)
        if (this.interned.isFolder(live.look)) pending.push([folder, live.name])
      }
      dropState.run(chain, folder)
    }
  }
}

const prepare = (database: DatabaseSync) => {
  const statement = (text: string): StatementSync => database.prepare(text)
  return {
    find: statement("SELECT problem FROM archive WHERE checksum = ?"),
    addArchive: statement("INSERT OR REPLACE INTO archive VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
    findChain: statement("SELECT id, last FROM chain WHERE name = ?"),
    addChain: statement("INSERT INTO chain (name, last) VALUES (?, 0)"),
    setLast: statement("UPDATE chain SET last = ? WHERE id = ?"),
    getExtents: statement("SELECT extents FROM chain WHERE id = ? AND extents_of = ?"),
    setExtents: statement("UPDATE chain SET extents = ?, extents_of = ? WHERE id = ?"),
    lastRow: statement("SELECT coalesce(max(id), 0) AS id FROM version"),
    getState: statement("SELECT digest FROM state WHERE chain = ? AND folder = ?"),
    setState: statement("INSERT OR REPLACE INTO state VALUES (?, ?, ?)"),
    dropState: statement("DELETE FROM state WHERE chain = ? AND folder = ?"),
    here: statement(
      "SELECT id, name, look, size, seconds, nanos FROM version WHERE chain = ? AND folder = ? AND gone IS NULL",
    ),
    close: statement("UPDATE version SET gone = ? WHERE id = ?"),
    addVersion: statement(
      "INSERT INTO version (chain, folder, name, look, size, seconds, nanos, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    findFolder: statement("SELECT id FROM folder WHERE parent = ? AND name = ?"),
  }
}
