/**
 * The folder of a datastore as a backup server shows it, for the double of one (see `BackupServer`): rows of its lists, and
 * what a snapshot's indexes name. Written from docs/server.md, apart from the reader that is tested.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as zlib from "node:zlib"

export interface SnapshotKey {
  readonly ns: string
  readonly type: string
  readonly id: string
  readonly time: number
}

/** What the server says when it cannot do something, with the status. */
export class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const TYPES = ["host", "ct", "vm"]

const timeText = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`

/** Below the folder of the datastore. */
export const nsPath = (ns: string): string =>
  ns === ""
    ? ""
    : ns
        .split("/")
        .map((name) => `ns/${name}`)
        .join("/")

export const groupPath = (root: string, { id, ns, type }: Omit<SnapshotKey, "time">): string =>
  path.join(root, nsPath(ns), type, id)

export const snapshotName = ({ id, time, type }: SnapshotKey): string => `${type}/${id}/${timeText(time)}`

export const snapshotPath = (root: string, key: SnapshotKey): string =>
  path.join(groupPath(root, key), timeText(key.time))

const names = (folder: string): ReadonlyArray<string> =>
  fs.existsSync(folder)
    ? fs
        .readdirSync(folder, { withFileTypes: true })
        .filter((item) => item.isDirectory())
        .map(({ name }) => name)
    : []

/** A namespace and those below it, as `a/b`, down to a depth. */
export const namespaces = (root: string, parent: string, depth: number): ReadonlyArray<string> => [
  parent,
  ...(depth === 0
    ? []
    : names(path.join(root, nsPath(parent), "ns")).flatMap((name) =>
        namespaces(root, parent === "" ? name : `${parent}/${name}`, depth - 1),
      )),
]

const text = (file: string): string | undefined => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined)

/** The JSON of a manifest; `undefined` if there is none or it is broken. */
const manifestOf = (folder: string) => {
  try {
    const stored = fs.readFileSync(path.join(folder, "index.json.blob"))
    const body = stored.subarray(12)
    const isZstd = body.readUInt32LE(0) === 0xfd2fb528
    const json = JSON.parse((isZstd ? zlib.zstdDecompressSync(body) : body).toString("utf8"))
    const isWhole =
      Array.isArray(json.files) && json.files.every((file: object) => "filename" in file && "size" in file)
    return isWhole ? { json, size: stored.length } : undefined
  } catch {
    return undefined
  }
}

const times = (folder: string): ReadonlyArray<number> =>
  names(folder).flatMap((name) => (/^\d{4}-.*Z$/.test(name) ? [Date.parse(name) / 1000] : []))

const isListed = (name: string): boolean => /\.(?:blob|didx|fidx)$/.test(name)

const fileRows = (folder: string): ReadonlyArray<object> | undefined => {
  const manifest = manifestOf(folder)
  if (manifest === undefined) return undefined
  const { json, size } = manifest
  const rows = json.files.map((file: Record<string, unknown>) => ({
    filename: file["filename"],
    "crypt-mode": file["crypt-mode"] ?? "none",
    size: file["size"],
  }))
  const known = new Set(rows.map(({ filename }: { readonly filename: string }) => filename))
  const signed = json.files.some((file: Record<string, unknown>) => (file["crypt-mode"] ?? "none") !== "none")
  return [
    ...rows,
    { filename: "index.json.blob", "crypt-mode": signed ? "sign-only" : "none", size },
    ...fs
      .readdirSync(folder)
      .filter((name) => isListed(name) && name !== "index.json.blob" && !known.has(name))
      .map((filename) => ({ filename })),
  ]
}

/** The rows of `files`. */
export const files = (root: string, key: SnapshotKey): ReadonlyArray<object> => {
  const folder = snapshotPath(root, key)
  if (!fs.existsSync(folder)) throw new Refusal(400, "ENOENT: No such file or directory")
  const rows = fileRows(folder)
  if (rows === undefined) throw new Refusal(400, `manifest not found for snapshot '${snapshotName(key)}'`)
  return rows
}

const snapshotRow = ({ id, time, type }: SnapshotKey, folder: string, owner: string): object => {
  const row = { "backup-type": type, "backup-id": id, "backup-time": time }
  const isProtected = fs.existsSync(path.join(folder, ".protected"))
  const rows = fileRows(folder)
  if (rows === undefined) {
    const bare = fs.readdirSync(folder).filter(isListed)
    return { ...row, files: bare.map((filename) => ({ filename })), owner, protected: isProtected }
  }
  const { json } = manifestOf(folder)!
  const notes = json.unprotected?.notes as string | undefined
  const fingerprint = json.unprotected?.["key-fingerprint"] as string | undefined
  const verification = json.unprotected?.verify_state
  return {
    ...row,
    ...(notes === undefined || notes === "" ? {} : { comment: notes.split("\n")[0] }),
    ...(verification === undefined ? {} : { verification }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    files: rows,
    size: rows.reduce((sum: number, file) => sum + ((file as { size?: number }).size ?? 0), 0),
    owner,
    protected: isProtected,
  }
}

/** The rows of `snapshots`. */
export const snapshots = (
  root: string,
  ns: string,
  only: { readonly type?: string; readonly id?: string },
): ReadonlyArray<object> =>
  TYPES.filter((type) => only.type === undefined || only.type === type).flatMap((type) =>
    names(path.join(root, nsPath(ns), type))
      .filter((id) => only.id === undefined || only.id === id)
      .flatMap((id) => {
        const group = groupPath(root, { ns, type, id })
        const owner = text(path.join(group, "owner"))?.split("\n")[0] ?? "root@pam"
        return times(group).map((time) => snapshotRow({ ns, type, id, time }, path.join(group, timeText(time)), owner))
      }),
  )

/** The rows of `groups`. */
export const groups = (root: string, ns: string): ReadonlyArray<object> => {
  if (!fs.existsSync(path.join(root, nsPath(ns)))) throw new Refusal(400, "ENOENT: No such file or directory")
  return TYPES.flatMap((type) =>
    names(path.join(root, nsPath(ns), type)).map((id) => groupRow(type, id, groupPath(root, { ns, type, id }))),
  )
}

const groupRow = (type: string, id: string, group: string): object => {
  const finished = times(group).filter((time) => manifestOf(path.join(group, timeText(time))) !== undefined)
  const last = finished.length === 0 ? 0 : Math.max(...finished)
  const notes = text(path.join(group, "notes"))
  const rows = last === 0 ? [] : (fileRows(path.join(group, timeText(last))) ?? [])
  return {
    "backup-type": type,
    "backup-id": id,
    "last-backup": last,
    "backup-count": times(group).length,
    files: rows.map((row) => (row as { filename: string }).filename),
    owner: text(path.join(group, "owner"))?.split("\n")[0] ?? "root@pam",
    ...(notes === undefined || notes === "" ? {} : { comment: notes.split("\n")[0] }),
  }
}

export const groupNotes = (root: string, group: Omit<SnapshotKey, "time">): string =>
  text(path.join(groupPath(root, group), "notes")) ?? ""

export const notes = (root: string, key: SnapshotKey): string =>
  manifestOf(snapshotPath(root, key))?.json.unprotected?.notes ?? ""

/** The digests that an index names, as hex. */
export const digestsOf = (name: string, index: Buffer): ReadonlyArray<string> => {
  const [width, at] = name.endsWith(".fidx") ? [32, 0] : [40, 8]
  const found: Array<string> = []
  for (let entry = 4096; entry + width <= index.length; entry += width) {
    found.push(index.toString("hex", entry + at, entry + at + 32))
  }
  return found
}
