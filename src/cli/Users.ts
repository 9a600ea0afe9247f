/**
 * Names of users and groups of this machine, as passwd(5) and group(5) have them; those of a directory service stay
 * numbers.
 */
import * as fs from "node:fs"
import * as PathText from "../domain/PathText.ts"

/** Where the names are. */
export type Kind = "passwd" | "group"

/** Numbers and names, the first of equal ones. */
interface Table {
  readonly nameOf: ReadonlyMap<number, string>
  readonly idOf: ReadonlyMap<string, number>
}

const read = (kind: Kind): Table => {
  const nameOf = new Map<number, string>()
  const idOf = new Map<string, number>()
  for (const line of textOf(`/etc/${kind}`).split("\n")) {
    const [name = "", , id = ""] = line.split(":")
    if (name === "" || !/^\d+$/.test(id)) continue
    if (!nameOf.has(Number(id))) nameOf.set(Number(id), PathText.safe(name))
    if (!idOf.has(name)) idOf.set(name, Number(id))
  }
  return { nameOf, idOf }
}

/** A machine without such a file has no names. */
const textOf = (file: string): string => {
  try {
    return fs.readFileSync(file, "utf8")
  } catch {
    return ""
  }
}

/** The number of a user or group; `undefined` if there is none of that name. */
export const id = (kind: Kind, name: string): number | undefined => read(kind).idOf.get(name)

/** What shows a number: the name, where there is one. */
export const names = (kind: Kind): ((id: number) => string) => {
  const { nameOf } = read(kind)
  return (id) => nameOf.get(id) ?? String(id)
}
