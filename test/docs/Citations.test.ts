/**
 * What comments and messages cite is there: each `§4.2` is a heading of docs/format.md, each `datastore §2.6` one of
 * docs/datastore.md, each `server §6.1` one of docs/server.md, each `bucket §1` one of docs/bucket.md, each `fuse-protocol §4` one of docs/fuse-protocol.md, and each check such as D9 a row of its tables.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = path.join(import.meta.dirname, "../..")
const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8")

/** The documents that are cited, by the word before `§`; without one it is the format. */
const documents = new Map([
  ["", "docs/format.md"],
  ["datastore", "docs/datastore.md"],
  ["server", "docs/server.md"],
  ["bucket", "docs/bucket.md"],
  ["fuse-protocol", "docs/fuse-protocol.md"],
])

/** The sections of a document: headings, and the rules of a list, which begin with their number in bold. */
const sections = new Map(
  [...documents].map(([name, file]) => [
    name,
    new Set([...read(file).matchAll(/^(?:#+|- \*\*)\s*§(\d+(?:\.\d+)?)\b/gm)].map(([, number]) => number!)),
  ]),
)
const checks = new Set([...read("docs/format.md").matchAll(/^\| ([A-Z]\d+)\b/gm)].map(([, id]) => id!))

/** Lines of a comment as one line, so that a citation may be broken between words. */
const unwrapped = (text: string) => text.replace(/\n[ \t]*(?:\*|\/\/)?[ \t]*/g, " ")

/**
 * The citations of a text, as document and section. In a list or a range the document is said once. Of another document
 * only an RFC is cited.
 */
const citations = (text: string): ReadonlyArray<readonly [string, string]> => {
  const found: Array<readonly [string, string]> = []
  const pattern =
    /(RFC \d+ |datastore |server |bucket |fuse-protocol )?(§\d+(?:\.\d+)*(?:(?:–|, | and | to )§\d+(?:\.\d+)*)*)/g
  for (const [, name = "", list = ""] of unwrapped(text).matchAll(pattern)) {
    if (name.startsWith("RFC")) continue
    for (const [, number] of list.matchAll(/§([\d.]+)/g)) found.push([name.trim(), number!])
  }
  return found
}

const isMissing = ([name, number]: readonly [string, string]) => !sections.get(name)!.has(number)

/** Comments and texts of a program; what is neither can hold no citation. */
const prose = (program: string) =>
  (program.match(/\/\*[^]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g) ?? []).join("\n")

const programs = ["src", "test", "bench", "scripts", "examples"]
  .flatMap((folder) =>
    fs.readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`),
  )
  .filter((file) => file.endsWith(".ts") && file !== "test/docs/Citations.test.ts")

const pages = fs
  .readdirSync(path.join(root, "docs"))
  .filter((name) => name.endsWith(".md") && ![...documents.values()].includes(`docs/${name}`))
  .map((name) => `docs/${name}`)
  .concat("README.md", "CONTRIBUTING.md")

describe("citations", () => {
  it("of sections lead to a heading, in programs and documents", () => {
    const missing = [...programs, ...pages].flatMap((file) =>
      citations(read(file))
        .filter(isMissing)
        .map(([name, number]) => `${file}: ${name} §${number}`),
    )
    assert.deepStrictEqual(missing, [])
  })

  it.each([...documents])("of sections of its own lead to a heading, in %s %s", (name, file) => {
    const own = citations(read(file)).map(([, number]) => [name, number] as const)
    assert.isNotEmpty(own)
    assert.deepStrictEqual(own.filter(isMissing), [])
  })

  it("of checks lead to a row of a table", () => {
    const missing = programs.flatMap((file) =>
      [...prose(read(file)).matchAll(/\b(?!V8\b)[HAPDNELRV][1-9]\d?\b/g)]
        .map(([id]) => id)
        .filter((id) => !checks.has(id))
        .map((id) => `${file}: ${id}`),
    )
    assert.deepStrictEqual(missing, [])
  })

  it("of failure classes of a datastore lead to a row of its §8", () => {
    const named = [...read("src/domain/datastore/DatastoreFault.ts").matchAll(/^ {2}\| "(\w+)"$/gm)].map(
      ([, id]) => id!,
    )
    const [, table = ""] = /^## §8([^]*?)^## §9/m.exec(read("docs/datastore.md"))!
    assert.isAbove(named.length, 20)
    assert.deepStrictEqual(
      named.filter((id) => !table.includes(`\`${id}\``)),
      [],
    )
  })

  it("find every check that a reader makes", () => {
    const counts = { H: 6, A: 6, P: 5, D: 11, N: 4, E: 8, L: 3, R: 1, V: 3 }
    const all = Object.entries(counts).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
    )
    assert.deepStrictEqual([...checks].toSorted(), all.toSorted())
  })
})
