/**
 * `npm run --silent release:notes -- vX.Y.Z`: prints what CHANGELOG.md says of a release. Fails, and says why, if this is not
 * ready to be released under that tag.
 */
import { readFileSync } from "node:fs"
import * as path from "node:path"

interface Manifest {
  readonly version: string
  readonly repository: { readonly url: string }
}

/** What is printed for a tag, or what stands against the release. */
export const notes = (
  tag: string,
  { repository, version }: Manifest,
  changes: string,
): { readonly notes: string } | { readonly refused: string } => {
  if (tag !== `v${version}`) return { refused: `${tag} is not v${version}, the version in package.json` }
  if (repository.url.includes("OWNER")) {
    return { refused: "package.json still has OWNER in its addresses: put the owner of the repository there" }
  }
  const [heading = "", ...lines] =
    changes
      .split(/^## /m)
      .find((part) => part.startsWith(`${version},`))
      ?.split("\n") ?? []
  if (!/, \d{4}-\d\d-\d\d$/.test(heading)) {
    return { refused: `CHANGELOG.md has no heading "## ${version}, YYYY-MM-DD"` }
  }
  return { notes: `${lines.join("\n").trim()}\n` }
}

if (import.meta.main) {
  const read = (file: string): string => readFileSync(path.join(import.meta.dirname, "..", file), "utf8")
  const result = notes(process.argv[2] ?? "", JSON.parse(read("package.json")), read("CHANGELOG.md"))
  if ("refused" in result) {
    process.stderr.write(`${result.refused}\n`)
    process.exitCode = 1
  } else process.stdout.write(result.notes)
}
