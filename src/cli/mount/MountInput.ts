/**
 * What a command line of `mount` says, read; and the settings that it means. Pure.
 */
import type { Settings } from "./Settings.ts"

export interface MountInput extends Omit<Settings, "archives" | "mountPoint" | "serve"> {
  readonly archive: string
  /** Further archives, and the mount point. */
  readonly rest: ReadonlyArray<string>
  readonly foreground: boolean
  /** `HOST:PORT` of the page beside the mount. */
  readonly serve?: string | undefined
}

/** The settings, without those of the page beside the mount. */
export const settingsOf = ({
  archive,
  foreground: _foreground,
  rest,
  serve: _serve,
  ...flags
}: MountInput): Settings => ({
  ...flags,
  archives: [archive, ...rest.slice(0, -1)],
  mountPoint: rest.at(-1) ?? "",
})

/** Whether a word may be a backup server: nothing else has such signs, and a name with them is looked for first. */
export const maybeServer = (word: string): boolean => word.includes(":")
