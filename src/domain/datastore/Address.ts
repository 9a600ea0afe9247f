/**
 * What a user types where a command takes an archive: a file or folder of this machine, or a repository elsewhere, and
 * what is meant within it.
 *
 * What exists on this machine wins; then a scheme; then a repository as the reference client writes it, which has a colon.
 * The reference within a repository starts at the first `::` outside brackets. The parser does not look at the disk: it is
 * told what is there (see `location`).
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import type { ErrorId } from "../ErrorId.ts"
import * as Reference from "./Reference.ts"
import * as RepositoryString from "./RepositoryString.ts"

/** Where backups are, and what is meant there. */
export type Address =
  /** A file, a folder of archives, or the folder of a datastore. */
  | { readonly _tag: "Path"; readonly path: string; readonly reference: Reference.Reference | undefined }
  /** `https:`, `http:`, `s3:`, `pbs:` or `place:` and what follows it. */
  | {
      readonly _tag: "Remote"
      readonly scheme: Scheme
      /** The whole location, with its scheme. */
      readonly location: string
      readonly reference: Reference.Reference | undefined
    }
  /** A datastore of a server. */
  | {
      readonly _tag: "Server"
      readonly repository: RepositoryString.RepositoryString
      readonly reference: Reference.Reference | undefined
    }

/** Schemes of locations that are not on this machine; `http` is like `https`. */
export type Scheme = "https" | "s3" | "pbs" | "place"

/** A text that is no address. */
export class AddressError extends Data.TaggedError("AddressError")<{
  /** What was typed. */
  readonly text: string
  /** The part that is wrong. */
  readonly part: "location" | "reference"
  readonly detail: string
}> {
  static readonly ids = { Any: "PXF-ADDRESS" } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return AddressError.ids.Any
  }
  override get message(): string {
    return `${this.text}: ${this.detail}`
  }
}

/** What is there on this machine under the whole text, and under its `location`. */
export interface Existing {
  readonly whole: boolean
  readonly location: boolean
}

/** The part of a text before the first `::` outside brackets. */
export const location = (text: string): string => text.slice(0, separator(text))

/** Reads an address. */
export const parse = (text: string, existing: Existing): Result.Result<Address, AddressError> => {
  const fail = (part: AddressError["part"], detail: string) => Result.fail(new AddressError({ text, part, detail }))
  if (existing.whole) return Result.succeed({ _tag: "Path", path: text, reference: undefined })
  const end = separator(text)
  const place = text.slice(0, end)
  if (place === "") return fail("location", "names no archive, folder or repository")
  const parsed = end === text.length ? undefined : Reference.parse(text.slice(end + 2))
  if (parsed !== undefined && Result.isFailure(parsed)) return fail("reference", parsed.failure)
  const reference = parsed?.success
  if (existing.location) return Result.succeed({ _tag: "Path", path: place, reference })
  const scheme = /^(https?|s3|pbs|place):/.exec(place)?.[1]
  if (scheme !== undefined) {
    const kind = scheme === "http" ? "https" : (scheme as Scheme)
    return Result.succeed({ _tag: "Remote", scheme: kind, location: place, reference })
  }
  // Whoever opens it says that it does not exist.
  if (!place.includes(":") || /^(?:\.{0,2}|~)\//.test(place))
    return Result.succeed({ _tag: "Path", path: place, reference })
  const repository = RepositoryString.parse(place)
  if (Result.isFailure(repository)) {
    return fail("location", `no such file or folder, and no repository: ${repository.failure}`)
  }
  return Result.succeed({ _tag: "Server", repository: repository.success, reference })
}

/** The text of an address. `parse` turns it into the same address where the location is what it was. */
export const format = (address: Address): string => {
  const place =
    address._tag === "Path"
      ? address.path
      : address._tag === "Remote"
        ? address.location
        : RepositoryString.format(address.repository)
  return address.reference === undefined ? place : `${place}::${Reference.format(address.reference)}`
}

/** Where the first `::` outside brackets is; the end of the text if there is none. */
const separator = (text: string): number => {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === "[") depth++
    else if (character === "]") depth = Math.max(0, depth - 1)
    else if (character === ":" && depth === 0 && text[at + 1] === ":") return at
  }
  return text.length
}
