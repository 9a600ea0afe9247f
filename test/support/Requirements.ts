/**
 * What a test needs of the machine it runs on.
 *
 * A machine with nothing but Node and npm can run all tests: those that need more are skipped, and say why. In CI
 * nothing that can be had is skipped: where there is a `/dev/fuse` a missing tool is a failure.
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import type { TestContext } from "vitest"

/** External programs, with the Debian package that has them. */
const packages = {
  "7z": "p7zip-full",
  bash: "bash",
  bsdtar: "libarchive-tools",
  cadaver: "cadaver",
  chromium: "chromium",
  cp: "coreutils",
  curl: "curl",
  debugfs: "e2fsprogs",
  find: "findutils",
  fish: "fish",
  fusermount3: "fuse3",
  getcap: "libcap2-bin",
  ip: "iproute2",
  getfacl: "acl",
  getfattr: "attr",
  losetup: "mount",
  lsattr: "e2fsprogs",
  nginx: "nginx",
  nsenter: "util-linux",
  man: "man-db",
  mcopy: "mtools",
  mke2fs: "e2fsprogs",
  "mkfs.ext4": "e2fsprogs",
  "mkfs.fat": "dosfstools",
  mkntfs: "ntfs-3g",
  "mount.davfs": "davfs2",
  "mount.fuse3": "fuse3",
  mount: "mount",
  ntfscat: "ntfs-3g",
  openssl: "openssl",
  python3: "python3",
  rclone: "rclone",
  rsync: "rsync",
  script: "bsdutils",
  setpriv: "util-linux",
  sfdisk: "fdisk",
  smbclient: "smbclient",
  smbd: "samba",
  "swift-proxy-server": "swift-proxy swift-account swift-container swift-object",
  "systemd-analyze": "systemd",
  tar: "tar",
  tmux: "tmux",
  umount: "mount",
  unshare: "util-linux",
  unzip: "unzip",
  zsh: "zsh",
} as const

export type Tool = keyof typeof packages

export interface Needs {
  /** Files of the host that mounting needs: `/dev/fuse`, and the right or the helper to mount. */
  readonly mount?: boolean
  /** Being root. */
  readonly root?: boolean
  /** The package `fuse-native`, and libfuse 2. */
  readonly fuseNative?: boolean
  /** The module of Samba that shows Previous Versions. */
  readonly shadowCopy?: boolean
  /** Other users can read this checkout. */
  readonly otherUsers?: boolean
  readonly tools?: ReadonlyArray<Tool>
}

export const isRoot = process.geteuid?.() === 0

/** The user and group `nobody` and `nogroup` of Debian: an ordinary user without files. */
export const NOBODY = 65_534

const CAP_SYS_ADMIN = 21n

/** Skips the test where something is missing; fails it in CI where there is a `/dev/fuse`. Use as a `beforeEach`. */
export const need =
  (needs: Needs) =>
  (context: TestContext): void => {
    const missing = firstMissing(needs)
    if (missing === undefined) return
    if (process.env["CI"] === "true" && fs.existsSync("/dev/fuse"))
      throw new Error(`in CI this test must run: ${missing}`)
    context.skip(missing)
  }

const firstMissing = ({
  fuseNative = false,
  mount = false,
  otherUsers = false,
  root = false,
  shadowCopy = false,
  tools = [],
}: Needs): string | undefined => {
  if (root && !isRoot) return "needs root"
  if (mount) {
    if (!fs.existsSync("/dev/fuse")) return "needs /dev/fuse (modprobe fuse; in a container, pass it in)"
    if (isRoot && !mayMount()) return "needs the right to mount (CAP_SYS_ADMIN)"
    if (!isRoot && !mayOpen("/dev/fuse")) return "needs a /dev/fuse that may be opened (chmod 666 /dev/fuse)"
  }
  if (fuseNative && !hasFuseNative()) return "needs libfuse 2 and fuse-native (apt-get install libfuse2, npm ci)"
  const tool = [...tools, ...(mount && !isRoot ? (["fusermount3"] as const) : [])].find((tool) => !isOnPath(tool))
  if (tool !== undefined) return `needs ${tool} (apt-get install ${packages[tool]})`
  if (shadowCopy && !hasShadowCopy()) return "needs the module shadow_copy2 (apt-get install samba-vfs-modules)"
  if (otherUsers) {
    const closed = closedFolder()
    if (closed !== undefined) return `needs a checkout that other users can read (chmod o+rX ${closed})`
  }
  return undefined
}

let fuseNative: boolean | undefined

const hasFuseNative = (): boolean => (fuseNative ??= loadsFuseNative())

const loadsFuseNative = (): boolean => {
  const script = 'require("node-gyp-build")(require("path").dirname(require.resolve("fuse-native/package.json")))'
  return spawnSync(process.execPath, ["-e", script], { cwd: import.meta.dirname, stdio: "ignore" }).status === 0
}

const hasShadowCopy = (): boolean =>
  fs.readdirSync("/usr/lib").some((folder) => fs.existsSync(`/usr/lib/${folder}/samba/vfs/shadow_copy2.so`))

const mayMount = (): boolean => {
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(fs.readFileSync("/proc/self/status", "latin1"))
  return capabilities !== null && ((BigInt(`0x${capabilities[1]}`) >> CAP_SYS_ADMIN) & 1n) === 1n
}

const mayOpen = (file: string): boolean => {
  try {
    fs.accessSync(file, fs.constants.R_OK | fs.constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Administrators' programs are not on every user's PATH. */
const isOnPath = (tool: string): boolean =>
  [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin"].some((folder) =>
    fs.existsSync(path.join(folder, tool)),
  )

/** The first folder on the way to this checkout that others may not enter, or a file that they may not read. */
const closedFolder = (): string | undefined => {
  let folder = "/"
  for (const name of import.meta.dirname.split("/")) {
    folder = path.join(folder, name)
    if ((fs.statSync(folder).mode & 0o001) === 0) return folder
  }
  return (fs.statSync(import.meta.filename).mode & 0o004) === 0 ? import.meta.filename : undefined
}
