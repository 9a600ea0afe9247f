/**
 * Numbers of names, looks and folders in the database: each is there once. What was used last is remembered.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import * as EntryLook from "./EntryLook.ts"
import * as NameText from "./NameText.ts"

/** Names, and looks, that are remembered: some 100 bytes each. */
const REMEMBERED = 100_000

export class Interned {
  private readonly names = new Map<string, number>()
  private readonly looks = new Map<string, number>()
  private readonly kinds = new Map<number, number>()
  private readonly statements: Readonly<Record<"addName" | "addPart" | "findName", StatementSync>> &
    Readonly<Record<"addLook" | "findLook" | "kindOf" | "addFolder" | "findFolder", StatementSync>>

  constructor(database: DatabaseSync) {
    this.statements = {
      addName: database.prepare("INSERT OR IGNORE INTO name (name) VALUES (?)"),
      addPart: database.prepare("INSERT INTO name_part (rowid, text) VALUES (?, ?)"),
      findName: database.prepare("SELECT id FROM name WHERE name = ?"),
      addLook: database.prepare("INSERT OR IGNORE INTO look (bytes, kind) VALUES (?, ?)"),
      findLook: database.prepare("SELECT id FROM look WHERE bytes = ?"),
      kindOf: database.prepare("SELECT kind FROM look WHERE id = ?"),
      addFolder: database.prepare("INSERT INTO folder (parent, name) VALUES (?, ?)"),
      findFolder: database.prepare("SELECT id FROM folder WHERE parent = ? AND name = ?"),
    }
  }

  /** The database is another than was remembered. */
  forget(): void {
    this.names.clear()
    this.looks.clear()
    this.kinds.clear()
  }

  name(bytes: Uint8Array): number {
    const stored = NameText.toStored(bytes)
    const key = NameText.key(stored)
    const known = this.names.get(key)
    if (known !== undefined) return known
    const { addName, addPart, findName } = this.statements
    const { changes, lastInsertRowid } = addName.run(stored)
    let id = Number(lastInsertRowid)
    if (changes === 1) addPart.run(id, NameText.searched(stored))
    else id = (findName.get(stored) as { id: number }).id
    remember(this.names, key, id)
    return id
  }

  look(bytes: Uint8Array, kind: number): number {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")
    const known = this.looks.get(key)
    if (known !== undefined) return known
    const { addLook, findLook } = this.statements
    const { changes, lastInsertRowid } = addLook.run(bytes, kind)
    const id = changes === 1 ? Number(lastInsertRowid) : (findLook.get(bytes) as { id: number }).id
    remember(this.looks, key, id)
    remember(this.kinds, id, kind)
    return id
  }

  isFolder(look: number): boolean {
    const known = this.kinds.get(look)
    if (known !== undefined) return known === EntryLook.FOLDER
    const { kind } = this.statements.kindOf.get(look) as { kind: number }
    remember(this.kinds, look, kind)
    return kind === EntryLook.FOLDER
  }

  folder(parent: number, name: Uint8Array): number {
    const { addFolder, findFolder } = this.statements
    const id = this.name(name)
    const known = findFolder.get(parent, id) as { id: number } | undefined
    return known?.id ?? Number(addFolder.run(parent, id).lastInsertRowid)
  }
}

/** Forgets half of what has been there longest when there is too much. */
const remember = <Key>(map: Map<Key, number>, key: Key, value: number): void => {
  map.set(key, value)
  if (map.size <= REMEMBERED) return
  let rest = REMEMBERED / 2
  for (const old of map.keys()) {
    if (rest-- === 0) break
    map.delete(old)
  }
}
