/**
 * Where backups stand in a mounted repository, made of what they are: `%type/%id/%time`, `%time/%id`, `%ns/%type-%id/%time`.
 *
 * Names are separated by slashes. In each `%type`, `%id`, `%time` and `%%` stand for a part of the backup or a percent sign;
 * `%ns` is a name of its own, and stands for all names of the namespace: for none in the root.
 */
import * as Result from "effect/Result"
import type { GroupId } from "./SnapshotId.ts"

/** A template, read. */
export interface PathTemplate {
  readonly text: string
  readonly names: ReadonlyArray<Name>
}

/** A name of the path: parts that are set side by side, or the names of the namespace. */
export type Name = "ns" | ReadonlyArray<Part>

/** Text as it is, or what is put in its place. */
export type Part = { readonly text: string } | "type" | "id" | "time"

const MAX_LENGTH = 200

/** Reads a template. The failure says what is wrong. */
export const parse = (text: string): Result.Result<PathTemplate, string> => {
  if (text.length > MAX_LENGTH) return Result.fail(`has more than ${MAX_LENGTH} characters`)
  const names: Array<Name> = []
  for (const name of text.split("/")) {
    if (name === "" || name === "." || name === "..") return Result.fail("has an empty name, . or ..")
    if (name === "%ns") {
      names.push("ns")
      continue
    }
    const parts = [...name.matchAll(/%(type|id|time|%)|([^%]+)|(%.?)/gs)].map(([whole, part, plain, wrong]) =>
      wrong !== undefined
        ? undefined
        : part === "type" || part === "id" || part === "time"
          ? part
          : { text: plain ?? whole.slice(1) },
    )
    if (name.includes("%ns")) return Result.fail("has %ns beside something else in one name")
    const known = parts.filter((part) => part !== undefined)
    if (known.length < parts.length) {
      return Result.fail("has a % before something else than type, id, time, ns or %")
    }
    if (name.includes("\0")) return Result.fail("has a zero byte")
    names.push(known)
  }
  const missing = (["id", "time"] as const).find((part) => !names.some((name) => name !== "ns" && name.includes(part)))
  if (missing !== undefined) return Result.fail(`lacks %${missing}, without which backups cannot be told apart`)
  return Result.succeed({ text, names })
}

/** Whether a name of a template is the same for all backups of a group. */
export const isOfGroup = (name: Name): boolean => name === "ns" || !name.includes("time")

/** The names of a path, of which `time` is that of the backup. */
export const expand = (
  names: ReadonlyArray<Name>,
  { id, namespace, type }: GroupId,
  time: string,
): ReadonlyArray<string> =>
  names.flatMap((name) =>
    name === "ns"
      ? namespace
      : [name.map((part) => (typeof part === "object" ? part.text : { id, time, type }[part])).join("")],
  )

/** Two groups whose backups would stand in one place, if there are such. */
export const clash = ({ names }: PathTemplate, groups: Iterable<GroupId>): readonly [GroupId, GroupId] | undefined => {
  const taken = new Map<string, GroupId>()
  for (const group of groups) {
    const path = expand(names, group, "%").join("/")
    const other = taken.get(path)
    if (other !== undefined) return [other, group]
    taken.set(path, group)
  }
  return undefined
}
