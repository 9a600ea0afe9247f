/**
 * Where in a datastore groups of backups are: a path of up to 7 names (datastore §1.3).
 *
 * It has two texts. On disk, and in references, every level has a folder `ns` before it (`ns/a/ns/b`); where only a
 * namespace can stand (`--namespace`) it is `a/b`.
 */
import * as Result from "effect/Result"
import { isSafeId } from "./SafeId.ts"

/** The names from the root on; none for the root itself. */
export type Namespace = ReadonlyArray<string>

/** The namespace of a datastore that all others are in. */
export const root: Namespace = []

/** Most levels. */
export const MAX_DEPTH = 7
/** Most characters of the text `a/b`. */
export const MAX_LENGTH = 256

/** Reads the text `a/b`; the empty one is the root. The failure says what is wrong. */
export const parse = (text: string): Result.Result<Namespace, string> => {
  if (text === "") return Result.succeed(root)
  const names = text.split("/")
  const wrong = names.find((name) => !isSafeId(name))
  if (wrong !== undefined) return Result.fail(`"${wrong}" is no name of a namespace`)
  if (names.length > MAX_DEPTH) return Result.fail(`a namespace has at most ${MAX_DEPTH} levels`)
  if (text.length > MAX_LENGTH) return Result.fail(`a namespace has at most ${MAX_LENGTH} characters`)
  return Result.succeed(names)
}

/** The text `a/b`; empty for the root. */
export const format = (namespace: Namespace): string => namespace.join("/")

/** The text as on disk, `ns/a/ns/b`; empty for the root. */
export const toPath = (namespace: Namespace): string => namespace.map((name) => `ns/${name}`).join("/")
