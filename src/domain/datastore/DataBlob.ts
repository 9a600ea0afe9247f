/**
 * The container of chunk files and `.blob` files: a header and a body that may be compressed, encrypted or both
 * (datastore §2).
 *
 * Layout only. Checksums, decryption and decompression take time and are done by the services, off the event loop.
 */
import * as Result from "effect/Result"
import * as Bytes from "../Bytes.ts"
import { type DatastoreFault, fault } from "./DatastoreFault.ts"
import * as Digest from "./Digest.ts"

/** What was done to the content, compression first (datastore §2.3). */
export interface Kind {
  readonly encrypted: boolean
  readonly compressed: boolean
}

/** A blob as it is stored. Its parts are views of the bytes it was read from. */
export interface DataBlob extends Kind {
  /** CRC-32 (ISO-HDLC) of the body as stored, unsigned. */
  readonly crc: number
  /** 16 bytes of an encrypted blob, none of a plain one. */
  readonly iv: Uint8Array
  /** GCM tag: 16 bytes of an encrypted blob, none of a plain one. */
  readonly tag: Uint8Array
  /** The content, compressed and encrypted as the kind says. */
  readonly body: Uint8Array
}

/** Bytes before the body of a plain blob. */
export const PLAIN_HEADER = 12
/** Bytes before the body of an encrypted blob. */
export const ENCRYPTED_HEADER = 44
/** Most bytes of a chunk's content (datastore §2.5). */
export const MAX_CHUNK = 16 * 1024 * 1024
/** Most bytes of a stored chunk. */
export const MAX_ENCODED_CHUNK = MAX_CHUNK + ENCRYPTED_HEADER
/** Most bytes of the content of a `.blob` (datastore §2.5). */
export const MAX_BLOB = 128 * 1024 * 1024

/** The first 8 bytes by kind, in hexadecimal (datastore §2.1). */
const MAGIC: ReadonlyArray<readonly [string, Kind]> = [
  ["42ab3807be8370a1", { encrypted: false, compressed: false }],
  ["31b958426fb6a37f", { encrypted: false, compressed: true }],
  ["7b6785be222d4cf0", { encrypted: true, compressed: false }],
  ["e6591bbf0bbfd80b", { encrypted: true, compressed: true }],
]
const kinds = new Map(MAGIC)

/** Bytes before the body of a blob of this kind. */
export const headerSize = ({ encrypted }: Kind): number => (encrypted ? ENCRYPTED_HEADER : PLAIN_HEADER)

/** Reads a stored blob. Fails with `ChunkBadHeader` (datastore §2.6, step 1). */
export const parse = (bytes: Uint8Array): Result.Result<DataBlob, DatastoreFault> => {
  const bad = (detail: string) => Result.fail(fault("ChunkBadHeader", detail))
  if (bytes.length < PLAIN_HEADER) return bad(`${bytes.length} bytes are fewer than a header has`)
  const magic = Digest.toHex(bytes.subarray(0, 8))
  const kind = kinds.get(magic)
  if (kind === undefined) return bad(`begins with ${magic}, which is no magic number of a blob`)
  const header = headerSize(kind)
  if (bytes.length < header) return bad(`${bytes.length} bytes are fewer than the header of an encrypted blob has`)
  return Result.succeed({
    ...kind,
    crc: Bytes.dataView(bytes).getUint32(8, true),
    iv: kind.encrypted ? bytes.subarray(12, 28) : Bytes.empty,
    tag: kind.encrypted ? bytes.subarray(28, ENCRYPTED_HEADER) : Bytes.empty,
    body: bytes.subarray(header),
  })
}

/** The bytes of a blob. `iv` and `tag` must have 16 bytes if it is encrypted. */
export const encode = (blob: DataBlob): Uint8Array => {
  const header = headerSize(blob)
  const bytes = new Uint8Array(header + blob.body.length)
  for (const [magic, kind] of MAGIC) {
    if (kind.encrypted !== blob.encrypted || kind.compressed !== blob.compressed) continue
    for (let i = 0; i < 8; i++) bytes[i] = Number.parseInt(magic.slice(2 * i, 2 * i + 2), 16)
  }
  Bytes.dataView(bytes).setUint32(8, blob.crc, true)
  if (blob.encrypted) {
    bytes.set(blob.iv, 12)
    bytes.set(blob.tag, 28)
  }
  bytes.set(blob.body, header)
  return bytes
}
