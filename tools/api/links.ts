/** Looks for links in a folder of HTML that lead nowhere: to a file that is not there, or to no heading of it. */
import * as fs from "node:fs"
import * as path from "node:path"

export interface BrokenLink {
  /** The page with the link, from the folder. */
  readonly page: string
  readonly link: string
}

/** All links of the pages in this folder that lead nowhere in it. What is elsewhere (`https:`) is not looked at. */
export const brokenLinks = (folder: string): ReadonlyArray<BrokenLink> => {
  const pages = new Map(
    fs.globSync("**/*.html", { cwd: folder }).map((page) => {
      const html = fs.readFileSync(path.join(folder, page), "utf8")
      return [page, { links: attributes(html, "href|src"), anchors: new Set(attributes(html, "id|name")) }] as const
    }),
  )
  const isBroken = (page: string, link: string): boolean => {
    if (/^[a-z]+:/.test(link)) return false
    const [file = "", anchor = ""] = link.split("#").map(decodeURIComponent)
    const target = file === "" ? page : path.join(path.dirname(page), file)
    if (!fs.existsSync(path.join(folder, target))) return true
    return anchor !== "" && pages.get(target)?.anchors.has(anchor) === false
  }
  return [...pages].flatMap(([page, { links }]) =>
    links.filter((link) => isBroken(page, link)).map((link) => ({ page, link })),
  )
}

const attributes = (html: string, names: string): ReadonlyArray<string> =>
  [...html.matchAll(new RegExp(` (?:${names})="([^"]*)"`, "g"))].map(([, value = ""]) => value.replaceAll("&amp;", "&"))
