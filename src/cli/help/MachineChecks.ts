/**
 * What a mount needs of this machine, looked at without changing anything. Each check answers, whatever it finds.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { DoctorJson } from "../../domain/json/DoctorJson.ts"
import * as Libc from "../../services/posix/Libc.ts"
import * as ErrorMessage from "../ErrorMessage.ts"

/** What is looked at: this machine; in tests another. */
export interface Machine {
  /** Before every path that is looked at. */
  readonly root: string
  readonly nodeVersion: string
  readonly uid: number
  /** Folders in which programs are looked for. */
  readonly path: ReadonlyArray<string>
  /** Loads what speaks to libc, or throws. */
  readonly loadLibc: () => void
}

export const thisMachine = (): Machine => ({
  root: "/",
  nodeVersion: process.versions.node,
  uid: process.geteuid?.() ?? 0,
  path: (process.env["PATH"] ?? "").split(":").filter((folder) => folder !== ""),
  loadLibc: () => void Libc.libc(),
})

/** All checks, in the order in which one would mend what they find. */
export const all = (machine: Machine): ReadonlyArray<DoctorJson> =>
  [node, system, libc, proc, device, fusermount, userAllowOther, userNamespace, openFiles].flatMap((check) =>
    check(machine),
  )

type Check = (machine: Machine) => ReadonlyArray<DoctorJson>

const ok = (check: string, found: string): ReadonlyArray<DoctorJson> => [{ check, state: "ok", found }]
const bad = (check: string, state: "warn" | "fail", found: string, advice: string): ReadonlyArray<DoctorJson> => [
  { check, state, found, advice },
]

/** A small file's text; `undefined` if it cannot be read. */
const text = ({ root }: Machine, file: string): string | undefined => {
  try {
    return fs.readFileSync(path.join(root, file), "utf8")
  } catch {
    return undefined
  }
}

const node: Check = ({ nodeVersion }) => {
  const major = Number(nodeVersion.split(".")[0])
  return major >= 24
    ? ok("node", `Node ${nodeVersion}`)
    : bad(
        "node",
        "warn",
        `Node ${nodeVersion}`,
        "a key that is wrapped with a master key can be unwrapped with Node 24 or newer only",
      )
}

const system: Check = () => ok("system", `${os.type()} ${os.release()}, ${os.arch()}`)

const libc: Check = ({ loadLibc }) => {
  try {
    loadLibc()
    return ok("libc", "system calls can be made")
  } catch (error) {
    return bad(
      "libc",
      "fail",
      `koffi, which makes system calls, cannot be loaded: ${ErrorMessage.of(error)}`,
      "install pxar-fuse with its optional dependencies (npm install -g pxar-fuse), for this kind of machine",
    )
  }
}

const proc: Check = (machine) =>
  text(machine, "proc/self/mountinfo") === undefined
    ? bad("proc", "fail", "/proc is not there", "mount it: mount -t proc proc /proc")
    : ok("proc", "/proc is there")

const device: Check = ({ root }) => {
  const file = path.join(root, "dev/fuse")
  if (!fs.existsSync(file)) {
    return bad(
      "device",
      "fail",
      "there is no /dev/fuse",
      "load it with: modprobe fuse; in a container give it in (docker: --device /dev/fuse --cap-add SYS_ADMIN). All but `mount` works without",
    )
  }
  try {
    fs.accessSync(file, fs.constants.R_OK | fs.constants.W_OK)
    return ok("device", "/dev/fuse can be opened")
  } catch {
    return bad("device", "fail", "/dev/fuse may not be opened by this user", "as root: chmod 666 /dev/fuse")
  }
}

const fusermount: Check = (machine) => {
  const { path: folders, root, uid } = machine
  const found = folders.map((folder) => path.join(root, folder, "fusermount3")).find((file) => fs.existsSync(file))
  const install = "install fuse3 (Debian: apt-get install fuse3)"
  if (found === undefined) {
    return uid === 0
      ? ok("fusermount3", "not there; root needs none")
      : bad(
          "fusermount3",
          "fail",
          "there is no fusermount3 on PATH, through which users other than root mount",
          install,
        )
  }
  const { mode, uid: owner } = fs.statSync(found)
  return uid === 0 || (owner === 0 && (mode & 0o4000) !== 0)
    ? ok("fusermount3", found)
    : bad("fusermount3", "fail", `${found} is not set-uid root`, `as root: chmod u+s ${found}, or ${install}`)
}

const userAllowOther: Check = (machine) => {
  if (machine.uid === 0) return []
  const allows = /^\s*user_allow_other\s*$/m.test(text(machine, "etc/fuse.conf") ?? "")
  return allows
    ? ok("allow_other", "-o allow_other is allowed to all users")
    : bad(
        "allow_other",
        "warn",
        "only this user will see what it mounts",
        "for -o allow_other put a line user_allow_other into /etc/fuse.conf, as root",
      )
}

/** All user ids, as the first namespace has them. */
const ALL_IDS = /^\s*0\s+0\s+4294967295\s*$/

const userNamespace: Check = (machine) => {
  const map = text(machine, "proc/self/uid_map")
  if (map === undefined || ALL_IDS.test(map)) return ok("namespace", "user ids are those of the machine")
  return bad(
    "namespace",
    "warn",
    "a user namespace, as in an unprivileged container",
    "users and groups who do not exist here are shown as nobody, and ACLs leave them out; outside of the container all is shown",
  )
}

/** Open files below which many archives in one mount may run out of them. */
const FEW_FILES = 1024

const openFiles: Check = (machine) => {
  const limit = /^Max open files\s+(\d+)/m.exec(text(machine, "proc/self/limits") ?? "")?.[1]
  if (limit === undefined) return []
  return Number(limit) < FEW_FILES
    ? bad("open-files", "warn", `at most ${limit} open files`, `ulimit -n ${FEW_FILES} before the mount`)
    : ok("open-files", `at most ${limit} open files`)
}
