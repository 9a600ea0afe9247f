/** Files and headings that the documents name are there. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = path.join(import.meta.dirname, "../..")
const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8")

const pages = fs
  .readdirSync(path.join(root, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`)
  .concat("README.md", "CONTRIBUTING.md", "fixtures/README.md")

/** A heading's anchor, as GitHub makes it. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-")

const anchors = (page: string) => [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading!))

const isMissing = (file: string) => fs.globSync(file, { cwd: root }).length === 0

/** What is written as code and is a path of this repository. The reference of the API is made, and not kept. */
const named = (page: string): ReadonlyArray<string> =>
  [...read(page).matchAll(/`((?:src|test|docs|fixtures|tools|bench|scripts|examples|\.ci)\/[^`\s]*)`/g)]
    .map(([, file]) => file!)
    .filter((file) => file !== "docs/api")

describe.each(pages)("%s", (page) => {
  it("names files that are there", () => {
    assert.deepStrictEqual(named(page).filter(isMissing), [])
  })

  it("names programs that are there, also where it does not say in which folder", () => {
    const files = new Set(
      fs
        .globSync("{*.config.ts,{src,test,tools/lint,scripts,bench,examples}/**/*.ts}", { cwd: root })
        .map((file) => path.basename(file)),
    )
    const programs = [...read(page).matchAll(/`([\w.]+\.ts)`/g)].map(([, file]) => file!)
    assert.deepStrictEqual(
      programs.filter((file) => !files.has(file)),
      [],
    )
  })

  it("has links that lead somewhere", () => {
    const broken = [...read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].filter(
      ([, file, heading]) => {
        const target = file === "" ? page : path.join(path.dirname(page), file!)
        return isMissing(target) || (heading !== undefined && !anchors(target).includes(heading))
      },
    )
    assert.deepStrictEqual(
      broken.map(([link]) => link),
      [],
    )
  })
})

it("the README links every page", () => {
  const linked = read("README.md")
  assert.deepStrictEqual(
    pages.filter((page) => page !== "README.md" && page !== "fixtures/README.md" && !linked.includes(`(${page})`)),
    [],
  )
})
