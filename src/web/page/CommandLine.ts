/**
 * What to type for what is on the screen.
 */
import * as Route from "./Route.ts"

const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`

/** The address and the path that mean a place, as commands take them. */
const operands = (address: string, isDatastore: boolean, path: string): ReadonlyArray<string> => {
  if (path === "/") return [address]
  if (!isDatastore) return [address, path.slice(1)]
  const names = Route.names(path)
  const time = names.findIndex((name) => /^\d{4}-\d\d-\d\dT/.test(name))
  const end = time < 0 ? names.length : Math.min(names.length, time + 2)
  const within = names.slice(0, end).join("/")
  const whole = address.includes("::") ? `${address.replace(/\/$/, "")}/${within}` : `${address}::${within}`
  const rest = names.slice(end).join("/")
  return rest === "" ? [whole] : [whole, rest]
}

const command = (words: ReadonlyArray<string>): string => `pxar-fuse ${words.map(quote).join(" ")}`

/** Lists a folder; shows a file; extracts a selection. */
export const make = (
  address: string,
  isDatastore: boolean,
  folder: string,
  selected: ReadonlyArray<string>,
  file: string | undefined,
): string => {
  if (selected.length > 0) {
    const [place = "", at] = operands(address, isDatastore, folder)
    return command([
      "extract",
      place,
      "restored",
      ...selected.map((name) => (at === undefined ? name : `${at}/${name}`)),
    ])
  }
  if (file !== undefined) return command(["cat", ...operands(address, isDatastore, file)])
  return command(["list", "-l", ...operands(address, isDatastore, folder)])
}
