/**
 * A bucket and what is meant in it, as URLs: path style (`https://host/bucket/key`) or virtual host style
 * (`https://bucket.host/key`).
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"

/** Where a bucket is, besides its name. */
export interface Options {
  /** A host or URL; `{{bucket}}` and `{{region}}` in it stand for these (bucket §2). Amazon's unless given. */
  readonly endpoint?: string | undefined
  /** `us-east-1` unless given. */
  readonly region?: string | undefined
  /** Whether the bucket stands in the path. Unless given where it cannot be part of the host. */
  readonly pathStyle?: boolean | undefined
}

/** A bucket, and the beginning of the keys that are meant. */
export interface S3Place {
  /** `s3://bucket/prefix`. */
  readonly name: string
  readonly bucket: string
  /** Without a slash at its ends; empty for the whole bucket. */
  readonly prefix: string
  readonly region: string
  /** The URL of a key of the bucket; of the bucket itself for the empty key. */
  readonly url: (key: string) => string
}

/** An address or endpoint that is none. */
export class S3PlaceFault extends Data.TaggedClass("S3PlaceFault")<{ readonly detail: string }> {}

const REGION = "us-east-1"

/** Reads `s3://bucket/prefix`. */
export const parse = (location: string, options: Options = {}): Result.Result<S3Place, S3PlaceFault> => {
  const fail = (detail: string) => Result.fail(new S3PlaceFault({ detail }))
  const [, bucket = "", rest = ""] = /^s3:\/\/([^/]*)\/?(.*)$/s.exec(location) ?? []
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket))
    return fail("names no bucket: it looks like s3://bucket/prefix")
  const region = options.region || REGION
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(region)) return fail(`"${region}" is no region`)
  const prefix = rest.replace(/^\/+|\/+$/g, "")
  const base = baseOf(bucket, region, options)
  if (base === undefined) return fail(`"${options.endpoint}" is no endpoint: it looks like https://s3.example.org`)
  return Result.succeed({
    name: prefix === "" ? `s3://${bucket}` : `s3://${bucket}/${prefix}`,
    bucket,
    prefix,
    region,
    // Some services sign the path of a bucket without a slash at its end, whatever is asked for.
    url: (key) => (key === "" ? base : `${base}/${escapePath(key)}`),
  })
}

/** The URL of a bucket, without a slash at its end. */
const baseOf = (bucket: string, region: string, { endpoint, pathStyle }: Options): string | undefined => {
  const template = endpoint || "https://s3.{{region}}.amazonaws.com"
  const withRegion = (/^https?:\/\//.test(template) ? template : `https://${template}`).replaceAll("{{region}}", region)
  const hasBucket = withRegion.includes("://{{bucket}}.")
  const text = withRegion.replace("{{bucket}}.", hasBucket && pathStyle !== true ? `${bucket}.` : "")
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.username !== "" || url.search !== "" || url.hash !== "") return undefined
  const isInPath = pathStyle ?? (!hasBucket && !canBeHost(url.hostname, bucket))
  if (!hasBucket && !isInPath) url.hostname = `${bucket}.${url.hostname}`
  const path = url.pathname.replace(/\/$/, "")
  return `${url.origin}${path}${isInPath && !(hasBucket && pathStyle !== true) ? `/${bucket}` : ""}`
}

/** Addresses have no names below them, and certificates are for one name below. */
const canBeHost = (host: string, bucket: string): boolean =>
  host !== "localhost" && !host.startsWith("[") && !/^[0-9.]+$/.test(host) && /^[a-z0-9-]+$/.test(bucket)

/** A key in a path: all but unreserved characters and slashes is escaped (bucket §2). */
const escapePath = (key: string): string => key.split("/").map(escape).join("/")

/** A text in a query. */
export const escape = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
