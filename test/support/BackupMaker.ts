/**
 * Makes backups from bytes: chunks, indexes, blobs and a manifest, signed where there is a key. In memory, or in a folder.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import * as zlib from "node:zlib"
import { Effect, Result } from "effect"
import { CHECKSUM_OFFSET, HEADER_SIZE } from "../../src/domain/datastore/ChunkIndex.ts"
import * as DataBlob from "../../src/domain/datastore/DataBlob.ts"
import * as DynamicIndex from "../../src/domain/datastore/DynamicIndex.ts"
import * as FixedIndex from "../../src/domain/datastore/FixedIndex.ts"
import * as Manifest from "../../src/domain/datastore/Manifest.ts"
import * as SnapshotFile from "../../src/domain/datastore/SnapshotFile.ts"
import * as SnapshotId from "../../src/domain/datastore/SnapshotId.ts"
import { chunkPath } from "../../src/services/chunks/ChunkStore.ts"
import type { EncryptionKey } from "../../src/services/keys/EncryptionKey.ts"

const sha256 = (bytes: Uint8Array): Uint8Array => crypto.createHash("sha256").update(bytes).digest()

/** A backup to be made. */
export interface Backup {
  readonly id: SnapshotId.SnapshotId
  /** Contents by names on disk: `root.pxar.didx`, `disk.img.fidx`, `vm.conf.blob`. */
  readonly files: Readonly<Record<string, Uint8Array>>
  /** Bytes of a chunk; a power of two. 4 MiB unless given. */
  readonly chunkSize?: number
  readonly key?: EncryptionKey
  /** Whether it is only signed with the key. */
  readonly isPlain?: boolean
  /** As `zstd` does where that is given. */
  readonly level?: number
}

const encode = (content: Uint8Array, key: EncryptionKey | undefined, level = 1): Uint8Array => {
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: level }
  const packed = zlib.zstdCompressSync(content, { pledgedSrcSize: content.length, params })
  const compressed = packed.length < content.length
  const inner = compressed ? packed : content
  const iv = key === undefined ? new Uint8Array() : crypto.randomBytes(16)
  const { body, tag } = key === undefined ? { body: inner, tag: new Uint8Array() } : key.encrypt(iv, inner)
  return DataBlob.encode({ encrypted: key !== undefined, compressed, crc: zlib.crc32(body), iv, tag, body })
}

/** Writes a blob under its name. */
export type Put = (name: string, bytes: Uint8Array) => void

/** Makes a backup of what `put` takes. */
export const make = Effect.fnUntraced(function* (put: Put, backup: Backup): Effect.fn.Return<void> {
  const { chunkSize = 4 * 1024 * 1024, files, id, isPlain = false, level } = backup
  const key = isPlain ? undefined : backup.key
  const folder = SnapshotId.format(id)
  const cryptMode = backup.key === undefined ? "none" : isPlain ? "sign-only" : "encrypt"
  const listed: Array<Omit<Manifest.File, "storage">> = []
  for (const [name, content] of Object.entries(files)) {
    const storage = SnapshotFile.storage(name)
    if (storage === "blob") {
      const stored = encode(content, key, level)
      put(`${folder}/${name}`, stored)
      listed.push({ name, size: stored.length, checksum: sha256(stored), cryptMode })
      continue
    }
    const chunks: Array<DynamicIndex.Chunk> = []
    for (let at = 0; at < content.length; at += chunkSize) {
      const part = content.subarray(at, at + chunkSize)
      const digest = key === undefined ? sha256(part) : yield* key.digest(part)
      put(chunkPath(digest), encode(part, key, level))
      chunks.push({ length: part.length, digest })
    }
    const index =
      storage === "fixed"
        ? FixedIndex.encode(
            content.length,
            chunkSize,
            chunks.map(({ digest }) => digest),
          )
        : DynamicIndex.encode(chunks)
    const checksum = sha256(index.subarray(HEADER_SIZE))
    index.set(checksum, CHECKSUM_OFFSET)
    put(`${folder}/${name}`, index)
    listed.push({ name, size: content.length, checksum, cryptMode })
  }
  const fields = {
    type: id.type,
    id: id.id,
    time: SnapshotId.toEpoch(id.time),
    files: listed,
    fingerprint: backup.key?.fingerprint,
  }
  const unsigned = Manifest.encode(fields)
  const signed = Result.getOrThrow(Manifest.parse(unsigned)).signed[0] as string
  const text = backup.key === undefined ? unsigned : Manifest.encode(fields, backup.key.sign(signed))
  put(`${folder}/${SnapshotFile.MANIFEST}`, encode(new TextEncoder().encode(text), undefined))
})

/** Puts blobs into a folder, which becomes a datastore. */
export const intoFolder = (folder: string): Put => {
  fs.mkdirSync(path.join(folder, ".chunks"), { recursive: true, mode: 0o750 })
  return (name, bytes) => {
    const file = path.join(folder, name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, bytes)
  }
}
