/**
 * What was taken from a copy of a datastore, because the datastore itself lacks it or has it damaged. It has been checked
 * as if it were the datastore's own.
 */

/** A chunk, or a file of a backup, that a copy had. */
export interface Healed {
  readonly kind: "chunk" | "file"
  /** What the datastore should have: its path, with the datastore. */
  readonly file: string
  /** The check that it failed (datastore §8), or `IO`. */
  readonly check: string
  /** What is wrong with that, as it follows on its name. */
  readonly detail: string
  /** Name of the copy. */
  readonly from: string
}
