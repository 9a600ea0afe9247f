/**
 * The kernel's FUSE interface as in `include/uapi/linux/fuse.h`, protocol 7.45: constants and the layout of its
 * structs, little-endian (the hosts that Node runs on). The only file of this room that uses C names.
 *
 * Offsets and sizes in bytes. Not a codec: `Request` and `Reply` are.
 */

export const FUSE_KERNEL_VERSION = 7
/** Highest minor version spoken here. */
export const FUSE_KERNEL_MINOR_VERSION = 45

/** `struct fuse_in_header` */
export const IN_HEADER = { len: 0, opcode: 4, unique: 8, nodeid: 16, uid: 24, gid: 28, pid: 32, size: 40 } as const

/** `struct fuse_out_header` */
export const OUT_HEADER = { len: 0, error: 4, unique: 8, size: 16 } as const

/** `struct fuse_attr` */
export const ATTR = {
  ino: 0,
  size_: 8,
  blocks: 16,
  atime: 24,
  mtime: 32,
  ctime: 40,
  atimensec: 48,
  mtimensec: 52,
  ctimensec: 56,
  mode: 60,
  nlink: 64,
  uid: 68,
  gid: 72,
  rdev: 76,
  blksize: 80,
  flags: 84,
  size: 88,
} as const

/** `struct fuse_entry_out` */
export const ENTRY_OUT = {
  nodeid: 0,
  generation: 8,
  entry_valid: 16,
  attr_valid: 24,
  entry_valid_nsec: 32,
  attr_valid_nsec: 36,
  attr: 40,
  size: 128,
} as const

/** `struct fuse_attr_out` */
export const ATTR_OUT = { attr_valid: 0, attr_valid_nsec: 8, attr: 16, size: 104 } as const

/** `struct fuse_open_out` */
export const OPEN_OUT = { fh: 0, open_flags: 8, size: 16 } as const
export const FOPEN_KEEP_CACHE = 1 << 1
export const FOPEN_CACHE_DIR = 1 << 3

/** `struct fuse_open_in` */
export const OPEN_IN = { flags: 0, size: 8 } as const

/** `struct fuse_read_in`, also for directories */
export const READ_IN = { fh: 0, offset: 8, size_: 16, size: 40 } as const

/** `struct fuse_notify_store_out`, followed by the contents; the code stands in place of the error, `unique` is 0 */
export const NOTIFY_STORE_OUT = { nodeid: 0, offset: 8, size_: 16, padding: 20, size: 24 } as const
export const FUSE_NOTIFY_STORE = 4

/** `struct fuse_lseek_in` and `struct fuse_lseek_out` */
export const LSEEK_IN = { fh: 0, offset: 8, whence: 16, size: 24 } as const
export const LSEEK_OUT = { offset: 0, size: 8 } as const
export const SEEK_DATA = 3
export const SEEK_HOLE = 4

/** `struct fuse_getattr_in` */
export const GETATTR_IN = { size: 16 } as const

/** `struct fuse_getxattr_in` and `struct fuse_getxattr_out` */
export const GETXATTR_IN = { size_: 0, size: 8 } as const
export const GETXATTR_OUT = { size_: 0, size: 8 } as const

/** `struct fuse_access_in` */
export const ACCESS_IN = { mask: 0, size: 8 } as const

/** `struct fuse_ioctl_in` and `struct fuse_ioctl_out`, which the data follows */
export const IOCTL_IN = { cmd: 12, out_size: 28, size: 32 } as const
export const IOCTL_OUT = { size: 16 } as const
/** `_IOR('f', 1, long)`; its data is an `int` all the same */
export const FS_IOC_GETFLAGS = 0x8008_6601
/** `_IOR('X', 31, struct fsxattr)` */
export const FS_IOC_FSGETXATTR = 0x801c_581f
/** `struct fsxattr` */
export const FSXATTR = { xflags: 0, projid: 12, size: 28 } as const

/** `struct fuse_statfs_out` (`struct fuse_kstatfs`) */
export const STATFS_OUT = {
  blocks: 0,
  bfree: 8,
  bavail: 16,
  files: 24,
  ffree: 32,
  bsize: 40,
  namelen: 44,
  frsize: 48,
  size: 80,
} as const

/** `struct fuse_forget_in` */
export const FORGET_IN = { nlookup: 0, size: 8 } as const
/** `struct fuse_batch_forget_in`, followed by `count` of `struct fuse_forget_one` */
export const BATCH_FORGET_IN = { count: 0, size: 8 } as const
export const FORGET_ONE = { nodeid: 0, nlookup: 8, size: 16 } as const

/** `struct fuse_interrupt_in` */
export const INTERRUPT_IN = { unique: 0, size: 8 } as const

/** `struct fuse_dirent`, followed by the name, padded to a multiple of 8 */
export const DIRENT = { ino: 0, off: 8, namelen: 16, type: 20, name: 24 } as const
/** `struct fuse_direntplus` */
export const DIRENTPLUS = { dirent: ENTRY_OUT.size, name: ENTRY_OUT.size + DIRENT.name } as const

/** Longest name that the kernel takes in a listing (`FUSE_NAME_MAX` before 6.14). */
export const FUSE_NAME_MAX = 1024

/** `struct fuse_init_in`; kernels before 7.36 send the first 16 bytes only */
export const INIT_IN = { major: 0, minor: 4, max_readahead: 8, flags: 12, flags2: 16, size: 16 } as const
/** `struct fuse_init_out`; kernels before 7.23 take the first 24 bytes only */
export const INIT_OUT = {
  major: 0,
  minor: 4,
  max_readahead: 8,
  flags: 12,
  max_background: 16,
  congestion_threshold: 18,
  max_write: 20,
  time_gran: 24,
  max_pages: 28,
  map_alignment: 30,
  flags2: 32,
  size: 64,
  compat22: 24,
} as const

/** Flags of INIT (lower 32 bits). */
export const FUSE_ASYNC_READ = 1 << 0
export const FUSE_EXPORT_SUPPORT = 1 << 4
export const FUSE_DO_READDIRPLUS = 1 << 13
export const FUSE_PARALLEL_DIROPS = 1 << 18
export const FUSE_POSIX_ACL = 1 << 20
export const FUSE_ABORT_ERROR = 1 << 21
export const FUSE_MAX_PAGES = 1 << 22
export const FUSE_CACHE_SYMLINKS = 1 << 23
export const FUSE_NO_OPENDIR_SUPPORT = 1 << 24
export const FUSE_NO_OPEN_SUPPORT = 1 << 17
/** There are upper 32 bits too. */
export const FUSE_INIT_EXT = 1 << 30

/** Flags of INIT (upper 32 bits). */
export const FUSE_NO_EXPORT_SUPPORT = 1 << 6

/** `enum fuse_opcode` */
export const OPCODE = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  GETLK: 31,
  SETLK: 32,
  SETLKW: 33,
  ACCESS: 34,
  CREATE: 35,
  INTERRUPT: 36,
  BMAP: 37,
  DESTROY: 38,
  IOCTL: 39,
  POLL: 40,
  NOTIFY_REPLY: 41,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  SETUPMAPPING: 48,
  REMOVEMAPPING: 49,
  SYNCFS: 50,
  TMPFILE: 51,
  STATX: 52,
  COPY_FILE_RANGE_64: 53,
} as const
