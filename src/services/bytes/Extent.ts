/**
 * Which of a file's bytes are stored, and which are holes: zeros that take no space.
 */

/** A run of bytes that are all a hole, or all data. */
export interface Extent {
  readonly isHole: boolean
  /** After its last byte. */
  readonly end: number
}
