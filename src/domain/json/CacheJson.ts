/**
 * What `cache --json` prints: what is kept on disk of chunks that were fetched from far away.
 */
import * as Schema from "effect/Schema"
import { Count, Hex } from "./JsonText.ts"

const amount = { chunks: Count, bytes: Count }

/** A folder of chunks. */
export const CacheJson = Schema.Struct({
  folder: Schema.String,
  folder_hex: Schema.optionalKey(Hex),
  ...amount,
  /** Bytes that were to be kept at most. */
  limit: Count,
  /** What was deleted now. */
  deleted: Schema.optionalKey(Schema.Struct(amount)),
})
/** A folder of chunks, as a type. */
export type CacheJson = typeof CacheJson.Type
