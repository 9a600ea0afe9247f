/**
 * Who else has a file system mounted: in another place, or in another mount namespace (a container, a service).
 *
 * A process that serves ends with the last of them. What this user may not look at is not found.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import { shellWord } from "../../fuse/mount/MountError.ts"
import * as MountTable from "../../fuse/mount/MountTable.ts"

const CONNECTIONS = "/sys/fs/fuse/connections"

/** Processes that are looked at. */
const MAX_PROCESSES = 10_000

/** Where the file system with this device (`major:minor`) is mounted still, for people; `undefined` if nowhere. */
export const find = (device: string): Effect.Effect<string | undefined> =>
  Effect.gen(function* () {
    if (hasEnded(device)) return undefined
    const entries = yield* Effect.orElseSucceed(MountTable.read, () => [])
    const other = entries.find((entry) => entry.device === device)
    if (other !== undefined) return `it is mounted on ${shellWord(other.mountPoint.toString())} too`
    return yield* inNamespaces(device)
  })

/** The kernel lists connections that still live, where its control file system is mounted. */
const hasEnded = (device: string): boolean =>
  fs.existsSync(CONNECTIONS) &&
  fs.readdirSync(CONNECTIONS).length > 0 &&
  !fs.existsSync(`${CONNECTIONS}/${device.split(":")[1]}`)

const inNamespaces = Effect.fnUntraced(function* (device: string): Effect.fn.Return<string | undefined> {
  const seen = new Set([namespaceOf("self")])
  for (const pid of processes().slice(0, MAX_PROCESSES)) {
    const namespace = namespaceOf(pid)
    if (namespace === undefined || seen.has(namespace)) continue
    seen.add(namespace)
    if (tableOf(pid).some((entry) => entry.device === device)) {
      return `process ${pid} (${commandOf(pid)}) still has it, in another mount namespace`
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
