/**
 * Flags that say how a mount shows an archive: which part, as whose, with which permissions.
 */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Users from "../Users.ts"
import * as Parameters from "../Parameters.ts"

/** 2^32-1 means "no user" to the kernel. */
const MAX_ID = 0xffff_fffe

const id = (name: string, kind: Users.Kind, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("ID"),
    Flag.filterMap(
      (text) => {
        const id = /^\d+$/.test(text) ? Number(text) : Users.id(kind, text)
        return id !== undefined && id <= MAX_ID ? Option.some(id) : Option.none()
      },
      () => `a name that this machine knows, or a number from 0 to ${MAX_ID}`,
    ),
    Parameters.optional,
  )

const mask = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("MASK"),
    Flag.filterMap(
      (text) => (/^0*[0-7]{1,3}$/.test(text) ? Option.some(Number.parseInt(text, 8)) : Option.none()),
      () => "permission bits in octal, 0 to 777",
    ),
    Parameters.optional,
  )

export const flags = {
  subdir: Flag.String("subdir").pipe(
    Flag.withDescription("Mount this folder of the archive only"),
    Flag.withMetavar("PATH"),
    Parameters.optional,
  ),
  linkCounts: Parameters.flag(
    "link-counts",
    "Count the hard links of every file before mounting, so that rsync -H, tar and du see them",
  ),
  uid: id("uid", "passwd", "Show everything as owned by this user"),
  gid: id("gid", "group", "Show everything as owned by this group"),
  umask: mask("umask", "Show everything with the permissions that are not in this mask: 022 means rwxr-xr-x"),
  fmask: mask("fmask", "The same for everything but folders; before --umask"),
  dmask: mask("dmask", "The same for folders; before --umask"),
  noxattr: Parameters.flag("noxattr", "Show no extended attributes, ACLs and capabilities"),
  layout: Flag.Literals("layout", ["backups", "previous-versions"]).pipe(
    Flag.withDescription("Of a datastore: backups as they are named there, or as Samba shows Previous Versions"),
    Flag.withMetavar("backups|previous-versions"),
    Flag.withDefault("backups"),
  ),
  serve: Flag.String("serve").pipe(
    Flag.withDescription(
      "Show the same in a web browser and over WebDAV too; prints the link, listens on loopback only",
    ),
    Flag.withMetavar("HOST:PORT"),
    Parameters.optional,
  ),
  versions: Parameters.flag(
    "versions",
    "Of a datastore: show in each group a folder of all versions of each file, versions/ARCHIVE/PATH/TIME",
  ),
  closeAfter: Flag.Finite("close-after").pipe(
    Flag.withDescription("Close an archive of several when it has not been used for this long (default: 60)"),
    Flag.withMetavar("SECONDS"),
    Flag.map((seconds) => seconds * 1000),
    Flag.filter(
      (milliseconds) => milliseconds > 0 && Number.isFinite(milliseconds),
      () => "a number above 0",
    ),
    Parameters.optional,
  ),
}
