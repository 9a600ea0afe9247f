/** What the tests of the reading commands share. */
import * as fs from "node:fs"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as B from "../support/ArchiveBuilder.ts"
import * as Command from "../support/Command.ts"
import * as Golden from "../support/Golden.ts"
import * as Processes from "../support/Processes.ts"
import { isRoot, need, NOBODY } from "../support/Requirements.ts"

/** How to run a command as somebody. */
export type As = Pick<Processes.Options, "uid" | "gid">

export const nobody: As = { uid: NOBODY, gid: NOBODY }

/** Registers tests for root and for an ordinary user; for the latter alone where the tests are run by one. */
export const asEveryUser = (what: string, tests: (as: As) => void): void => {
  describe(`${what}, as ${isRoot ? "root" : "an ordinary user"}`, () => tests({}))
  if (!isRoot) return
  describe(`${what}, as an ordinary user`, () => {
    beforeEach(need({ root: true, otherUsers: true }))
    tests(nobody)
  })
}

/** Runs `pxar-fuse`; times are in UTC. */
export const run = (args: ReadonlyArray<string>, as: As = {}) =>
  Command.run(args, { ...as, env: { ...process.env, TZ: "UTC" } })

/** Runs it and fails the test unless the exit code is this one and stderr says all of these, and nothing otherwise. */
export const expectRun = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  code: number,
  saying: ReadonlyArray<string> = [],
  as: As = {},
) {
  const ended = yield* run(args, as)
  const what = `pxar-fuse ${args.join(" ")}\n${ended.stderr}`
  assert.strictEqual(ended.code, code, what)
  for (const part of saying) assert.include(ended.stderr, part, what)
  if (saying.length === 0) assert.strictEqual(ended.stderr, "", what)
  return ended.stdout.toString()
})

/** Runs a shell script; `$@` is the command line of `pxar-fuse` with these arguments. */
export const shell = (script: string, ...args: ReadonlyArray<string>) =>
  Processes.run("sh", ["-c", script, "sh", process.execPath, Command.MAIN, ...args])

/** Registers a test for every golden archive. */
export const onEveryGolden = (
  what: string,
  test: (golden: Golden.Golden) => Effect.Effect<void, never, Scope.Scope>,
) => {
  for (const golden of Golden.all) it.live(`${what}: ${golden.name}`, () => test(golden))
}

/** The payload archive that `--payload` has to name, for the archive that has none beside it. */
export const payloadOf = (golden: Golden.Golden): ReadonlyArray<string> =>
  golden.payload === undefined || golden.payload.replace(/ppxar$/, "mpxar") === golden.archive
    ? []
    : ["--payload", golden.payload]

/** Writes an archive of a test's own, with its payload archive beside it if it is split and has one; its path. */
export const writeArchive = Effect.fnUntraced(function* (
  { bytes, payload }: Pick<B.Built, "bytes"> & Partial<Pick<B.Built, "payload">>,
  name?: string,
) {
  const split = payload !== undefined && bytes.readBigUInt64LE() === B.Type.FORMAT_VERSION
  const archive = yield* Command.write(name ?? (split ? "test.mpxar" : "test.pxar"), bytes)
  if (split) fs.writeFileSync(archive.replace(/mpxar$/, "ppxar"), payload)
  return archive
})
