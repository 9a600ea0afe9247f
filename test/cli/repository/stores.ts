/** What the tests of commands on datastores share. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import * as Command from "../../support/Command.ts"
import * as Datastores from "../../support/Datastores.ts"

export const plain = Datastores.store("datastore-plain")
export const encrypted = Datastores.store("datastore-encrypted")

/** The passphrase of a key file of the fixtures. */
export const passphrase = (key: string): string => Datastores.expected.keys[key]?.passphrase ?? ""

/** Variables without those about repositories and keys, in the time zone UTC; no key is in its default place. */
const environment = (): NodeJS.ProcessEnv => {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith("PBS_"))
  return { ...Object.fromEntries(others), TZ: "UTC", XDG_CONFIG_HOME: "/nonexistent", XDG_CONFIG_DIRS: "/nonexistent" }
}

/** Runs `pxar-fuse` with these variables. */
export const run = (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) =>
  Effect.map(Command.run(args, { env: { ...environment(), ...env } }), ({ code, stderr, stdout }) => ({
    code,
    stderr,
    stdout: stdout.toString(),
  }))

/** What it prints; the test fails if it says anything or ends otherwise. */
export const output = Effect.fnUntraced(function* (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) {
  const ended = yield* run(args, env)
  assert.deepStrictEqual([ended.code, ended.stderr], [0, ""], args.join(" "))
  return ended.stdout
})

/** What it says when it refuses, with this exit code and nothing printed. */
export const refusal = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  code: number,
  env: NodeJS.ProcessEnv = {},
) {
  const ended = yield* run(args, env)
  assert.deepStrictEqual([ended.code, ended.stdout], [code, ""], `${args.join(" ")}\n${ended.stderr}`)
  return ended.stderr
})

export const lines = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line !== "")
