/**
 * What is asked of a bucket: objects, whole or in part, and listings. Nothing is ever written.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { HttpClient, Request, Response } from "../http/HttpClient.ts"
import { type HttpError, permanent } from "../http/HttpError.ts"
import * as S3Answers from "./S3Answers.ts"
import type { Credentials } from "./S3Credentials.ts"
import { escape, type S3Place } from "./S3Place.ts"
import * as S3Signer from "./S3Signer.ts"

/** What a folder of keys has in it. */
export interface Listing {
  /** Names of objects, without what the folder's keys begin with. */
  readonly objects: ReadonlyArray<string>
  /** Names of folders below. */
  readonly folders: ReadonlyArray<string>
}

/** A bucket. */
export interface S3Client {
  readonly place: S3Place
  /** Asks for an object of a key. An answer that is no success is for `S3Answers.failure`. */
  readonly request: (key: string, request: Omit<Request, "url" | "sign">) => Effect.Effect<Response, HttpError>
  /** What is below a key that ends with a slash, or below the empty one; a level, and all pages of it. */
  readonly list: (prefix: string) => Effect.Effect<Listing, HttpError>
  /** The same from a list of all that is below, however deep: for services that leave out folders of folders. */
  readonly listAll: (prefix: string) => Effect.Effect<Listing, HttpError>
  /** Whether there is anything below a key that ends with a slash, by one page of either listing. */
  readonly has: (prefix: string, isDelimited: boolean) => Effect.Effect<boolean, HttpError>
}

/** Bytes of a page of 1000 keys of 1024 bytes, escaped. */
const MOST_OF_PAGE = 8 * 1024 * 1024
/** Pages of one folder: a datastore has no folder of more than 65,536 names. */
const MOST_PAGES = 10_000

interface Asked {
  readonly prefix: string
  readonly isDelimited: boolean
  readonly most: number | undefined
}

/**
 * Makes a client of a bucket; without credentials its requests are not signed. The service chooses the size of pages unless
 * given.
 */
export const make = (
  client: HttpClient,
  place: S3Place,
  credentials: Credentials | undefined,
  pageSize?: number,
): S3Client => {
  const sign = credentials === undefined ? undefined : S3Signer.make(credentials, place.region)

  const page = Effect.fnUntraced(function* (
    { isDelimited, most, prefix }: Asked,
    token: string | undefined,
  ): Effect.fn.Return<S3Answers.Page, HttpError> {
    const query = [
      ...(token === undefined ? [] : [["continuation-token", token]]),
      ...(isDelimited ? [["delimiter", "/"]] : []),
      ["encoding-type", "url"],
      ["list-type", "2"],
      ...(most === undefined ? [] : [["max-keys", String(most)]]),
      ["prefix", prefix],
    ].map(([name = "", value = ""]) => `${name}=${escape(value)}`)
    const url = `${place.url("")}?${query.join("&")}`
    const response = yield* client.request({ url, sign, limit: MOST_OF_PAGE })
    if (response.status !== 200) return yield* S3Answers.failure(response)
    const read = S3Answers.page(response.body)
    return Result.isSuccess(read) ? read.success : yield* permanent(url, "Failed", read.failure)
  })

  const list = Effect.fnUntraced(function* (
    prefix: string,
    isDelimited: boolean,
  ): Effect.fn.Return<Listing, HttpError> {
    const objects: Array<string> = []
    const folders = new Set<string>()
    let token: string | undefined
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const { keys, next, prefixes } = yield* page({ prefix, isDelimited, most: pageSize }, token)
      for (const key of keys) {
        const name = key.slice(prefix.length)
        const slash = name.indexOf("/")
        // The folder itself may be an object too, as some tools make them.
        if (slash >= 0) folders.add(name.slice(0, slash))
        else if (name !== "") objects.push(name)
      }
      for (const key of prefixes) folders.add(key.slice(prefix.length, -1))
      if (next === undefined) return { objects, folders: [...folders] }
      token = next
    }
    return yield* permanent(place.url(prefix), "TooLarge", `has more than ${MOST_PAGES} pages of names`)
  })

  return {
    place,
    request: (key, request) => client.request({ ...request, url: place.url(key), sign }),
    list: (prefix) => list(prefix, true),
    listAll: (prefix) => list(prefix, false),
    has: (prefix, isDelimited) =>
      Effect.map(
        page({ prefix, isDelimited, most: undefined }, undefined),
        ({ keys, prefixes }) => keys.length + prefixes.length > 0,
      ),
  }
}
