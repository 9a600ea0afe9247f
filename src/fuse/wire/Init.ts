/**
 * The first request of a session: what kernel and server agree on (fuse-protocol §3).
 */
import * as Result from "effect/Result"
import * as Bytes from "../../domain/Bytes.ts"
import * as Errno from "../../domain/Errno.ts"
import * as Abi from "./Abi.ts"
import * as Reply from "./Reply.ts"

/** What the kernel says in INIT. */
export interface Offer {
  readonly major: number
  readonly minor: number
  /** Bytes. */
  readonly maxReadahead: number
  readonly flags: number
  /** The upper 32 bits, of kernels that have them. */
  readonly flags2?: number | undefined
}

/** What holds for the session. */
export interface Agreement {
  readonly minor: number
  readonly flags: number
  /** The upper 32 bits; 0 unless given. */
  readonly flags2?: number
  /** The kernel goes on by itself where OPEN, or OPENDIR, is answered with ENOSYS. */
  readonly noOpen: boolean
  readonly noOpendir: boolean
}

/** How a session differs from the usual. */
export interface Options {
  /** Let the kernel enforce permissions and ACLs. Off for mounts without `default_permissions`. */
  readonly posixAcl: boolean
  /**
   * Handles of files shall last, for NFS: the bridge then answers LOOKUP of `.` and `..` for every node. Otherwise the kernel
   * is told that there are no handles, as far as it can be told (from 6.9 on); older ones give out some that go stale.
   */
  readonly nfsExport?: boolean | undefined
  /** Bytes that the kernel reads ahead at most; `READ_AHEAD` unless given. */
  readonly readAhead?: number | undefined
}

/** Bytes. With 1 MiB the first READ of a file asks for 64 KiB, and READs of a large one for the most the kernel can. */
export const READ_AHEAD: number = 1024 * 1024

/** The oldest protocol spoken: attributes have a block size from 7.9 on. */
const OLDEST_MINOR = 9

/** The kernel sends at most this much data in a request; nobody writes to an archive. */
const MAX_WRITE = 4096

/** Pages of one READ at most: 1 MiB. */
const MAX_PAGES = 256

// Not ASYNC_DIO: a reader of O_DIRECT whose request waits could then not be interrupted, nor killed.
const wanted =
  Abi.FUSE_ASYNC_READ |
  Abi.FUSE_DO_READDIRPLUS |
  Abi.FUSE_PARALLEL_DIROPS |
  Abi.FUSE_ABORT_ERROR |
  Abi.FUSE_MAX_PAGES |
  Abi.FUSE_CACHE_SYMLINKS

/** A kernel newer than major version 7 asks again after being told the version; an older one cannot be served. */
export const negotiate = (offer: Offer, options: Options): Result.Result<Agreement | "ask again", Errno.Errno> => {
  if (offer.major > Abi.FUSE_KERNEL_VERSION) return Result.succeed("ask again")
  if (offer.major < Abi.FUSE_KERNEL_VERSION || offer.minor < OLDEST_MINOR) return Result.fail(Errno.EPROTO)
  const flags2 =
    (offer.flags & Abi.FUSE_INIT_EXT) === 0
      ? 0
      : (offer.flags2 ?? 0) & (options.nfsExport === true ? 0 : Abi.FUSE_NO_EXPORT_SUPPORT)
  return Result.succeed({
    minor: Math.min(offer.minor, Abi.FUSE_KERNEL_MINOR_VERSION),
    flags:
      offer.flags &
      (wanted |
        (options.posixAcl ? Abi.FUSE_POSIX_ACL : 0) |
        (options.nfsExport === true ? Abi.FUSE_EXPORT_SUPPORT : 0) |
        (flags2 === 0 ? 0 : Abi.FUSE_INIT_EXT)),
    ...(flags2 !== 0 && { flags2 }),
    noOpen: (offer.flags & Abi.FUSE_NO_OPEN_SUPPORT) !== 0,
    noOpendir: (offer.flags & Abi.FUSE_NO_OPENDIR_SUPPORT) !== 0,
  })
}

/** Reply to INIT. */
export const reply = (
  unique: number,
  offer: Offer,
  agreement: Agreement | "ask again",
  { readAhead }: Pick<Options, "readAhead"> = {},
): Uint8Array => {
  const old = agreement !== "ask again" && agreement.minor < 23
  const message = Reply.make(unique, old ? Abi.INIT_OUT.compat22 : Abi.INIT_OUT.size)
  const view = Bytes.dataView(message)
  const at = Reply.bodyOffset
  view.setUint32(at + Abi.INIT_OUT.major, Abi.FUSE_KERNEL_VERSION, true)
  view.setUint32(
    at + Abi.INIT_OUT.minor,
    agreement === "ask again" ? Abi.FUSE_KERNEL_MINOR_VERSION : agreement.minor,
    true,
  )
  if (agreement === "ask again") return message
  // The kernel takes the smaller of this and its own setting, which root may raise later.
  view.setUint32(at + Abi.INIT_OUT.max_readahead, readAhead ?? Math.max(offer.maxReadahead, READ_AHEAD), true)
  view.setUint32(at + Abi.INIT_OUT.flags, agreement.flags >>> 0, true)
  view.setUint16(at + Abi.INIT_OUT.max_background, 64, true)
  view.setUint16(at + Abi.INIT_OUT.congestion_threshold, 48, true)
  view.setUint32(at + Abi.INIT_OUT.max_write, MAX_WRITE, true)
  if (old) return message
  view.setUint32(at + Abi.INIT_OUT.time_gran, 1, true)
  view.setUint16(at + Abi.INIT_OUT.max_pages, MAX_PAGES, true)
  view.setUint32(at + Abi.INIT_OUT.flags2, agreement.flags2 ?? 0, true)
  return message
}
