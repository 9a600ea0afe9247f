/**
 * What all JSON of this project has in common: bytes as text, numbers of 64 bits, and one object a line (docs/json.md).
 *
 * Paths and names are given as `PathText` prints them and, where that is not the name itself, also in hex. Numbers of 64
 * bits are decimal strings, sizes and offsets (below 2^53) are numbers, times are seconds and nanoseconds. Members that
 * do not apply are left out.
 */
import * as Hexadecimal from "effect/encoding/Hex"
import * as Schema from "effect/Schema"
import * as PathText from "../PathText.ts"

/** A value that JSON can hold. */
export type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json }

/** Bytes in hex, two digits each. */
export const Hex = Schema.String.check(Schema.isPattern(/^([0-9a-f]{2})*$/))

/** A number of 64 bits in decimal. */
export const Decimal = Schema.String.check(Schema.isPattern(/^-?\d+$/))

/** A size, an offset or a number of things: at least 0 and below 2^53. */
export const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** A point in time, ISO 8601 in UTC with milliseconds. */
export const Time = Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/))

/** The members that hold a path. */
export const Path = { path: Schema.String, path_hex: Schema.optionalKey(Hex) }

/** The members that hold a path, as a type. */
export interface Path {
  readonly path: string
  readonly path_hex?: string
}

/** One line of output, which a terminal shows as it is. */
export const line = (value: object): string => `${PathText.safeJson(JSON.stringify(value))}\n`

/** Bytes in hex. */
export const hex = (bytes: Uint8Array): string => Hexadecimal.encode(bytes)

/** A text, and its bytes in hex where the text is not the name itself. */
export type Text<Key extends string> = { readonly [K in Key]: string } & { readonly [K in `${Key}_hex`]?: string }

/** `key` and, unless the text is the name itself, `key_hex`. */
export const text = <const Key extends string>(key: Key, bytes: Uint8Array): Text<Key> => {
  const printed = PathText.print(bytes)
  return (printed.includes("\\")
    ? { [key]: printed, [`${key}_hex`]: hex(bytes) }
    : { [key]: printed }) as unknown as Text<Key>
}

/** A path as an object with `path`, and `path_hex` where that is needed. */
export const path = (bytes: Uint8Array): Path => text("path", bytes)

/** An object with `key`, if there is a value. */
export const optional = <const Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { readonly [K in Key]?: Value } => (value === undefined ? none : { [key]: value }) as { readonly [K in Key]?: Value }

const none = {}
