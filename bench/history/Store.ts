/**
 * The datastore of many backups of one machine, made without any files: indexes, manifests and the chunks of metadata are
 * written as they are. Of payloads there are indexes alone, so that whoever wants contents fails.
 *
 * A machine has folders with files. From one backup to the next a few folders get new names for many of their files (mail,
 * logs, caches), and some files here and there are written anew. Where contents stand moves with each change, as it does in
 * real backups: so metadata differs from the first change on, in every chunk.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import * as zlib from "node:zlib"
import * as ByteBuilders from "../../src/domain/ByteBuilder.ts"
import * as Bytes from "../../src/domain/Bytes.ts"
import * as ChunkIndex from "../../src/domain/datastore/ChunkIndex.ts"
import * as DataBlob from "../../src/domain/datastore/DataBlob.ts"
import * as DynamicIndex from "../../src/domain/datastore/DynamicIndex.ts"
import * as Manifest from "../../src/domain/datastore/Manifest.ts"
import * as SnapshotId from "../../src/domain/datastore/SnapshotId.ts"
import { noAttributes } from "../../src/domain/pxar/Entry.ts"
import * as EntryEncoder from "../../src/domain/pxar/EntryEncoder.ts"
import * as GoodbyeEncoder from "../../src/domain/pxar/GoodbyeEncoder.ts"
import * as SipHash from "../../src/domain/pxar/SipHash.ts"
import { chunkPath } from "../../src/services/chunks/ChunkStore.ts"
import * as Random from "../Random.ts"

/** How large it is. */
export interface Size {
  readonly snapshots: number
  /** Files of a backup. */
  readonly files: number
  /** Files that get another name from one backup to the next. */
  readonly renamed: number
  /** Files that are written anew. */
  readonly written: number
}

/** What there is. */
export interface Made extends Size {
  readonly store: string
  /** Different paths of files. */
  readonly paths: number
  /** Different names. */
  readonly names: number
  /** Bytes of the last backup's metadata. */
  readonly metadata: number
}

/** A thousand backups of a machine with 100,000 files: ten million paths. */
export const FULL: Size = { snapshots: 1000, files: 100_000, renamed: 9_900, written: 300 }
/** The same in little. */
export const QUICK: Size = { snapshots: 100, files: 20_000, renamed: 1_000, written: 60 }

/** The group. */
export const GROUP = "host/bench"

const FILES = 33
const LEAVES = 50
/** Files that get another name stand together, so many in a folder. */
const TOGETHER = 30
const METADATA_CHUNK = 256 * 1024
const PAYLOAD_CHUNK = 4 * 1024 * 1024

interface File {
  name: string
  size: number
  seconds: number
}

/** A folder without folders, as bytes that can stand anywhere. */
interface Leaf {
  readonly name: string
  readonly files: Array<File>
  seconds: number
  bytes: Uint8Array
  /** Where references to contents stand in it, and the sizes of those. */
  places: Float64Array
  isChanged: boolean
}

/** The datastore below `directory`, made now if it is not there yet. */
export const get = (directory: string, size: Size, say: (line: string) => void): Made => {
  const base = path.join(directory, `history-${size.snapshots}x${size.files}`)
  const marker = path.join(base, "made.json")
  if (fs.existsSync(marker)) return JSON.parse(fs.readFileSync(marker, "utf8")) as Made
  fs.rmSync(base, { recursive: true, force: true })
  say(`making ${size.snapshots} backups of ${size.files} files in ${base}`)
  const made = make(path.join(base, "store"), size)
  fs.writeFileSync(marker, JSON.stringify(made))
  return made
}

/** Names that are in many folders. */
const SHARED_NAMES = 49_999

const EXTENSIONS = ["txt", "json", "jpg", "log", "conf", "o", "py", "html"]
const WORDS = ["report", "invoice", "index", "letter", "photo", "backup", "readme", "module", "session", "draft"]

const make = (store: string, size: Size): Made => {
  const random = Random.make(size.snapshots)
  let serial = 0
  const named = new Set<string>()
  /** Every second name is of its own, the others come again in other folders. */
  const nextName = (): string => {
    const isOwn = serial++ % 2 === 0
    const number = isOwn ? serial : (serial >>> 1) % SHARED_NAMES
    const word = WORDS[number % WORDS.length] as string
    const extension = EXTENSIONS[number % EXTENSIONS.length] as string
    const name = isOwn ? `${word}_${number.toString(36)}.${extension}` : `${word}-${number}.${extension}`
    named.add(name)
    return name
  }
  const fileOf = (seconds: number): File => ({ name: nextName(), size: 200 + random.below(40_000), seconds })

  const start = SnapshotId.toEpoch("2020-01-01T00:00:00Z")
  const leaves: Array<Leaf> = Array.from({ length: Math.ceil(size.files / FILES) }, (_, at) => ({
    name: `folder-${at % LEAVES}`,
    files: Array.from({ length: Math.min(FILES, size.files - at * FILES) }, () => fileOf(start - random.below(1e8))),
    seconds: start,
    bytes: Bytes.empty,
    places: new Float64Array(),
    isChanged: true,
  }))
  const tops = Array.from({ length: Math.ceil(leaves.length / LEAVES) }, (_, at) =>
    leaves.slice(at * LEAVES, (at + 1) * LEAVES),
  )
  fs.mkdirSync(path.join(store, ".chunks"), { recursive: true })
  const prefixes = new Set<string>()
  let metadata = 0
  for (let day = 0; day < size.snapshots; day++) {
    const seconds = start + day * 86_400
    if (day > 0) {
      for (let left = size.renamed; left > 0; left -= TOGETHER) {
        const leaf = leaves[random.below(leaves.length)] as Leaf
        for (let at = Math.min(left, TOGETHER, leaf.files.length) - 1; at >= 0; at--) {
          const file = fileOf(seconds)
          if (leaf.files.every(({ name }) => name !== file.name)) leaf.files[at] = file
        }
        leaf.seconds = seconds
        leaf.isChanged = true
      }
      for (let left = size.written; left > 0; left--) {
        const leaf = leaves[random.below(leaves.length)] as Leaf
        const file = leaf.files[random.below(leaf.files.length)] as File
        file.size = 200 + random.below(40_000)
        file.seconds = seconds
        leaf.isChanged = true
      }
    }
    metadata = backUp(store, prefixes, tops, seconds)
  }
  const paths = size.files + (size.snapshots - 1) * size.renamed
  return { ...size, store, paths, names: named.size, metadata }
}

const metadataOf = (mode: number, seconds: number): EntryEncoder.Metadata => ({
  mode,
  flags: 0n,
  uid: 1000,
  gid: 1000,
  mtimeSeconds: BigInt(seconds),
  mtimeNanos: 0,
  attributes: noAttributes,
})

const FOLDER = 0o040755
const FILE = 0o100644

const encodeLeaf = (leaf: Leaf): void => {
  const to = ByteBuilders.make(8192)
  EntryEncoder.writeEntry(to, metadataOf(FOLDER, leaf.seconds))
  const children = GoodbyeEncoder.makeChildren()
  const places: Array<number> = []
  for (const { name, seconds, size } of leaf.files) {
    const bytes = Bytes.fromText(name)
    const at = to.length
    EntryEncoder.writeName(to, bytes)
    EntryEncoder.writeEntry(to, metadataOf(FILE, seconds))
    EntryEncoder.writePayloadRef(to, 16, size)
    places.push(to.length - 16, size)
    GoodbyeEncoder.addChild(children, SipHash.hash(bytes), at, to.length - at)
  }
  GoodbyeEncoder.writeGoodbye(to, children, to.length, 0)
  leaf.bytes = to.bytes.slice(0, to.length)
  leaf.places = Float64Array.from(places)
  leaf.isChanged = false
}

/** Memory for the metadata of a backup. */
const to = ByteBuilders.make(1 << 24)

/** Writes a backup; returns the bytes of its metadata. */
const backUp = (
  store: string,
  prefixes: Set<string>,
  tops: ReadonlyArray<ReadonlyArray<Leaf>>,
  seconds: number,
): number => {
  to.length = 0
  EntryEncoder.writeVersion(to)
  EntryEncoder.writeEntry(to, metadataOf(FOLDER, 0))
  let payload = 16
  const root = GoodbyeEncoder.makeChildren()
  for (const [number, leaves] of tops.entries()) {
    const name = Bytes.fromText(`part-${number}`)
    const start = to.length
    EntryEncoder.writeName(to, name)
    const entry = to.length
    EntryEncoder.writeEntry(to, metadataOf(FOLDER, 0))
    const children = GoodbyeEncoder.makeChildren()
    for (const leaf of leaves) {
      if (leaf.isChanged) encodeLeaf(leaf)
      const at = to.length
      const leafName = Bytes.fromText(leaf.name)
      EntryEncoder.writeName(to, leafName)
      const from = ByteBuilders.reserve(to, leaf.bytes.length)
      to.bytes.set(leaf.bytes, from)
      for (let place = 0; place < leaf.places.length; place += 2) {
        Bytes.setU64(to.view, from + (leaf.places[place] as number), payload)
        payload += 16 + (leaf.places[place + 1] as number)
      }
      GoodbyeEncoder.addChild(children, SipHash.hash(leafName), at, to.length - at)
    }
    GoodbyeEncoder.writeGoodbye(to, children, to.length, entry)
    GoodbyeEncoder.addChild(root, SipHash.hash(name), start, to.length - start)
  }
  GoodbyeEncoder.writeGoodbye(to, root, to.length, 0)
  const content = to.bytes.subarray(0, to.length)

  const time = SnapshotId.fromEpoch(seconds)
  const folder = path.join(store, GROUP, time)
  fs.mkdirSync(folder, { recursive: true })
  const chunks: Array<DynamicIndex.Chunk> = []
  for (let at = 0; at < content.length; at += METADATA_CHUNK) {
    const part = content.subarray(at, at + METADATA_CHUNK)
    const digest = sha256(part)
    putChunk(store, prefixes, digest, part)
    chunks.push({ length: part.length, digest })
  }
  const contents: Array<DynamicIndex.Chunk> = []
  for (let at = 0; at < payload; at += PAYLOAD_CHUNK) {
    // No such chunk is there.
    contents.push({ length: Math.min(PAYLOAD_CHUNK, payload - at), digest: sha256(Bytes.fromText(`${time} ${at}`)) })
  }
  const files = [putIndex(folder, "root.mpxar.didx", chunks), putIndex(folder, "root.ppxar.didx", contents)]
  const text = Manifest.encode({ type: "host", id: "bench", time: seconds, files })
  fs.writeFileSync(path.join(folder, "index.json.blob"), encode(Bytes.fromText(text)))
  return content.length
}

const sha256 = (bytes: Uint8Array): Uint8Array => crypto.createHash("sha256").update(bytes).digest()

const putChunk = (store: string, prefixes: Set<string>, digest: Uint8Array, content: Uint8Array): void => {
  const file = path.join(store, chunkPath(digest))
  const prefix = path.dirname(file)
  if (!prefixes.has(prefix)) fs.mkdirSync(prefix, { recursive: true })
  prefixes.add(prefix)
  if (!fs.existsSync(file)) fs.writeFileSync(file, encode(content))
}

const putIndex = (folder: string, name: string, chunks: ReadonlyArray<DynamicIndex.Chunk>) => {
  const index = DynamicIndex.encode(chunks)
  const checksum = sha256(index.subarray(ChunkIndex.HEADER_SIZE))
  index.set(checksum, ChunkIndex.CHECKSUM_OFFSET)
  fs.writeFileSync(path.join(folder, name), index)
  const size = chunks.reduce((sum, { length }) => sum + length, 0)
  return { name, size, checksum, cryptMode: "none" } as const
}

const encode = (content: Uint8Array): Uint8Array => {
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: 1 }
  const body = zlib.zstdCompressSync(content, { pledgedSrcSize: content.length, params })
  const none = new Uint8Array()
  return DataBlob.encode({ encrypted: false, compressed: true, crc: zlib.crc32(body), iv: none, tag: none, body })
}
