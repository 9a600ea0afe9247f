/**
 * The rows of `docs/errors.md`: what is written there is what `explain` says. The build puts the page beside the command.
 */
import * as fs from "node:fs"

/** An id of errors, as its row tells of it. */
export interface Row {
  readonly id: string
  /** The heading that the row is under. */
  readonly section: string
  readonly meaning: string
  readonly cause: string
  readonly remedy: string
}

/** Beside the bundled command; or where the source has it. */
const places = ["errors.md", "../../../docs/errors.md"]

/** All rows, in the order of the page. */
export const rows = (): ReadonlyArray<Row> => {
  const place = places.map((name) => new URL(name, import.meta.url)).find((url) => fs.existsSync(url))
  return place === undefined ? [] : parse(fs.readFileSync(place, "utf8"))
}

/** The rows of a page. */
export const parse = (page: string): ReadonlyArray<Row> => {
  let section = ""
  return page.split("\n").flatMap((line) => {
    const heading = /^## (.*)$/.exec(line)?.[1]
    if (heading !== undefined) section = heading
    const [, id, meaning = "", cause = "", remedy = ""] = line.split(/(?<!\\)\|/).map((cell) => plain(cell.trim()))
    return id?.startsWith("PXF-") === true ? [{ id, section, meaning, cause, remedy }] : []
  })
}

/** Text without what Markdown means by it. */
const plain = (text: string): string =>
  text
    .replaceAll("`", "")
    .replaceAll(String.raw`\|`, "|")
    .replace(/\[([^\]]*)\]\(([^)]*)\)/g, "$1 ($2)")
