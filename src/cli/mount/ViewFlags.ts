/**
 * Flags that say how a mount shows an archive: which part, as whose, with which permissions.
 */
import * as Flag from "effect/cli/Flag"
import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { View } from "../../fuse/views/View.ts"
import * as PathText from "../../domain/PathText.ts"
import * as Parameters from "../Parameters.ts"
import type * as Progress from "../Progress.ts"

const optional = <A>(flag: Flag.Flag<A>): Flag.Flag<A | undefined> =>
  flag.pipe(Flag.optional, Flag.map(Option.getOrUndefined))

/** 2^32-1 means "no user" to the kernel. */
const MAX_ID = 0xffff_fffe

const id = (name: string, description: string) =>
  Flag.Int(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("ID"),
    Flag.filter(
      (id) => id >= 0 && id <= MAX_ID,
      () => `a number from 0 to ${MAX_ID}`,
    ),
    optional,
  )

const mask = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("MASK"),
    Flag.filterMap(
      (text) => (/^0*[0-7]{1,3}$/.test(text) ? Option.some(Number.parseInt(text, 8)) : Option.none()),
      () => "permission bits in octal, 0 to 777",
    ),
    optional,
  )

export const flags = {
  subdir: Flag.String("subdir").pipe(
    Flag.withDescription("Mount this folder of the archive only"),
    Flag.withMetavar("PATH"),
    optional,
  ),
  linkCounts: Parameters.flag(
    "link-counts",
    "Count the hard links of every file before mounting, so that rsync -H, tar and du see them",
  ),
  uid: id("uid", "Show everything as owned by this user"),
  gid: id("gid", "Show everything as owned by this group"),
  umask: mask("umask", "Show everything with the permissions that are not in this mask: 022 means rwxr-xr-x"),
  fmask: mask("fmask", "The same for everything but folders; before --umask"),
  dmask: mask("dmask", "The same for folders; before --umask"),
  noxattr: Parameters.flag("noxattr", "Show no extended attributes, ACLs and capabilities"),
  closeAfter: Flag.Finite("close-after").pipe(
    Flag.withDescription("Close an archive of several when it has not been used for this long (default: 60)"),
    Flag.withMetavar("SECONDS"),
    Flag.filter(
      (seconds) => seconds > 0,
      () => "a number above 0",
    ),
    Flag.map((seconds): Duration.Input => seconds * 1000),
    optional,
  ),
}

export interface Settings {
  readonly subdir: string | undefined
  readonly linkCounts: boolean
  readonly uid: number | undefined
  readonly gid: number | undefined
  readonly umask: number | undefined
  readonly fmask: number | undefined
  readonly dmask: number | undefined
  readonly noxattr: boolean
  readonly closeAfter: Duration.Input | undefined
}

/** The view that the flags ask for; counting links shows its progress. */
export const view = (settings: Settings, progress: Progress.Progress): View => ({
  subfolder: settings.subdir === undefined ? undefined : PathText.parse(settings.subdir),
  uid: settings.uid,
  gid: settings.gid,
  fileMask: settings.fmask ?? settings.umask,
  directoryMask: settings.dmask ?? settings.umask,
  xattrs: !settings.noxattr,
  linkCounts: settings.linkCounts,
  onCount: ({ entries, position, size }) => progress.update({ entries, bytes: position, position, size }),
})

/** Where the progress is drawn: on stderr, which in the background is a pipe to the parent's terminal. */
export const screen = (interactive: boolean): Progress.Screen => ({
  isTTY: interactive,
  columns: process.stderr.columns ?? 80,
  write: (text) => process.stderr.write(text),
})
