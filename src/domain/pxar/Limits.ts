/**
 * Bounds on what an archive may make a reader hold (§7: D10, D11, E7, R1).
 *
 * Exceeding one is a `Limit` failure of the entry concerned; it says nothing about the archive's validity.
 */
export interface Limits {
  /** Children of one directory (D10). A table costs 24 bytes a child. */
  readonly directoryEntries: number
  /** Nesting of directories in a walk of the tree (D11). */
  readonly depth: number
  /** Attribute items of one entry (E7). */
  readonly attributeCount: number
  /** Bytes of all attribute items of one entry (E7). */
  readonly attributeBytes: number
  /** Bytes of the prelude (R1). */
  readonly preludeBytes: number
}

/** The bounds suggested in §7. */
export const defaults: Limits = {
  directoryEntries: 4_194_304,
  depth: 4096,
  attributeCount: 65_536,
  attributeBytes: 4 * 1024 * 1024,
  preludeBytes: 1024 * 1024,
}
