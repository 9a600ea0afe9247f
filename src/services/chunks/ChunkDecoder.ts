/**
 * From a stored blob to its content: checksum, decryption, decompression, length and digest, in the order of datastore
 * §2.6.
 *
 * The work is done on threads of Node's pool; only the CRC-32 is computed here (0.15 ms a MiB). Nothing is allocated by
 * what a blob claims: the length is known from the index, or bounded.
 */
import * as zlib from "node:zlib"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Bytes from "../../domain/Bytes.ts"
import * as DataBlob from "../../domain/datastore/DataBlob.ts"
import { type DatastoreFault, fault } from "../../domain/datastore/DatastoreFault.ts"
import * as Digest from "../../domain/datastore/Digest.ts"
import * as ZstdFrame from "../../domain/datastore/ZstdFrame.ts"
import * as OwnMemory from "../bytes/OwnMemory.ts"
import type { EncryptionKey } from "../keys/EncryptionKey.ts"
import { sha256 } from "../keys/Sha256.ts"

/** A chunk as an index and a manifest describe it. */
export interface Wanted {
  /** 32 bytes. */
  readonly digest: Uint8Array
  /** Bytes of its content. */
  readonly length: number
  /** Whether the manifest says that it is encrypted. */
  readonly encrypted: boolean
  /** The key of the backup, where it is at hand. */
  readonly key: EncryptionKey | undefined
}

/** The content of a stored chunk. With `verifyDigest` false all is checked but the digest. */
export const decodeChunk = Effect.fnUntraced(function* (
  stored: Uint8Array,
  wanted: Wanted,
  verifyDigest: boolean,
): Effect.fn.Return<Uint8Array, DatastoreFault> {
  const blob = yield* Effect.fromResult(DataBlob.parse(stored))
  if (blob.encrypted !== wanted.encrypted) {
    const [is, says] = blob.encrypted ? ["encrypted", "plain"] : ["plain", "encrypted"]
    return yield* Effect.fail(fault("CryptModeMismatch", `is ${is}, but the manifest says ${says}`))
  }
  const content = yield* decodeBody(blob, wanted.key, wanted.length)
  if (content.length !== wanted.length) {
    const detail = `has ${content.length} bytes of content, not the ${wanted.length} of the index`
    return yield* Effect.fail(fault("LengthMismatch", detail))
  }
  if (!verifyDigest) return content
  const digest = yield* blob.encrypted && wanted.key !== undefined ? wanted.key.digest(content) : sha256(content)
  if (Bytes.equals(digest, wanted.digest)) return content
  return yield* Effect.fail(fault("DigestMismatch", `has content with the digest ${Digest.toHex(digest)}`))
})

/**
 * What can be told of a stored chunk without its key: header, kind, checksum (datastore §2.6, steps 1 to 3).
 */
export const checkStored = (stored: Uint8Array, encrypted: boolean): DatastoreFault | undefined => {
  const parsed = DataBlob.parse(stored)
  if (Result.isFailure(parsed)) return parsed.failure
  if (parsed.success.encrypted !== encrypted) {
    return fault("CryptModeMismatch", `is ${encrypted ? "plain" : "encrypted"}, which the manifest does not say`)
  }
  return crcFault(parsed.success)
}

/** The content of a `.blob` file, of at most `limit` bytes. Its kind is its own: no manifest decides it (datastore §4.2). */
export const decodeBlob = (
  stored: Uint8Array,
  key: EncryptionKey | undefined,
  limit: number = DataBlob.MAX_BLOB,
): Effect.Effect<Uint8Array, DatastoreFault> =>
  Effect.flatMap(Effect.fromResult(DataBlob.parse(stored)), (blob) => decodeBody(blob, key, limit))

const crcFault = (blob: DataBlob.DataBlob): DatastoreFault | undefined => {
  const crc = zlib.crc32(blob.body)
  return crc === blob.crc
    ? undefined
    : fault(
        "CrcMismatch",
        `has the checksum ${hex32(crc)}, not the ${hex32(blob.crc)} that was stored: its bytes are damaged`,
      )
}

const hex32 = (value: number): string => value.toString(16).padStart(8, "0")

const decodeBody = Effect.fnUntraced(function* (
  blob: DataBlob.DataBlob,
  key: EncryptionKey | undefined,
  limit: number,
): Effect.fn.Return<Uint8Array, DatastoreFault> {
  const damaged = crcFault(blob)
  if (damaged !== undefined) return yield* Effect.fail(damaged)
  let body = blob.body
  if (blob.encrypted) {
    if (key === undefined) return yield* Effect.fail(fault("KeyRequired", "is encrypted, and there is no key for it"))
    body = yield* key.decrypt(blob.iv, blob.tag, body)
  }
  if (!blob.compressed) return body
  const content = yield* decompress(body, limit)
  // What was decrypted; what was stored is not of here.
  if (blob.encrypted) OwnMemory.free(body)
  return content
})

/** Decompresses all frames of `body`. Fails with `DecompressFailed` where they are damaged or hold more than `limit` bytes. */
export const decompress = Effect.fnUntraced(function* (
  body: Uint8Array,
  limit: number,
): Effect.fn.Return<Uint8Array, DatastoreFault> {
  const parts: Array<Uint8Array> = []
  let left = limit
  for (const { contentSize, end, start } of yield* Effect.fromResult(ZstdFrame.frames(body))) {
    if ((contentSize ?? 0) > left) return yield* Effect.fail(tooLong(limit))
    const part = yield* decompressFrame(body.subarray(start, end), contentSize ?? left, limit)
    left -= part.length
    parts.push(part)
  }
  return parts.length === 1 ? (parts[0] as Uint8Array) : OwnMemory.adopt(Bytes.concat(parts))
})

const tooLong = (limit: number): DatastoreFault =>
  fault("DecompressFailed", `holds more than the ${limit} bytes that it may`)

/** Room behind the content, so that the decompressor can tell that it has come to the end. */
const SPARE = 64
/** Memory is taken in pieces: most frames need one, and what is small does not get the memory that it might have needed. */
const MIN_PIECE = 64 * 1024

const decompressFrame = (frame: Uint8Array, most: number, limit: number): Effect.Effect<Uint8Array, DatastoreFault> =>
  Effect.callback<Uint8Array, DatastoreFault>((resume) => {
    const piece = Math.min(most, Math.max(MIN_PIECE, 16 * frame.length), DataBlob.MAX_CHUNK)
    const options = { chunkSize: piece + SPARE, maxOutputLength: most + SPARE }
    zlib.zstdDecompress(frame, options, (error, content) => {
      if (error === null) {
        if (content.length > most) return resume(Effect.fail(tooLong(limit)))
        // What is smaller than a piece of Node's pool may be in it.
        return resume(Effect.succeed(content.length < MIN_PIECE ? content : OwnMemory.adopt(content)))
      }
      const isLong = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE"
      resume(Effect.fail(isLong ? tooLong(limit) : fault("DecompressFailed", "holds damaged zstd data")))
    })
  })
