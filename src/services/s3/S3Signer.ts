/**
 * Signs requests for S3 with version 4 of Amazon's signature, by the library aws4fetch. Signed are the host, the time, the
 * hash of the body, which is empty, and whatever else is sent but the range.
 */
import { AwsV4Signer } from "aws4fetch"
import * as Redacted from "effect/Redacted"
import type { Headers } from "../http/HttpClient.ts"
import type { Credentials } from "./S3Credentials.ts"

/** Makes the headers of a signed request of those of a plain one. */
export type Sign = (method: string, url: URL, headers: Headers) => Promise<Headers>

/** SHA-256 of nothing. */
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/** A signer for a region. `now` is for tests: `20130524T000000Z`. */
export const make = (credentials: Credentials, region: string, now?: string): Sign => {
  // Derived keys, each good for a day.
  const cache = new Map<string, ArrayBuffer>()
  return async (method, url, headers) => {
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: { ...headers, "x-amz-content-sha256": EMPTY },
      accessKeyId: credentials.accessKey,
      secretAccessKey: Redacted.value(credentials.secretKey),
      ...(credentials.sessionToken === undefined ? {} : { sessionToken: Redacted.value(credentials.sessionToken) }),
      service: "s3",
      region,
      cache,
      ...(now === undefined ? {} : { datetime: now }),
    })
    return Object.fromEntries((await signer.sign()).headers)
  }
}
