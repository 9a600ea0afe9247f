/** docs/json.md against the schemas, which the commands' tests hold against the real output. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { DatastoreVerifyJson } from "../../../src/domain/json/DatastoreVerifyJson.ts"
import { DiffJson } from "../../../src/domain/json/DiffJson.ts"
import { ExtractStepJson } from "../../../src/domain/json/ExtractStepJson.ts"
import { InfoJson } from "../../../src/domain/json/InfoJson.ts"
import { ListJson } from "../../../src/domain/json/ListJson.ts"
import { LogJson } from "../../../src/domain/json/LogJson.ts"
import { ProgressJson } from "../../../src/domain/json/ProgressJson.ts"
import { CacheJson } from "../../../src/domain/json/CacheJson.ts"
import { KeyJson, SnapshotJson } from "../../../src/domain/json/SnapshotJson.ts"
import { StatusJson } from "../../../src/domain/json/StatusJson.ts"
import { VerifyJson } from "../../../src/domain/json/VerifyJson.ts"
import * as PathText from "../../../src/domain/PathText.ts"
import * as JsonSchemas from "./JsonSchemas.ts"

const document = fs.readFileSync(path.join(import.meta.dirname, "../../../docs/json.md"), "utf8")

/** The examples of a command. */
const examples = (output: JsonSchemas.Output): ReadonlyArray<string> =>
  [...document.matchAll(/^```jsonl (\w+)\n(.*?)^```$/gms)].flatMap(([, command, text]) =>
    command === output ? [text!] : [],
  )

/** Names of the members of all objects in a value. */
const members = (value: unknown): ReadonlyArray<string> =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value).flatMap(([key, member]) => (Array.isArray(value) ? [] : [key]).concat(members(member)))

/** Names of all members that a schema has, at any depth. */
const membersOf = (schema: Schema.Constraint): ReadonlySet<string> => {
  const found = new Set<string>()
  const collect = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return
    for (const [key, member] of Object.entries(value)) {
      if (key === "properties") for (const name of Object.keys(member as object)) found.add(name)
      collect(member)
    }
  }
  collect(Schema.toJsonSchemaDocument(schema))
  return found
}

/** A part of the document, from its heading to the next one. */
const part = (heading: string): string => {
  const found = document.split(/^## /m).find((text) => text.startsWith(heading))
  assert.isDefined(found, heading)
  return found
}

/** Words in backticks. */
const marked = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/`([^`]+)`/g)].flatMap(([, word]) => (/^[a-z_]+$/.test(word!) ? [word!] : []))

const EntryKinds = ["directory", "file", "symlink", "fifo", "socket", "chardev", "blockdev"]

const parts: ReadonlyArray<readonly [heading: string, schema: Schema.Constraint]> = [
  ["`list --json`", ListJson],
  ["`info --json`", InfoJson],
  ["`verify --json`", VerifyJson],
  ["`diff --json`", DiffJson],
  ["`extract --dry-run --json`", ExtractStepJson],
  ["`status --json`", StatusJson],
  ["`snapshots --json`", SnapshotJson],
  ["`keys --json`", KeyJson],
  ["`cache --json`", CacheJson],
  ["`verify --json`, of a datastore", DatastoreVerifyJson],
  ["`--progress json`", ProgressJson],
  ["`--log-format json`", LogJson],
]

describe("docs/json.md", () => {
  it.each(parts)("says in %s what every member of the schema is", (heading, schema) => {
    // What is said once for all: paths, errors, and entries, which `list` explains.
    const common = marked(part("Conventions") + part("`list --json`"))
    const named = new Set([...common, ...marked(part(heading)), ...(heading.includes("info") ? EntryKinds : [])])
    for (const member of membersOf(schema)) {
      const name = member.replace(/(?<=^(path|name|target|hardlink|mount_point))_hex$/, "")
      assert.isTrue(named.has(name), `${member} is not explained`)
    }
  })

  it.each(parts)("has in the table of %s no member that the schema has not", (heading, schema) => {
    const members = membersOf(schema)
    for (const [, first] of part(heading).matchAll(/^\| (`[^|]*?) +\|/gm)) {
      // The tables of a difference name changes and attributes, which are values.
      if (heading.includes("diff")) continue
      for (const name of marked(first!)) assert.isTrue(members.has(name), `${name} is in no schema`)
    }
  })

  it.each(JsonSchemas.outputs)("has examples of %s that are as the schema says", (output) => {
    const texts = examples(output)
    assert.isAtLeast(texts.length, 1)
    for (const text of texts) assert.isAtLeast(JsonSchemas.parse(output, text).length, 1)
  })

  it.each(JsonSchemas.outputs)("names every member in its examples of %s", (output) => {
    const named = new Set([...document.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name))
    // Members of what is given as it is found, operations of the kernel, and hex twins, which are explained once for all.
    const exempt = (name: string): boolean => name === "exclude-patterns" || /^[A-Z]+$/.test(name)
    for (const text of examples(output)) {
      for (const line of JsonSchemas.parse(output, text)) {
        for (const member of members(line)) {
          const name = member.replace(/(?<=^(path|name|target|hardlink|mount_point))_hex$/, "")
          assert.isTrue(named.has(name) || exempt(name), `${member} is not explained`)
        }
      }
    }
  })

  it("has texts and hex twins that fit", () => {
    const pairs = [...document.matchAll(/"path":("(?:[^"\\]|\\.)*"),"path_hex":"([0-9a-f]+)"/g)]
    assert.isAtLeast(pairs.length, 1)
    for (const [, text, hex] of pairs) {
      assert.strictEqual(Buffer.from(PathText.parse(JSON.parse(text!) as string)).toString("hex"), hex)
    }
  })
})
