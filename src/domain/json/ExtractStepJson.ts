/**
 * A line of `extract --dry-run --json`: one thing that would be done.
 */
import * as Schema from "effect/Schema"
import * as EntryKind from "../pxar/EntryKind.ts"
import * as JsonText from "./JsonText.ts"

/** `replace`: something that is there would go. `delete`: that too, because the archive does not have it. */
export const ExtractStepJson = Schema.Struct({
  action: Schema.Literals(["create", "replace", "delete"]),
  ...JsonText.Path,
  kind: Schema.Literals([...EntryKind.all, "hardlink"]),
  /** Bytes of content of a file. */
  size: Schema.optionalKey(JsonText.Count),
})
/** One thing that would be done, as a type. */
export type ExtractStepJson = typeof ExtractStepJson.Type

/** What is to be told of a step. */
export interface Step {
  readonly action: ExtractStepJson["action"]
  /** Without a slash at either end. */
  readonly path: Uint8Array
  readonly kind: ExtractStepJson["kind"]
  readonly size: number | undefined
}

/** A step as JSON; its path with a slash before it, as in all JSON of archives. */
export const make = ({ action, kind, path, size }: Step): ExtractStepJson => {
  const absolute = new Uint8Array(path.length + 1)
  absolute[0] = 0x2f
  absolute.set(path, 1)
  return { action, ...JsonText.path(absolute), kind, ...JsonText.optional("size", size) }
}
