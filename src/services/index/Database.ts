/**
 * The database of an index: a file of SQLite, made when it is first written to, for this user alone.
 *
 * An archive is a state of its chain, numbered in the order in which states came. A version of an entry is in the states
 * `since` … `gone` − 1 of its chain, or in all from `since` on. So what did not change from one archive to the next takes no
 * row and no byte. Nothing of an archive is changed once it is in: a row of `archive` and all that it means are written in
 * one transaction.
 */
import type * as Sqlite from "node:sqlite"

/** Another version of the tables has another number, and is made anew. */
const VERSION = 2

/** `pxfi` in ASCII. */
const APPLICATION = 0x70786669

const TABLES = `
CREATE TABLE chain (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, last INTEGER NOT NULL, extents BLOB, extents_of INTEGER);
CREATE TABLE archive (
  checksum BLOB PRIMARY KEY, chain INTEGER NOT NULL, number INTEGER NOT NULL, entries INTEGER NOT NULL,
  first_row INTEGER NOT NULL, last_row INTEGER NOT NULL, encrypted INTEGER NOT NULL, problem TEXT
) WITHOUT ROWID;
CREATE TABLE name (id INTEGER PRIMARY KEY, name NOT NULL UNIQUE);
CREATE VIRTUAL TABLE name_part USING fts5 (text, content = '', detail = none, columnsize = 0, tokenize = 'trigram case_sensitive 1');
CREATE TABLE folder (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, name INTEGER NOT NULL, UNIQUE (parent, name));
CREATE TABLE look (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL);
CREATE TABLE version (
  id INTEGER PRIMARY KEY, chain INTEGER NOT NULL, folder INTEGER NOT NULL, name INTEGER NOT NULL, look INTEGER NOT NULL,
  size INTEGER NOT NULL, seconds INTEGER NOT NULL, nanos INTEGER NOT NULL, since INTEGER NOT NULL, gone INTEGER
);
CREATE INDEX version_name ON version (name, chain, folder);
CREATE INDEX version_here ON version (chain, folder) WHERE gone IS NULL;
CREATE INDEX version_gone ON version (chain, folder) WHERE gone IS NOT NULL;
CREATE TABLE state (chain INTEGER NOT NULL, folder INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (chain, folder)) WITHOUT ROWID;
INSERT INTO name VALUES (1, '');
INSERT INTO folder VALUES (1, 0, 1);
`

/** Kilobytes of pages that a process which writes keeps, and one which asks. */
const CACHE = { write: 32_768, read: 32_768 } as const

/** SQLite's own numbers of what can be wrong. */
export const BUSY = 5
const CORRUPT = 11
const NOT_A_DATABASE = 26

/** What SQLite says is wrong; `undefined` of anything else. */
export const codeOf = (thrown: unknown): number | undefined => {
  const code = (thrown as { readonly errcode?: unknown }).errcode
  return typeof code === "number" ? code & 0xff : undefined
}

/** Whether the file is none of a database, or of a damaged one: it has to be made anew. */
export const isDamaged = (thrown: unknown): boolean =>
  thrown instanceof Foreign || [CORRUPT, NOT_A_DATABASE].includes(codeOf(thrown) ?? 0)

/** The file has other tables. */
class Foreign extends Error {}

/** What can be wrong with this build of Node. */
export class NoSqlite extends Error {}

/**
 * Opens the database. Throws `NoSqlite` where Node has none that can do what is needed, and what SQLite throws. To be
 * asked, a database must be there and have the tables of this version: otherwise there is none.
 */
export const open = async (file: string, use: "write" | "read"): Promise<Sqlite.DatabaseSync | undefined> => {
  const sqlite = await load()
  return patiently(() => openNow(sqlite, file, use))
}

const openNow = (sqlite: typeof Sqlite, file: string, use: "write" | "read"): Sqlite.DatabaseSync | undefined => {
  const database = new sqlite.DatabaseSync(file, { readOnly: use === "read", timeout: 0 })
  try {
    database.exec(`PRAGMA cache_size = -${CACHE[use]}; PRAGMA busy_timeout = 5000`)
    const isMade = isOurs(database)
    if (use === "read") {
      if (!isMade) database.close()
      return isMade ? database : undefined
    }
    // Of a database that is made now; 5 % less CPU than with pages of 4 KiB, and 3 % less on disk.
    database.exec("PRAGMA page_size = 8192")
    // Where the file system cannot do that, the answer is another mode, which will do, too.
    database.exec("PRAGMA journal_mode = WAL")
    database.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 2000")
    if (!isMade) {
      database.exec("BEGIN IMMEDIATE")
      if (!isOurs(database)) {
        if (pragma(database, "schema_version") !== 0) throw new Foreign("it has the tables of something else")
        database.exec(`${TABLES} PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${VERSION}`)
      }
      database.exec("COMMIT")
    }
    return database
  } catch (thrown) {
    database.close()
    throw thrown
  }
}

/** Milliseconds between two tries, and how many there are. */
const PAUSE = 50
const TRIES = 400

/**
 * Tries again while another process has the file to itself: while it makes or closes it SQLite's own patience does not hold.
 */
export const patiently = <A>(use: () => A): A => {
  for (let tries = 1; ; tries++) {
    try {
      return use()
    } catch (thrown) {
      if (codeOf(thrown) !== BUSY || tries === TRIES) throw thrown
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE)
    }
  }
}

const isOurs = (database: Sqlite.DatabaseSync): boolean =>
  pragma(database, "application_id") === APPLICATION && pragma(database, "user_version") === VERSION

/** The number that a PRAGMA gives. */
export const pragma = (database: Sqlite.DatabaseSync, name: string): number =>
  Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number

/** SQLite with what is needed of it. Its warning that it is experimental is not for whoever runs a command. */
const load = async (): Promise<typeof Sqlite> => {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    const sqlite = await import("node:sqlite")
    const probe = new sqlite.DatabaseSync(":memory:")
    probe.exec("CREATE VIRTUAL TABLE probe USING fts5 (text, detail = none, tokenize = 'trigram')")
    probe.close()
    return sqlite
  } catch (thrown) {
    throw new NoSqlite(`node:sqlite with FTS5 is not there: ${(thrown as Error).message}`)
  } finally {
    process.emitWarning = emitWarning
  }
}
