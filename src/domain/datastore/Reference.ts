/**
 * What is meant within a repository: `[ns/NAME/...]TYPE/ID/TIME[/ARCHIVE[/PATH]]`, of which the end may be left out.
 *
 * The time is one that exists, the beginning of one (`2026-03`), or `latest`; which backup that is depends on what is there
 * and is told by the repository.
 */
import * as Result from "effect/Result"
import * as Bytes from "../Bytes.ts"
import * as PathText from "../PathText.ts"
import * as Namespace from "./Namespace.ts"
import { isSafeId } from "./SafeId.ts"
import * as SnapshotId from "./SnapshotId.ts"

/** A reference; what follows a part that is left out is left out too. */
export interface Reference {
  readonly namespace: Namespace.Namespace
  readonly type: SnapshotId.BackupType | undefined
  readonly id: string | undefined
  /** `latest`, or the beginning of a time's text. */
  readonly time: string | undefined
  /** Name of an archive, image or blob, as it is shown or as it is stored. */
  readonly archive: string | undefined
  /** Within the archive, without a slash before it; empty for the archive itself. */
  readonly path: Uint8Array
}

/** The whole repository. */
export const whole: Reference = {
  namespace: Namespace.root,
  type: undefined,
  id: undefined,
  time: undefined,
  archive: undefined,
  path: Bytes.empty,
}

/** In place of a time: the newest backup of the group. */
export const LATEST = "latest"

/** Reads a reference. The failure says what is wrong. */
export const parse = (text: string): Result.Result<Reference, string> => {
  const names = text.replace(/^\/+/, "").split("/")
  const levels: Array<string> = []
  while (names[0] === "ns" && names.length > 1) levels.push(...names.splice(0, 2).slice(1))
  // A slash after the last name says nothing more.
  if (levels.at(-1) === "" && names.length === 0) levels.pop()
  const namespace = levels.includes("")
    ? Result.fail(`a name is missing after "ns/"`)
    : Namespace.parse(levels.join("/"))
  if (Result.isFailure(namespace)) return Result.fail(namespace.failure)
  if (names.length > 1 && names.length < 5 && names.at(-1) === "") names.pop()
  const [type, id, time, archive, ...path] = names
  const reference: Reference = {
    namespace: namespace.success,
    type: undefined,
    id: undefined,
    time: undefined,
    archive: undefined,
    path: PathText.parse(path.join("/").replace(/^\/+/, "")),
  }
  if (type === undefined || type === "") {
    return id === undefined ? Result.succeed(reference) : Result.fail("a name is missing before the first slash")
  }
  if (!SnapshotId.isType(type)) return Result.fail(`"${type}" is no type of backup: vm, ct or host`)
  if (id === undefined) return Result.succeed({ ...reference, type })
  if (!isSafeId(id)) return Result.fail(`"${id}" is no id of a backup`)
  if (time === undefined) return Result.succeed({ ...reference, type, id })
  if (time !== LATEST && !isTimePrefix(time)) {
    return Result.fail(`"${time}" is neither "latest" nor a time like 2026-03-01T12:00:00Z or the beginning of one`)
  }
  if (archive === undefined) return Result.succeed({ ...reference, type, id, time })
  if (!isSafeId(archive)) return Result.fail(`"${archive}" is no name of an archive`)
  return Result.succeed({ ...reference, type, id, time, archive })
}

/** The text of a reference; `parse` turns it into the same reference. */
export const format = (reference: Reference): string => {
  const { archive, id, namespace, path, time, type } = reference
  const names = [namespace.length === 0 ? undefined : Namespace.toPath(namespace), type, id, time, archive]
  const text = names.filter((name) => name !== undefined).join("/")
  return path.length === 0 ? text : `${text}/${PathText.print(path)}`
}

/** Whether a text could go on to be a time. */
export const isTimePrefix = (text: string): boolean =>
  text.length > 0 &&
  text.length <= TIME.length &&
  /^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ$/.test(text + TIME.slice(text.length))

const TIME = "0000-00-00T00:00:00Z"
