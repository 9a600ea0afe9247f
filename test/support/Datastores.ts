/**
 * The datastores of `fixtures/datastore`, unpacked, and what a correct reader finds in them (see the READMEs there).
 *
 * Each is unpacked once a machine, into the project's cache. Tests that change one take a copy.
 */
import { spawnSync } from "node:child_process"
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as zlib from "node:zlib"
import { fileURLToPath } from "node:url"

const fixtures = fileURLToPath(new URL("../../fixtures/datastore", import.meta.url))
const cache = fileURLToPath(new URL("../../node_modules/.cache/datastores", import.meta.url))

export type StoreName = "datastore-plain" | "datastore-encrypted" | "datastore-damaged"

/** The folder that `X.tar.zst` holds, unpacked. */
const unpacked = (archive: string, top: string): string => {
  const bytes = fs.readFileSync(archive)
  const folder = path.join(cache, `${top}-${crypto.createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`)
  if (fs.existsSync(folder)) return path.join(folder, top)
  fs.mkdirSync(cache, { recursive: true })
  // Beside its place, so that no other process sees half of it.
  const fresh = fs.mkdtempSync(path.join(cache, "fresh-"))
  const { status, stderr } = spawnSync("tar", ["-x", "--no-same-owner", "-C", fresh], {
    input: zlib.zstdDecompressSync(bytes, { maxOutputLength: 2 ** 30 }),
  })
  if (status !== 0) throw new Error(`tar ends with ${status}: ${stderr.toString()}`)
  try {
    fs.renameSync(fresh, folder)
  } catch {
    // Somebody else was faster.
    fs.rmSync(fresh, { recursive: true })
  }
  return path.join(folder, top)
}

/** Path of one of the three stores made from the golden archives. */
export const store = (name: StoreName): string => unpacked(path.join(fixtures, `${name}.tar.zst`), name)

/** Path of the store that the reference client wrote. */
export const realStore = (): string => unpacked(path.join(fixtures, "real/datastore-real.tar.zst"), "datastore-real")

/** Path of the objects of a bucket in which a server keeps a datastore, as files under their keys. */
export const realBucket = (): string => unpacked(path.join(fixtures, "real/s3/s3-bucket.tar.zst"), "pbs-bucket")

/** Path of a key file of the three stores. */
export const keyFile = (name: string): string => path.join(unpacked(path.join(fixtures, "keys.tar.zst"), "keys"), name)

/** Path of a key file of the real store. */
export const realKeyFile = (name: string): string => path.join(fixtures, "real/keys", name)

/** A copy of a store that a test may change; removed by `dispose`. */
export const copyOf = (from: string): { readonly path: string; readonly dispose: () => void } => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pxar-datastore-"))
  const target = path.join(folder, path.basename(from))
  fs.cpSync(from, target, { recursive: true })
  return { path: target, dispose: () => fs.rmSync(folder, { recursive: true, force: true }) }
}

/** A range of a stream and the SHA-256 of its bytes. */
export interface ExpectedRead {
  readonly offset: number
  readonly length: number
  readonly sha256?: string
}

export interface ExpectedFile {
  readonly name: string
  readonly type?: "dynamic" | "fixed" | "blob"
  readonly crypt_mode?: string
  readonly in_manifest?: boolean
  readonly size?: number
  readonly sha256?: string
  readonly content_size?: number
  readonly encrypted?: boolean
  readonly chunks?: number
  readonly distinct_chunks?: number
  readonly chunk_size?: number
  readonly reads?: ReadonlyArray<ExpectedRead>
  readonly failing_reads?: ReadonlyArray<ExpectedRead>
  readonly error?: string
  readonly also?: ReadonlyArray<string>
  readonly warning?: string
  readonly bad_file?: boolean
  readonly damaged_ranges?: ReadonlyArray<readonly [start: number, end: number]>
  readonly damaged_chunk?: string
  readonly damaged_file_hex?: string
  readonly pxar?: {
    readonly kind: "single" | "split-metadata" | "split-payload"
    readonly view?: string
    readonly partner?: string
    readonly changes?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  }
}

export interface ExpectedSnapshot {
  readonly ns: string
  readonly snapshot: string
  readonly backup_time: number
  readonly state: "finished" | "unfinished"
  readonly protected?: boolean
  readonly notes?: string
  readonly key?: "key1" | "key2" | null
  readonly key_fingerprint?: string
  readonly signature?: "valid" | "wrong" | "absent"
  readonly error?: string
  readonly error_with_key1?: string
  readonly warning?: string | null
  readonly contents_error?: string
  readonly comment?: string
  readonly files: ReadonlyArray<ExpectedFile>
}

export interface ExpectedStore {
  readonly namespaces: ReadonlyArray<string>
  readonly groups: ReadonlyArray<{
    readonly ns: string
    readonly group: string
    readonly owner?: string
    readonly notes?: string
  }>
  readonly snapshots: ReadonlyArray<ExpectedSnapshot>
  readonly chunk_files: number
}

export interface ExpectedKey {
  readonly kdf?: string
  readonly key?: string
  readonly fingerprint?: string
  readonly passphrase?: string
  readonly error?: string
}

interface Expected {
  readonly keys: Readonly<Record<string, ExpectedKey>>
  readonly stores: Readonly<Record<StoreName, ExpectedStore>>
}

/** What is in the three stores and in their key files. */
export const expected: Expected = JSON.parse(fs.readFileSync(path.join(fixtures, "expected.json"), "utf8"))

/** A snapshot of the real store. */
export interface RealSnapshot {
  readonly ns: string
  readonly snapshot: string
  /** A key file, see `realKeyFile`. */
  readonly key: string | null
  readonly archives: ReadonlyArray<{
    readonly name: string
    readonly view?: string
    readonly sha256?: string
    readonly size?: number
  }>
  readonly streams: ReadonlyArray<{ readonly name: string; readonly size: number; readonly sha256: string }>
}

/** What is in the real store. */
export const realSnapshots = (): ReadonlyArray<RealSnapshot> =>
  JSON.parse(fs.readFileSync(path.join(fixtures, "real/expected/index.json"), "utf8"))

/** What is in the bucket. */
export const bucketSnapshots = (): ReadonlyArray<Omit<RealSnapshot, "streams">> =>
  JSON.parse(fs.readFileSync(path.join(fixtures, "real/s3/expected/index.json"), "utf8"))

/** One entry of what the reference client restored. */
export interface RealView {
  readonly path_hex: string
  readonly kind: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime_ns: string
  readonly size?: number
  readonly sha256?: string
  readonly nlink?: number
  readonly same_inode_as_hex?: string
  readonly target_hex?: string
  readonly rdev?: readonly [major: number, minor: number]
  readonly xattrs?: Readonly<Record<string, string>>
}

/** What the reference client restored from an archive, in the order of the paths' bytes. */
export const realView = (name: string): ReadonlyArray<RealView> => viewIn("real/expected/views", name)

/** The same of an archive in the bucket. */
export const bucketView = (name: string): ReadonlyArray<RealView> => viewIn("real/s3/expected/views", name)

const viewIn = (folder: string, name: string): ReadonlyArray<RealView> =>
  zlib
    .zstdDecompressSync(fs.readFileSync(path.join(fixtures, folder, `${name}.jsonl.zst`)))
    .toString("utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as RealView)
