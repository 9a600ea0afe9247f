/** What the tests of `src/domain` share. */
import { assert } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { type Entry, noAttributes } from "../../../src/domain/pxar/Entry.ts"
import type { Check, Kind } from "../../../src/domain/pxar/FormatError.ts"
import { FormatError, NeedBytes } from "../../../src/domain/pxar/FormatError.ts"
import * as Item from "../../../src/domain/pxar/Item.ts"

/** What `run` throws. */
export const thrownBy = (run: () => unknown): unknown => {
  try {
    run()
  } catch (thrown) {
    return thrown
  }
  return assert.fail("nothing was thrown")
}

/** Asserts that `run` throws a `FormatError` of this kind and check; returns it. */
export const assertFails = (run: () => unknown, kind: Kind, check: Check): FormatError => {
  const thrown = thrownBy(run)
  if (!(thrown instanceof FormatError)) return assert.fail(`threw ${String(thrown)}`)
  assert.deepStrictEqual({ kind: thrown.kind, check: thrown.check }, { kind, check }, thrown.message)
  return thrown
}

/** Asserts that `run` asks for the bytes before `end`. */
export const assertNeeds = (run: () => unknown, end: number): void => {
  const thrown = thrownBy(run)
  if (!(thrown instanceof NeedBytes)) return assert.fail(`threw ${String(thrown)}`)
  assert.strictEqual(thrown.end, end)
}

/** A window that begins at `base` of the archive. */
export const windowOf = (bytes: Uint8Array, base = 0): Item.Window => Item.makeWindow(bytes, base)

/** A folder without attributes, but for these fields. */
export const entryOf = (fields: Partial<Entry>): Entry => ({
  _tag: "Entry",
  start: 100,
  end: 160,
  mode: 0o40755,
  flags: 0n,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0n,
  mtimeNanos: 0,
  attributes: noAttributes,
  body: { _tag: "Directory", contentsStart: 156 },
  findings: [],
  ...fields,
})

export const hex = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString("hex")

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

const integer = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum, maximum }))))

export const anyByte = integer(0, 0xff)
export const anyU32 = integer(0, 0xffff_ffff)
/** Offsets as far as they are exact. */
export const anyOffset = integer(0, Number.MAX_SAFE_INTEGER)
export { integer as anyInteger }

/** Byte strings of up to `maxLength` bytes, all values equally likely. */
export const anyBytes = (maxLength: number) =>
  Arbitrary.map(Arbitrary.array(anyByte, { maxLength }), (bytes) => Uint8Array.from(bytes))
