/**
 * Why a pattern may have left out nothing, in words for the one who wrote it.
 */
import * as path from "node:path"
import type * as ExcludePattern from "../../domain/pxar/ExcludePattern.ts"
import * as PathText from "../../domain/PathText.ts"

/** What to say of the pattern `text`, by which nothing in the folder `source` was left out, or kept. */
export const explain = (text: Uint8Array, pattern: ExcludePattern.Pattern, source: string): string => {
  const what = pattern.excludes ? "this pattern has left out nothing" : "this pattern has kept nothing"
  const hint = hintFor(PathText.print(text).replace(/^!/, ""), pattern, path.resolve(source))
  return hint === undefined ? what : `${what}: ${hint}`
}

const hintFor = (text: string, pattern: ExcludePattern.Pattern, source: string): string | undefined => {
  if (text.startsWith("./")) return `no path in an archive begins with ./; "${text.slice(1)}" is that of the top folder`
  if (/(^|\/)\.\.?(\/|$)/.test(text)) return "no path in an archive has . or .. in it"
  if (text.includes("//")) return "no path in an archive has two slashes in a row"
  if (source !== "/" && (text === source || text.startsWith(`${source}/`))) {
    const inside = text.slice(source.length)
    return inside === "" || inside === "/"
      ? "it is the folder that is archived"
      : `patterns are paths in the archive, so it should be "${inside}"`
  }
  if (text.startsWith("/"))
    return "a slash at the beginning stands for the folder that is archived, not for the root of this machine"
  return pattern.foldersOnly ? "with a slash at the end it matches folders only" : undefined
}
