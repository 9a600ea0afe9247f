/**
 * What the flags about caches say (see `CacheFlags`), for those who open an address.
 */
import * as path from "node:path"

/** What the flags say. */
export interface Given {
  /** Bytes. */
  readonly chunkCache?: number | undefined
  readonly cacheDir?: string | undefined
  /** Bytes. */
  readonly cacheLimit?: number | undefined
  readonly noCache?: boolean | undefined
}

/** The same for those who open an address. The folder is absolute: the process may go elsewhere. */
export const options = ({ cacheDir, cacheLimit, chunkCache, noCache }: Given): Given => ({
  chunkCache,
  cacheDir: cacheDir === undefined ? undefined : path.resolve(cacheDir),
  cacheLimit,
  noCache,
})
