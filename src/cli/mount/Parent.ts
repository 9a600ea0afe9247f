/**
 * Who has started this process in the background (see `Background`). It learns that from its environment.
 */

/** `FD`, with ` tty` and ` page` behind it, see {@link Parent}. */
export const VARIABLE = "_PXAR_FUSE_PARENT"

/** A process that waits for this one to be ready. */
export interface Parent {
  /** A socket: the settings come from there. Closing it without a word, as the end of this process does, means failure. */
  readonly descriptor: number
  /** Whether a person reads what the parent passes on. */
  readonly interactive: boolean
  /** Whether there is to be a page beside the mount, for which more is loaded. */
  readonly page: boolean
}

/** The parent that waits for this process, if there is one. Told once: what this process starts is not told. */
export const take = (): Parent | undefined => {
  const match = /^(\d+)( tty)?( page)?$/.exec(process.env[VARIABLE] ?? "")
  delete process.env[VARIABLE]
  return match === null
    ? undefined
    : { descriptor: Number(match[1]), interactive: match[2] !== undefined, page: match[3] !== undefined }
}
