/**
 * Flags about servers and buckets: how they are reached. They mean nothing for what is on this machine.
 */
import * as path from "node:path"
import * as Flag from "effect/cli/Flag"
import type { Network, S3 } from "../../services/open/Location.ts"
import * as PerformanceFlags from "../mount/PerformanceFlags.ts"
import * as ProcessFlags from "../mount/ProcessFlags.ts"
import * as Parameters from "../Parameters.ts"

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar(metavar), Parameters.optional)

export const flags = {
  rate: Flag.String("rate").pipe(
    Flag.withDescription("Most bytes a second from the network (default: unlimited)"),
    Flag.withMetavar("SIZE"),
    Flag.filterMap(PerformanceFlags.parseSize, () => "a number of bytes such as 500K or 10M"),
    Flag.filter(
      (rate) => rate > 0,
      () => "a number of bytes above 0",
    ),
    Parameters.optional,
  ),
  timeout: Flag.String("timeout").pipe(
    Flag.withDescription("How long to try again when a server does not answer (default: 2m)"),
    Flag.withMetavar("TIME"),
    Flag.filterMap(ProcessFlags.parseTime, () => "a time such as 90, 90s, 15m or 2h"),
    Parameters.optional,
  ),
  s3Endpoint: text("s3-endpoint", "URL", "Where s3:// addresses are (default: Amazon)"),
  s3Region: text("s3-region", "NAME", "Region of the bucket (default: us-east-1)"),
  s3PathStyle: Parameters.flag("s3-path-style", "Name the bucket in the path of requests, not in the host name"),
  s3Credentials: text("s3-credentials", "FILE", "Key of the bucket, in a file like ~/.aws/credentials"),
  s3Anonymous: Parameters.flag("s3-anonymous", "Sign nothing: the bucket is public"),
}

/** What the flags say. */
export interface Given {
  readonly caFile?: string | undefined
  /** Bytes a second. */
  readonly rate?: number | undefined
  /** Milliseconds. */
  readonly timeout?: number | undefined
  readonly s3Endpoint?: string | undefined
  readonly s3Region?: string | undefined
  readonly s3PathStyle?: boolean | undefined
  readonly s3Credentials?: string | undefined
  readonly s3Anonymous?: boolean | undefined
}

/** The same for those who open an address. Paths are absolute: they may be read when the process has gone elsewhere. */
export const access = (given: Given): { readonly network: Network; readonly s3: S3 } => ({
  network: { caFile: absolute(given.caFile), rate: given.rate, timeout: given.timeout },
  s3: {
    endpoint: given.s3Endpoint,
    region: given.s3Region,
    // Without the flag it is found out.
    pathStyle: given.s3PathStyle === true ? true : undefined,
    credentialsFile: absolute(given.s3Credentials),
    anonymous: given.s3Anonymous,
  },
})

const absolute = (file: string | undefined): string | undefined => (file === undefined ? undefined : path.resolve(file))
