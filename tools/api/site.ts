/**
 * Makes the site in `site/`: the README, all pages of `docs/`, the manual page, the pictures, and the reference of the API.
 *
 * It is what typedoc makes of them: light or dark as the reader's system is, with a search, and it works from a folder
 * without a server. Ends with 1 if a link in it leads nowhere.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import {
  Application,
  type CommentDisplayPart,
  DeclarationReflection,
  DocumentReflection,
  type ProjectReflection,
  SignatureReflection,
  TSConfigReader,
  TypeDocReader,
} from "typedoc"
import { manPage } from "../../scripts/manPage.ts"
import { brokenLinks } from "./links.ts"
import { toMarkdown } from "./manual.ts"

const root = path.join(import.meta.dirname, "../..")
const out = path.join(root, "site")

/** Where the README's table has a page; those that it does not have come last. */
const placeIn = (order: string, page: string): number => {
  const place = order.indexOf(`| [${page}.md](`)
  return place < 0 ? order.length : place
}

/** Markdown in which headings have no code: typedoc makes the anchors and the table of contents of plain text only. */
const plainHeadings = (parts: ReadonlyArray<CommentDisplayPart>): Array<CommentDisplayPart> => {
  let line = ""
  return parts.map((part) => {
    const isInHeading = part.kind === "code" && /^#+ /.test(line)
    const text = isInHeading ? part.text.replaceAll("`", "").replaceAll(/[<>*_|[\]]/g, String.raw`\$&`) : part.text
    line = text.includes("\n") ? text.slice(text.lastIndexOf("\n") + 1) : line + text
    return isInHeading ? { kind: "text", text } : { ...part, text }
  })
}

/** The first heading. */
const titleOf = (parts: ReadonlyArray<CommentDisplayPart>): string | undefined =>
  /^# (.*)\n/.exec(parts.map(({ text }) => text).join(""))?.[1]?.replaceAll(/\\(.)/g, "$1")

/** What a class of Effect has from a type without a name cannot be linked to. */
const forgetNameless = (project: ProjectReflection): void => {
  for (const reflection of Object.values(project.reflections)) {
    if (reflection instanceof DeclarationReflection || reflection instanceof SignatureReflection) {
      if (reflection.inheritedFrom?.reflection?.parent?.name === "__type") delete reflection.inheritedFrom
    }
  }
}

/** The pages under the names that they have in their first line, in the order of the README. */
const arrange = (project: ProjectReflection): void => {
  const order = fs.readFileSync(path.join(root, "README.md"), "utf8")
  const places = new Map<DocumentReflection, number>()
  for (const page of project.documents ?? []) {
    places.set(page, placeIn(order, page.name))
    page.content = plainHeadings(page.content)
    page.name = titleOf(page.content) ?? page.name
  }
  // The project's name is the title of its first page already.
  const first = project.readme?.[0]
  if (first !== undefined) first.text = first.text.replace(/^# .*\n/, "")
  project.documents?.sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0))
  project.childrenIncludingDocuments = [...(project.documents ?? []), ...(project.children ?? [])]
}

const app = await Application.bootstrapWithPlugins({ options: path.join(import.meta.dirname, "site.json") }, [
  new TypeDocReader(),
  new TSConfigReader(),
])
const project = await app.convert()
if (project === undefined) process.exit(1)
const text = `# Manual page\n\n${toMarkdown(await Effect.runPromise(manPage))}`
project.addChild(new DocumentReflection("Manual page", project, [{ kind: "text", text }], {}))
arrange(project)
forgetNameless(project)
app.validate(project)
fs.rmSync(out, { recursive: true, force: true })
await app.generateOutputs(project)

const broken = brokenLinks(out)
for (const { link, page } of broken) process.stderr.write(`${page}: ${link} leads nowhere\n`)
if (broken.length > 0 || app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1
