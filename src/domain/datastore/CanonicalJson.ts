/**
 * JSON as signatures of manifests cover it: no whitespace, keys in the order of their bytes, only whole numbers, no null
 * (datastore §4.4).
 */
import * as Result from "effect/Result"
import * as Bytes from "../Bytes.ts"

/** Deepest nesting: that of the reference implementation. */
const MAX_DEPTH = 128

/** The canonical text of a parsed JSON value; the failure says what has none. */
export const format = (value: unknown): Result.Result<string, string> => formatAt(value, MAX_DEPTH)

const formatAt = (value: unknown, depth: number): Result.Result<string, string> => {
  if (depth === 0) return Result.fail("is nested too deeply")
  if (typeof value === "string" || typeof value === "boolean") return Result.succeed(JSON.stringify(value))
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? Result.succeed(String(value)) : Result.fail(`${value} is no whole number`)
  }
  if (Array.isArray(value)) {
    return Result.map(Result.all(value.map((item) => formatAt(item, depth - 1))), (items) => `[${items.join(",")}]`)
  }
  if (typeof value !== "object" || value === null) return Result.fail("null has no canonical text")
  const members = Object.entries(value).toSorted(([a], [b]) => Bytes.compare(Bytes.fromText(a), Bytes.fromText(b)))
  return Result.map(
    Result.all(
      members.map(([key, member]) =>
        Result.map(formatAt(member, depth - 1), (text) => `${JSON.stringify(key)}:${text}`),
      ),
    ),
    (texts) => `{${texts.join(",")}}`,
  )
}
