/**
 * Paths of this machine, as Node takes them.
 *
 * They are bytes, and go through this program as texts in which a byte that is not UTF-8 is a lone surrogate (see
 * `Bytes.toText`). Node would make another file of such a text.
 */
import * as Bytes from "../../domain/Bytes.ts"

/** The path for a function of `node:fs`. */
export const forNode = (path: string): string | Buffer =>
  path.isWellFormed() ? path : Buffer.from(Bytes.fromText(path))
