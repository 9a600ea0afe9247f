/** Streams in chunks, made in memory from any bytes: plain and encrypted, compressed and not. */
import * as crypto from "node:crypto"
import * as zlib from "node:zlib"
import { Effect, Result } from "effect"
import { CHECKSUM_OFFSET, type ChunkIndex, HEADER_SIZE } from "../../../src/domain/datastore/ChunkIndex.ts"
import * as DataBlob from "../../../src/domain/datastore/DataBlob.ts"
import * as DynamicIndex from "../../../src/domain/datastore/DynamicIndex.ts"
import * as ChunkStore from "../../../src/services/chunks/ChunkStore.ts"
import { EncryptionKey } from "../../../src/services/keys/EncryptionKey.ts"

/** A key for tests. */
export const key = EncryptionKey.fromBytes(Uint8Array.from({ length: 32 }, (_, i) => i))

export const sha256 = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const hash = crypto.createHash("sha256")
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** How a content is stored: as it is, as one frame that tells its size or not, or as several frames in a row. */
export type Compression = "none" | "sized" | "streamed" | "frames"

const compress = (content: Uint8Array, compression: Compression): Uint8Array => {
  if (compression === "none") return content
  if (compression === "sized") return zlib.zstdCompressSync(content, { pledgedSrcSize: content.length })
  if (compression === "streamed") return zlib.zstdCompressSync(content)
  const middle = content.length >> 1
  return Buffer.concat(
    [content.subarray(0, middle), content.subarray(middle)].map((half) => zlib.zstdCompressSync(half)),
  )
}

/** A chunk or blob as it is stored. */
export const encode = (content: Uint8Array, compression: Compression, encrypted: boolean): Uint8Array => {
  const packed = compress(content, compression)
  const iv = encrypted ? sha256(content).subarray(0, 16) : new Uint8Array()
  const { body, tag } = encrypted ? key.encrypt(iv, packed) : { body: packed, tag: new Uint8Array() }
  return DataBlob.encode({ encrypted, compressed: compression !== "none", crc: zlib.crc32(body), iv, tag, body })
}

/** The digest of a chunk (datastore §2.4). */
export const digestOf = (content: Uint8Array, encrypted: boolean): Effect.Effect<Uint8Array> =>
  encrypted ? key.digest(content) : Effect.succeed(sha256(content))

/** Writes an index's checksum into it. */
export const sealed = (index: Uint8Array): Uint8Array => {
  index.set(sha256(index.subarray(HEADER_SIZE)), CHECKSUM_OFFSET)
  return index
}

/** Puts the chunks of a stream, cut after each of `lengths`, into `blobs`; returns its index. */
export const put = Effect.fnUntraced(function* (
  blobs: Map<string, Uint8Array>,
  bytes: Uint8Array,
  lengths: ReadonlyArray<number>,
  options: { readonly encrypted: boolean; readonly compression: (chunk: number) => Compression },
): Effect.fn.Return<{ readonly file: Uint8Array; readonly index: ChunkIndex }> {
  const chunks: Array<DynamicIndex.Chunk> = []
  let at = 0
  for (const [chunk, length] of lengths.entries()) {
    const content = bytes.subarray(at, at + length)
    at += length
    const digest = yield* digestOf(content, options.encrypted)
    blobs.set(ChunkStore.chunkPath(digest), encode(content, options.compression(chunk), options.encrypted))
    chunks.push({ length, digest })
  }
  const file = sealed(DynamicIndex.encode(chunks))
  return { file, index: Result.getOrThrow(DynamicIndex.parse(file)) }
})
