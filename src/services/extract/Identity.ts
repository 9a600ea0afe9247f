/**
 * Which file something is, whatever it is called.
 */
export interface Identity {
  readonly device: number
  /** Halves of the inode number. */
  readonly inodeLow: number
  readonly inodeHigh: number
}

/** Whether both are one file. */
export const isSame = (a: Identity, b: Identity): boolean =>
  a.inodeLow === b.inodeLow && a.inodeHigh === b.inodeHigh && a.device === b.device
