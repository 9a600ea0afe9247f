/**
 * A datastore on this machine, made from archives of one tree: chunks of 4 MiB, stored as the reference client stores what
 * cannot be compressed.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import * as zlib from "node:zlib"
import { CHECKSUM_OFFSET, HEADER_SIZE } from "../../src/domain/datastore/ChunkIndex.ts"
import * as DataBlob from "../../src/domain/datastore/DataBlob.ts"
import * as DynamicIndex from "../../src/domain/datastore/DynamicIndex.ts"

/** Bytes of a chunk but the last, unless told otherwise. */
export const CHUNK = 4 * 1024 * 1024
const TIME = "2026-01-01T00:00:00Z"

const sha256 = (bytes: Uint8Array): Buffer => crypto.createHash("sha256").update(bytes).digest()

/** A blob as it is stored, uncompressed. */
const stored = (content: Uint8Array): Uint8Array =>
  DataBlob.encode({
    encrypted: false,
    compressed: false,
    crc: zlib.crc32(content),
    iv: new Uint8Array(),
    tag: new Uint8Array(),
    body: content,
  })

/** The files of a backup: archives by their names. */
export type Files = Readonly<Record<string, string>>

/** Adds a backup to the datastore at `folder`; returns the bytes of its chunks as stored. */
export const add = (folder: string, id: string, files: Files, chunk = CHUNK): number => {
  const snapshot = path.join(folder, "host", id, TIME)
  fs.mkdirSync(snapshot, { recursive: true })
  let bytes = 0
  const listed = Object.entries(files).map(([name, file]) => {
    const fd = fs.openSync(file, "r")
    const { size } = fs.fstatSync(fd)
    const chunks: Array<DynamicIndex.Chunk> = []
    for (let at = 0; at < size; at += chunk) {
      const content = new Uint8Array(Math.min(chunk, size - at))
      fs.readSync(fd, content, 0, content.length, at)
      const digest = sha256(content)
      const hex = digest.toString("hex")
      fs.mkdirSync(path.join(folder, ".chunks", hex.slice(0, 4)), { recursive: true })
      const blob = stored(content)
      fs.writeFileSync(path.join(folder, ".chunks", hex.slice(0, 4), hex), blob)
      bytes += blob.length
      chunks.push({ length: content.length, digest })
    }
    fs.closeSync(fd)
    const index = DynamicIndex.encode(chunks)
    const checksum = sha256(index.subarray(HEADER_SIZE))
    index.set(checksum, CHECKSUM_OFFSET)
    fs.writeFileSync(path.join(snapshot, `${name}.didx`), index)
    return { filename: `${name}.didx`, size, csum: checksum.toString("hex"), "crypt-mode": "none" }
  })
  const manifest = {
    "backup-id": id,
    "backup-time": Date.parse(TIME) / 1000,
    "backup-type": "host",
    files: listed,
    signature: null,
    unprotected: {},
  }
  fs.writeFileSync(path.join(snapshot, "index.json.blob"), stored(Buffer.from(JSON.stringify(manifest))))
  return bytes
}
