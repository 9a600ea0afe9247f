/**
 * What the flags about servers and buckets say (see `NetworkFlags`), for those who open an address.
 */
import * as path from "node:path"
import type { Network, S3 } from "../../services/open/Location.ts"

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
