/**
 * Names of the files of a backup (datastore §1.4): what they hold, how they are shown, and which is meant.
 *
 * Only the last extension counts: `.didx`, `.fidx` or `.blob`. It says how the file is stored, and what is shown to people
 * does without it: `root.pxar`, `drive-scsi0.img`, `qemu-server.conf`.
 */
import { isSafeId } from "./SafeId.ts"

/** How a file is stored. */
export type Storage = "dynamic" | "fixed" | "blob"

/** The manifest of a backup; a backup without one is not finished. */
export const MANIFEST = "index.json.blob"
/** The client's log, which no manifest lists. */
export const CLIENT_LOG = "client.log.blob"
/** The key of the backup, wrapped for a master key (datastore §5.5). */
export const WRAPPED_KEY = "rsa-encrypted.key.blob"

/** How a file of this name is stored; `undefined` for a name that is not one of a backup's files (`UnsafeName`). */
export const storage = (name: string): Storage | undefined => {
  if (!isSafeId(name)) return undefined
  if (name.endsWith(".didx")) return "dynamic"
  if (name.endsWith(".fidx")) return "fixed"
  return name.endsWith(".blob") ? "blob" : undefined
}

/** The name without the extension that says how it is stored. */
export const withoutStorage = (name: string): string => name.replace(/\.(?:didx|fidx|blob)$/, "")

/** The payload half that belongs to the metadata half of a split archive; `undefined` for any other name. */
export const payloadOf = (name: string): string | undefined =>
  name.endsWith(".mpxar.didx") ? name.replace(/\.mpxar\.didx$/, ".ppxar.didx") : undefined

/** An archive, image or other file of a backup as it is shown. */
export interface Shown {
  /** As people call it: an archive is `X.pxar`, split or not. */
  readonly shown: string
  readonly kind: "archive" | "image" | "catalog" | "blob" | "stream"
  /** The file that holds it, or that holds the metadata of a split archive. */
  readonly name: string
  /** The payload half of a split archive, whether it is there or not. */
  readonly payload: string | undefined
}

/**
 * What is shown of the files in a manifest, in its order. Where a split and a whole archive have one name the split one is
 * shown as `X.mpxar`. Names that are no safe ones, and second files of a name, are left out.
 */
export const shownOf = (names: ReadonlyArray<string>): ReadonlyArray<Shown> => {
  const here = new Set(names)
  const found: Array<Shown> = []
  for (const name of here) {
    const stored = storage(name)
    if (stored === undefined || name.endsWith(".ppxar.didx")) continue
    const plain = withoutStorage(name)
    if (stored === "blob") found.push({ shown: plain, kind: "blob", name, payload: undefined })
    else if (stored === "fixed") found.push({ shown: plain, kind: "image", name, payload: undefined })
    else if (name.endsWith(".mpxar.didx")) {
      const whole = name.replace(/\.mpxar\.didx$/, ".pxar.didx")
      const shown = here.has(whole) ? plain : withoutStorage(whole)
      found.push({ shown, kind: "archive", name, payload: payloadOf(name) })
    } else {
      const kind = plain.endsWith(".pxar") ? "archive" : plain.endsWith(".pcat1") ? "catalog" : "stream"
      found.push({ shown: plain, kind, name, payload: undefined })
    }
  }
  return found
}

/**
 * The file that is meant by a name as people give it: as it is shown, as it is stored, or either half of a split archive
 * (datastore §1.4). `undefined` if there is none.
 */
export const resolve = (files: ReadonlyArray<Shown>, given: string): Shown | undefined =>
  files.find(({ shown }) => shown === given) ??
  files.find(({ name, payload }) => [name, payload].some((stored) => stored !== undefined && isMeant(stored, given)))

const isMeant = (stored: string, given: string): boolean => stored === given || withoutStorage(stored) === given
