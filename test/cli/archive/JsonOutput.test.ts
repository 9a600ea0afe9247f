/** docs/json.md against the schemas, which the commands' tests hold against the real output. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
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

describe("docs/json.md", () => {
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
