/**
 * What an S3 service answers, as XML: a page of a listing, or why it refuses.
 */
import { parseXml, XmlElement } from "@rgrove/parse-xml"
import * as Result from "effect/Result"
import type { Response } from "../http/HttpClient.ts"
import { fromStatus, type HttpError, permanent } from "../http/HttpError.ts"

/** A page of a listing. */
export interface Page {
  readonly keys: ReadonlyArray<string>
  /** Beginnings that several keys have in common, up to the delimiter and with it. */
  readonly prefixes: ReadonlyArray<string>
  /** To ask for the next page with. */
  readonly next: string | undefined
}

const decoder = new TextDecoder()

const childrenOf = (element: XmlElement, name: string): ReadonlyArray<XmlElement> =>
  element.children.filter((child): child is XmlElement => child instanceof XmlElement && child.name === name)

const textOf = (element: XmlElement, name: string): string | undefined => childrenOf(element, name)[0]?.text

/** Reads the answer of ListObjectsV2, whose keys are escaped as in a URL where it says so. */
export const page = (body: Uint8Array): Result.Result<Page, string> => {
  const root = rootOf(body)
  if (root?.name !== "ListBucketResult") return Result.fail("the answer is no listing: is the endpoint one of S3?")
  const isEscaped = textOf(root, "EncodingType") === "url"
  const key = (text = ""): string => (isEscaped ? decodeURIComponent(text.replaceAll("+", "%20")) : text)
  try {
    return Result.succeed({
      keys: childrenOf(root, "Contents").map((item) => key(textOf(item, "Key"))),
      prefixes: childrenOf(root, "CommonPrefixes").map((item) => key(textOf(item, "Prefix"))),
      next: textOf(root, "IsTruncated") === "true" ? textOf(root, "NextContinuationToken") : undefined,
    })
  } catch {
    return Result.fail("the answer has keys that are not escaped as it says")
  }
}

const rootOf = (body: Uint8Array): XmlElement | undefined => {
  try {
    return parseXml(decoder.decode(body)).root ?? undefined
  } catch {
    return undefined
  }
}

const hints: Readonly<Record<string, readonly [reason: HttpError["reason"], detail: string]>> = {
  NoSuchKey: ["NotFound", "is not there"],
  NoSuchBucket: ["Failed", "there is no such bucket at this endpoint"],
  AccessDenied: [
    "Denied",
    "access denied: reading needs the rights s3:GetObject and s3:ListBucket; without the latter, what is not there is denied too",
  ],
  InvalidAccessKeyId: ["Denied", "the access key is not known here"],
  SignatureDoesNotMatch: ["Denied", "the signature is wrong: check the secret key, and --s3-region"],
  ExpiredToken: ["Denied", "the session token has expired: get new credentials"],
  InvalidToken: ["Denied", "the session token is not valid"],
  RequestTimeTooSkewed: ["Denied", "the clock of this machine is wrong"],
  InvalidObjectState: ["Denied", "is in an archive of the provider's: restore it there first"],
}

/** Why a request failed. */
export const failure = ({ body, headers, status, url }: Response): HttpError => {
  const root = rootOf(body)
  const code = root === undefined ? undefined : textOf(root, "Code")
  const region = headers["x-amz-bucket-region"] ?? (root === undefined ? undefined : textOf(root, "Region"))
  if (region !== undefined && (status === 301 || status === 307 || status === 400)) {
    return permanent(url, "Failed", `the bucket is in the region ${region}: --s3-region ${region}`)
  }
  const hint = code === undefined ? undefined : hints[code]
  if (hint !== undefined) return permanent(url, ...hint)
  const said = root === undefined ? undefined : textOf(root, "Message")
  const plain = fromStatus(url, status)
  return code === undefined
    ? plain
    : permanent(url, plain.reason, `the service refuses (${status} ${code}${said === undefined ? "" : `: ${said}`})`)
}
