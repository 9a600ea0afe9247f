/**
 * As whom this process mounts and unmounts: what is asked of the process itself, in one place, so that an embedder or a
 * test can say otherwise.
 */
import * as fs from "node:fs"
import * as Context from "effect/Context"
import * as ChildEnvironment from "../../services/posix/ChildEnvironment.ts"
import * as MappedIds from "../bridge/MappedIds.ts"

export interface Mounter {
  /** The user and group to whom a mount belongs. */
  readonly uid: number
  readonly gid: number
  /** The user whose permissions count: 0 mounts by system call, others through a helper. */
  readonly euid: number
  /** The ids that exist in the user namespace of the mount. */
  readonly maps: MappedIds.Maps
  /** Of the helpers that are started: `PATH` and the like. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** This process's own unless another is provided. */
export const Mounter: Context.Reference<Mounter> = Context.Reference<Mounter>("pxar-fuse/fuse/Mounter", {
  defaultValue: () => ({
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    euid: process.geteuid?.() ?? 0,
    maps: { users: mapOf("uid"), groups: mapOf("gid") },
    // What is secret may become known while an archive is opened.
    get environment() {
      return ChildEnvironment.withoutSecrets()
    },
  }),
})

/** Of this process. Where there is no telling all ids are taken to exist. */
const mapOf = (kind: "uid" | "gid"): ReadonlyArray<MappedIds.Range> => {
  try {
    return MappedIds.parse(fs.readFileSync(`/proc/self/${kind}_map`, "latin1"))
  } catch {
    return MappedIds.EVERYBODY
  }
}
