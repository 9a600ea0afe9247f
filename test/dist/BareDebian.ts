/**
 * A Debian 12 with nothing in it but what every Debian has, in a folder and a mount namespace of its own. Programs run in it
 * by `chroot`. Whatever they mount is gone with the namespace, and the folder with the scope.
 */
import { type SpawnSyncReturns, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

export interface BareDebian {
  readonly root: string
  /** Runs a shell script in it, as root or as another user; fails unless it ends with 0. Returns what it printed. */
  readonly run: (script: string, options?: { readonly user?: string | undefined }) => string
  readonly remove: () => void
}

/** Nothing of this process's own, as a cache in a folder that is not there. */
const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  DEBIAN_FRONTEND: "noninteractive",
}

const PATIENTLY = { encoding: "utf8", env: ENVIRONMENT, timeout: 300_000 } as const

const check = (what: string, { error, status, stderr, stdout }: SpawnSyncReturns<string>): string => {
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${what}: ends with ${status}\n${stdout}${stderr}`)
  return stdout
}

/** Makes one. `debootstrap` and apt's mirrors are needed. */
export const make = (): BareDebian => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "pxar-fuse-debian-"))
  fs.chmodSync(root, 0o755)
  const run = (command: string, args: ReadonlyArray<string>) => check(command, spawnSync(command, args, PATIENTLY))
  const files = ["--variant=minbase", "bookworm", root, "http://deb.debian.org/debian"]
  // It gives up when a mirror has failed once, and goes on with what it has when it is started again.
  let tries = 0
  while (spawnSync("debootstrap", ["--download-only", ...files], PATIENTLY).status !== 0 && ++tries < 4);
  run("debootstrap", files)
  for (const file of ["etc/resolv.conf", "etc/hosts"]) fs.copyFileSync(`/${file}`, path.join(root, file))
  // As whoever boots a Debian has it.
  fs.symlinkSync("../proc/self/mounts", path.join(root, "etc/mtab"))
  run("mknod", ["-m", "666", path.join(root, "dev/fuse"), "c", "10", "229"])
  return {
    root,
    run: (script, { user } = {}) => {
      const inside =
        user === undefined
          ? ["sh", "-ec", script]
          : ["setpriv", `--reuid=${user}`, "--clear-groups", "sh", "-ec", script]
      const words = inside.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(" ")
      const outside = `mount -t proc proc '${root}/proc' && exec chroot '${root}' ${words}`
      return run("unshare", [
        "--mount",
        "--propagation=private",
        "--pid",
        "--fork",
        "--kill-child",
        "sh",
        "-c",
        outside,
      ])
    },
    remove: () => fs.rmSync(root, { recursive: true, force: true }),
  }
}
