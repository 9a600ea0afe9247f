/**
 * What an extraction has done, by kind.
 */

/** What was extracted, by kind. */
export interface Counts {
  folders: number
  files: number
  hardLinks: number
  symlinks: number
  devices: number
  fifos: number
  sockets: number
  /** Devices, FIFOs and sockets left out because the options say so. */
  omitted: number
  /** Entries that were there already, and stay because they are the same as in the archive. */
  kept: number
  /** Entries that were there already, and stay because they were modified later than those in the archive. */
  newer: number
  /** What was deleted because it is not in the archive; a folder counts as one. */
  deleted: number
  /** Bytes of contents, holes included. */
  bytes: number
}

export const noCounts = (): Counts => ({
  folders: 0,
  files: 0,
  hardLinks: 0,
  symlinks: 0,
  devices: 0,
  fifos: 0,
  sockets: 0,
  omitted: 0,
  kept: 0,
  newer: 0,
  deleted: 0,
  bytes: 0,
})
