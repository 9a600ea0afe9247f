/**
 * Who else has a file system mounted: in another place, or in another mount namespace (a container, a service).
 *
 * A process that serves ends with the last of them. What this user may not look at is not found.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as PathText from "../../domain/PathText.ts"
import { shellWord } from "../../fuse/mount/MountError.ts"
import * as MountTable from "../../fuse/mount/MountTable.ts"

/** One that holds it. */
export interface Holder {
  /** Where, or who, for people. */
  readonly text: string
  readonly isThere: Effect.Effect<boolean>
}

/** Processes that are looked at. */
const MAX_PROCESSES = 10_000

/**
 * Who has this mount's file system besides this mount. To be asked while it is mounted: the kernel gives the numbers of what
 * has ended to others at once.
 */
export const find = Effect.fnUntraced(function* (mount: MountTable.Entry): Effect.fn.Return<Holder | undefined> {
  const table = Effect.orElseSucceed(MountTable.read, () => [])
  const isOther = (entry: MountTable.Entry) => entry.device === mount.device && entry.id !== mount.id
  const other = (yield* table).find(isOther)
  if (other === undefined) return yield* inNamespaces(mount.device)
  return {
    text: `it is mounted on ${shellWord(PathText.print(other.mountPoint))} too`,
    isThere: Effect.map(table, (entries) =>
      entries.some(({ id, device }) => id === other.id && device === other.device),
    ),
  }
})

const inNamespaces = Effect.fnUntraced(function* (device: string): Effect.fn.Return<Holder | undefined> {
  const seen = new Set([namespaceOf("self")])
  for (const pid of processes().slice(0, MAX_PROCESSES)) {
    const namespace = namespaceOf(pid)
    if (namespace === undefined || seen.has(namespace)) continue
    seen.add(namespace)
    const has = () => tableOf(pid).some((entry) => entry.device === device)
    if (has()) {
      const text = `process ${pid} (${commandOf(pid)}) still has it, in another mount namespace`
      return { text, isThere: Effect.sync(has) }
    }
    // Other users' processes can be many.
    yield* Effect.yieldNow
  }
  return undefined
})

const attempt = <A, B>(read: () => A, otherwise: B): A | B => {
  try {
    return read()
  } catch {
    // The process has ended, or is none of this user's business.
    return otherwise
  }
}

const processes = (): ReadonlyArray<string> =>
  attempt(() => fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)), [])

const namespaceOf = (pid: string): string | undefined =>
  attempt(() => fs.readlinkSync(`/proc/${pid}/ns/mnt`), undefined)

const tableOf = (pid: string): ReadonlyArray<MountTable.Entry> =>
  attempt(() => MountTable.parse(fs.readFileSync(`/proc/${pid}/mountinfo`)), [])

const commandOf = (pid: string): string =>
  attempt(
    () =>
      fs
        .readFileSync(`/proc/${pid}/comm`, "latin1")
        .trim()
        .replace(/[^\w:./@+ -]/g, "?"),
    "?",
  )
