/**
 * The datastores that are measured: one backup of many files in chunks of 4 MiB, compressed as servers keep them, with the
 * bare archive it is of; and one of 10,000 backups, to be listed. Made once and kept.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import * as zlib from "node:zlib"
import * as ChunkIndex from "../../src/domain/datastore/ChunkIndex.ts"
import * as DataBlob from "../../src/domain/datastore/DataBlob.ts"
import * as DynamicIndex from "../../src/domain/datastore/DynamicIndex.ts"
import * as Manifest from "../../src/domain/datastore/Manifest.ts"
import * as SnapshotId from "../../src/domain/datastore/SnapshotId.ts"
import { chunkPath } from "../../src/services/chunks/ChunkStore.ts"
import * as Process from "../Process.ts"
import * as Random from "../Random.ts"

/** What there is. */
export interface Made {
  /** The bare archive. */
  readonly archive: string
  /** The datastore with its backup, `host/bench/2024-01-01T00:00:00Z/root.pxar`. */
  readonly store: string
  /** The datastore of 10,000 backups. */
  readonly many: string
  /** Bytes of the archive. */
  readonly bytes: number
  readonly files: number
  /** MiB of the large file. */
  readonly bigMiB: number
}

/** How it is made. */
export interface Settings {
  readonly directory: string
  readonly quick: boolean
  /** Runs the command `pxar-fuse`. */
  readonly program: ReadonlyArray<string>
  readonly say: (line: string) => void
}

/** The backup, as it is named in its datastore. */
export const SNAPSHOT = "host/bench/2024-01-01T00:00:00Z"
/** The name of its archive. */
export const ARCHIVE = "root.pxar"
/** One large file in it, for reads at random places. */
export const BIG = "big"

const CHUNK = 4 * 1024 * 1024
const GROUPS = 100
const EACH = 100

/** All of it, made now if it is not there yet. */
export const get = async ({ directory, program, quick, say }: Settings): Promise<Made> => {
  const base = path.join(directory, quick ? "quick" : "full", "datastore")
  const marker = path.join(base, "made.json")
  if (fs.existsSync(marker)) return JSON.parse(fs.readFileSync(marker, "utf8")) as Made
  say(`making the datastores in ${base}`)
  fs.rmSync(base, { recursive: true, force: true })
  fs.mkdirSync(base, { recursive: true })
  const files = quick ? 2000 : 20_000
  const tree = path.join(base, "tree")
  const bigMiB = quick ? 32 : 256
  await fill(tree, files, bigMiB)
  const archive = path.join(base, ARCHIVE)
  await Process.run([...program, "create", archive, tree])
  await Process.run(["rm", "-rf", tree])
  const store = path.join(base, "store")
  backUp(archive, store)
  const many = path.join(base, "many")
  fillMany(many)
  const made: Made = { archive, store, many, bytes: fs.statSync(archive).size, files: files + 1, bigMiB }
  fs.writeFileSync(marker, JSON.stringify(made))
  return made
}

/** Files of 16 to 320 KiB, 101 KiB in the middle, of which half can be compressed; and one of some MiB. */
const fill = async (tree: string, files: number, bigMiB: number): Promise<void> => {
  const random = Random.make(files)
  const words = new Uint32Array(1024 * 1024)
  // 2 KiB of noise, then 2 KiB of the same text.
  for (let at = 0; at < words.length; at++) words[at] = at % 1024 < 512 ? random.below(0x1_0000_0000) : 0x20657661
  const content = new Uint8Array(words.buffer)
  for (let index = 0; index < files; index++) {
    const folder = path.join(tree, `folder-${index % 200}`)
    if (index < 200) fs.mkdirSync(folder, { recursive: true })
    const size = Math.floor(16 * 1024 * 20 ** random.next())
    const start = random.below(content.length - size)
    fs.writeFileSync(path.join(folder, `file-${index}`), content.subarray(start, start + size))
    // Signals are handled meanwhile.
    if (index % 1000 === 999) await new Promise(setImmediate)
  }
  const big = fs.openSync(path.join(tree, BIG), "w")
  for (let mib = 0; mib < bigMiB; mib++) {
    const half = crypto.randomBytes(512 * 1024)
    fs.writeSync(big, half)
    fs.writeSync(big, content, 0, 512 * 1024)
  }
  fs.closeSync(big)
}

const sha256 = (bytes: Uint8Array): Uint8Array => crypto.createHash("sha256").update(bytes).digest()

const encode = (content: Uint8Array): Uint8Array => {
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: 1 }
  const packed = zlib.zstdCompressSync(content, { pledgedSrcSize: content.length, params })
  const compressed = packed.length <= content.length
  const body = compressed ? packed : content
  const none = new Uint8Array()
  return DataBlob.encode({ encrypted: false, compressed, crc: zlib.crc32(body), iv: none, tag: none, body })
}

const backUp = (archive: string, store: string): void => {
  const source = fs.openSync(archive, "r")
  const buffer = new Uint8Array(CHUNK)
  const chunks: Array<DynamicIndex.Chunk> = []
  let size = 0
  for (let read = fs.readSync(source, buffer); read > 0; read = fs.readSync(source, buffer)) {
    const content = buffer.subarray(0, read)
    const digest = sha256(content)
    const file = path.join(store, chunkPath(digest))
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, encode(content))
    chunks.push({ length: read, digest })
    size += read
  }
  fs.closeSync(source)
  const index = DynamicIndex.encode(chunks)
  const checksum = sha256(index.subarray(ChunkIndex.HEADER_SIZE))
  index.set(checksum, ChunkIndex.CHECKSUM_OFFSET)
  const folder = path.join(store, SNAPSHOT)
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, `${ARCHIVE}.didx`), index)
  const file = { name: `${ARCHIVE}.didx`, size, checksum, cryptMode: "none" } as const
  fs.writeFileSync(path.join(folder, "index.json.blob"), manifest("bench", "2024-01-01T00:00:00Z", [file]))
}

const manifest = (id: string, time: string, files: Manifest.Fields["files"]): Uint8Array =>
  encode(new TextEncoder().encode(Manifest.encode({ type: "host", id, time: SnapshotId.toEpoch(time), files })))

const fillMany = (store: string): void => {
  fs.mkdirSync(path.join(store, ".chunks"), { recursive: true })
  for (let group = 0; group < GROUPS; group++) {
    for (let at = 0; at < EACH; at++) {
      const time = SnapshotId.fromEpoch(1_700_000_000 + at * 86_400)
      const folder = path.join(store, "host", `machine-${group}`, time)
      fs.mkdirSync(folder, { recursive: true })
      fs.writeFileSync(path.join(folder, "index.json.blob"), manifest(`machine-${group}`, time, []))
    }
  }
}
