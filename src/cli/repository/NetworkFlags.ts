/**
 * Flags about servers and buckets: how they are reached. They mean nothing for what is on this machine.
 */
import * as Flag from "effect/cli/Flag"
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
