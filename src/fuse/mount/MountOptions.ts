/**
 * The mount options of `-o`: read from text, and printed for the kernel and for fusermount3.
 *
 * Pure. What it accepts it can print; what it does not know it refuses with the list of what it knows; words that may
 * stand in fstab and say nothing to a read-only file system are accepted and dropped. An archive is read-only: so is
 * every mount. These are not the options of the program (`--payload` and the like), which never reach the kernel.
 */
import * as Result from "effect/Result"
import { MountError } from "./MountError.ts"

const MS_RDONLY = 1
const MS_NOSUID = 2
const MS_NODEV = 4
const MS_NOEXEC = 8
const MS_NOATIME = 1024

/** How a file system is mounted; as mount(8) has it where nothing else is said. */
export interface MountOptions {
  readonly noSuid: boolean
  readonly noDev: boolean
  readonly noExec: boolean
  readonly noAtime: boolean
  /** The kernel checks permissions by mode and ACL. */
  readonly defaultPermissions: boolean
  /** Users other than the one who mounts may enter. */
  readonly allowOther: boolean
  /**
   * Root may enter, other users may not. The kernel only knows to let all of them in: the root folder is then shown as
   * the mounting user's own and closed to everybody else, so that the kernel's checks of permissions keep them out.
   */
  readonly allowRoot: boolean
  /** Mount on a directory that is not empty. */
  readonly nonEmpty: boolean
  /** File handles last, so that the mount can be exported by NFS. */
  readonly nfsExport: boolean
  /** Change the flags of what is mounted there, and mount nothing. */
  readonly remount: boolean
  /** What the mount table shows as the source; the archive's path unless given. */
  readonly fsname: string | undefined
  /** The mount table shows `fuse.` and this as the type. */
  readonly subtype: string
  /** Longest read request in bytes, 1 to 2^32-1; the kernel takes less than 4096 as 4096. */
  readonly maxRead: number | undefined
}

/** `ro,nosuid,nodev,default_permissions` */
export const defaults: MountOptions = {
  noSuid: true,
  noDev: true,
  noExec: false,
  noAtime: false,
  defaultPermissions: true,
  allowOther: false,
  allowRoot: false,
  nonEmpty: false,
  nfsExport: false,
  remount: false,
  fsname: undefined,
  subtype: "pxar-fuse",
  maxRead: undefined,
}

const words = new Map<string, Partial<MountOptions>>([
  ["ro", {}],
  ["nosuid", { noSuid: true }],
  ["suid", { noSuid: false }],
  ["nodev", { noDev: true }],
  ["dev", { noDev: false }],
  ["noexec", { noExec: true }],
  ["exec", { noExec: false }],
  ["noatime", { noAtime: true }],
  ["atime", { noAtime: false }],
  ["default_permissions", { defaultPermissions: true }],
  ["no_default_permissions", { defaultPermissions: false }],
  ["allow_other", { allowOther: true, allowRoot: false }],
  ["allow_root", { allowOther: false, allowRoot: true }],
  ["nonempty", { nonEmpty: true }],
  ["nfs_export", { nfsExport: true }],
  ["remount", { remount: true }],
])

const refused = new Map([["rw", "an archive is read-only: mount it with ro (in fstab too)"]])

/** fstab(5), mount(8): meant for whoever reads fstab, not for the file system. */
const fstabWord = /^(?:defaults|auto|noauto|user|nouser|users|user=.*|owner|group|_netdev|nofail|[xX]-.*|comment=.*)$/s

/** What the mount table shows of a FUSE mount, and mount(8) hands back with `remount`. */
const shownWord = /^(?:user_id|group_id|blksize)=\d+$/

/** mount(8): says how a file system is written to or how it keeps access times, which an archive does not. */
const writingWord =
  /^(?:async|sync|dirsync|(?:no)?(?:relatime|diratime|strictatime|lazytime|iversion|mand)|silent|loud)$/

/** What the words mean, for people: the words as they are written, and one line each. */
export const meanings: ReadonlyArray<readonly [words: string, meaning: string]> = [
  ["allow_other", "let other users in; for users other than root only with `user_allow_other` in `/etc/fuse.conf`"],
  [
    "allow_root",
    "let root in too, but nobody else: the top folder is shown as the mounting user's own and closed; needs what `allow_other` needs",
  ],
  ["default_permissions, no_default_permissions", "let the kernel check modes and ACLs, or not"],
  ["suid, nosuid, dev, nodev, exec, noexec, atime, noatime", "as for `mount(8)`"],
  ["fsname=NAME, subtype=NAME", "what `/proc/mounts`, `df` and `findmnt` show"],
  ["max_read=BYTES", "longest read request"],
  ["nfs_export", "file handles that last, for an NFS server; for one archive, not for several"],
  ["nonempty", "mount on a folder that is not empty"],
  ["remount", "change `exec`, `suid`, `dev` and `atime` of what is mounted there"],
  ["ro", "the only way: an archive cannot be written to"],
]

/** Words of `-o`; those with a value end with `=`. */
export const known: ReadonlyArray<string> = [...words.keys(), "fsname=", "subtype=", "max_read="]

/**
 * Reads the values of `-o`, each a comma separated list; the later word wins. As in libfuse, a backslash takes the
 * meaning from a comma or backslash. Fails with reason `UnknownOption`, naming what is known: here and, if the caller
 * has words of its own, `others`.
 */
export const parse = (
  values: ReadonlyArray<string>,
  others: ReadonlyArray<string> = [],
): Result.Result<MountOptions, MountError> => {
  const options = { ...defaults }
  for (const option of values.flatMap(split).map(unescaped)) {
    const change = interpret(option, others)
    if (typeof change === "string") {
      return Result.fail(new MountError({ reason: "UnknownOption", detail: `${option}: ${change}` }))
    }
    Object.assign(options, change)
  }
  if (options.allowRoot && !options.defaultPermissions) {
    const detail = "allow_root: goes with default_permissions only, which keeps other users out"
    return Result.fail(new MountError({ reason: "UnknownOption", detail }))
  }
  return Result.succeed(options)
}

/** The words of a value of `-o`, with their backslashes; empty ones left out. */
export const split = (value: string): ReadonlyArray<string> => value.match(/(?:\\.|[^,\\]|\\$)+/gs) ?? []

/** A word without the backslashes that took a meaning away. */
export const unescaped = (word: string): string => word.replace(/\\(.)/gs, "$1")

/** What an option changes, or why it is refused. */
const interpret = (option: string, others: ReadonlyArray<string>): Partial<MountOptions> | string => {
  if (fstabWord.test(option) || writingWord.test(option) || shownWord.test(option)) return {}
  const equals = option.indexOf("=")
  const value = option.slice(equals + 1)
  switch (option.slice(0, equals + 1)) {
    case "fsname=":
      return value === "" ? "needs a name" : { fsname: value }
    case "subtype=":
      return value === "" ? "needs a name" : { subtype: value }
    case "max_read=": {
      const maxRead = /^\d+$/.test(value) ? Number(value) : 0
      return maxRead >= 1 && maxRead <= 0xffffffff ? { maxRead } : "needs a number of bytes, 1 to 4294967295"
    }
    default:
      return words.get(option) ?? refused.get(option) ?? `unknown; known are ${[...known, ...others].join(", ")}`
  }
}

/** The file system type of mount(2). */
export const kernelType = (options: MountOptions): string => `fuse.${options.subtype}`

/** The flags of mount(2). */
export const kernelFlags = (options: MountOptions): number =>
  MS_RDONLY |
  (options.noSuid ? MS_NOSUID : 0) |
  (options.noDev ? MS_NODEV : 0) |
  (options.noExec ? MS_NOEXEC : 0) |
  (options.noAtime ? MS_NOATIME : 0)

/** The data string of mount(2): `descriptor` is open on `/dev/fuse`, the mount belongs to `user` and `group`. */
export const kernelData = (options: MountOptions, descriptor: number, user: number, group: number): string =>
  [`fd=${descriptor}`, "rootmode=40000", `user_id=${user}`, `group_id=${group}`, ...kernelWords(options)].join(",")

/** The `-o` value for fusermount3, which also needs the name of the source. */
export const helperOptions = (options: MountOptions, source: string): string =>
  [
    "ro",
    ...(options.noSuid ? ["nosuid"] : []),
    ...(options.noDev ? ["nodev"] : []),
    ...(options.noExec ? ["noexec"] : []),
    ...(options.noAtime ? ["noatime"] : []),
    ...kernelWords(options),
    `fsname=${escaped(source)}`,
    `subtype=${escaped(options.subtype)}`,
  ].join(",")

/**
 * The `-o` value for libfuse 2, which mounts by itself. The archive cannot change: the kernel may keep all it learns for
 * ever. Inode numbers are those that it is told.
 */
export const libfuseOptions = (options: MountOptions, source: string): string =>
  [
    helperOptions(options, source),
    ...(options.noSuid ? [] : ["suid"]),
    ...(options.noDev ? [] : ["dev"]),
    ...(options.nonEmpty ? ["nonempty"] : []),
    "use_ino",
    "kernel_cache",
    ...["entry", "negative", "attr"].map((what) => `${what}_timeout=${FOR_EVER}`),
  ].join(",")

/** Seconds. */
const FOR_EVER = 1_000_000_000

const kernelWords = (options: MountOptions): ReadonlyArray<string> => [
  // Without these checks `allowRoot` would let everybody in.
  ...(options.defaultPermissions || options.allowRoot ? ["default_permissions"] : []),
  ...(options.allowOther || options.allowRoot ? ["allow_other"] : []),
  ...(options.maxRead === undefined ? [] : [`max_read=${options.maxRead}`]),
]

const escaped = (value: string): string => value.replace(/[,\\]/g, String.raw`\$&`)

/** The descriptor that a mount point `/dev/fd/N` names. */
export const passedDescriptor = (mountPoint: string): number | undefined => {
  const match = /^\/dev\/fd\/(\d{1,9})$/.exec(mountPoint)
  return match === null ? undefined : Number(match[1])
}
