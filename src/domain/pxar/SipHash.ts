/**
 * SipHash-2-4 with a 64-bit result over a name's bytes (§3.1).
 *
 * On 32-bit halves, because every child that is listed or looked up is hashed. Its keys are public constants, so
 * colliding names can be constructed: a hash finds candidates, the name decides.
 */

/** A 64-bit hash as two unsigned 32-bit halves. Compare with `compare`. */
export interface Hash {
  readonly low: number
  readonly high: number
}

/** A 128-bit key as four unsigned 32-bit quarters, k0 before k1, low before high. */
export type Key = readonly [k0Low: number, k0High: number, k1Low: number, k1High: number]

/** The key of goodbye tables (§3.1). */
const PXAR_KEY: Key = [0xfbb450db, 0x83ac3f1c, 0x79369fbd, 0xaa4f1b68]

/** Unsigned order of two hashes: negative, zero or positive. */
export const compare = (a: Hash, b: Hash): number => a.high - b.high || a.low - b.low

/** Hashes `bytes`, the name without its terminating NUL. */
export const hash = (bytes: Uint8Array, key: Key = PXAR_KEY): Hash => {
  // Halves of v0…v3, kept as signed 32-bit integers; `>>> 0` where an unsigned comparison detects a carry.
  let v0l = key[0] ^ 0x70736575
  let v0h = key[1] ^ 0x736f6d65
  let v1l = key[2] ^ 0x6e646f6d
  let v1h = key[3] ^ 0x646f7261
  let v2l = key[0] ^ 0x6e657261
  let v2h = key[1] ^ 0x6c796765
  let v3l = key[2] ^ 0x79746573
  let v3h = key[3] ^ 0x74656462

  const length = bytes.length
  const words = (length >>> 3) + 1
  for (let word = 0; word <= words; word++) {
    let ml = 0
    let mh = 0
    let rounds = 2
    if (word < words) {
      const at = word << 3
      if (at + 8 <= length) {
        ml = load(bytes, at)
        mh = load(bytes, at + 4)
      } else {
        for (let i = length - 1; i >= at; i--) {
          mh = (mh << 8) | (ml >>> 24)
          ml = (ml << 8) | (bytes[i] as number)
        }
        mh |= (length & 0xff) << 24
      }
      v3l ^= ml
      v3h ^= mh
    } else {
      v2l ^= 0xff
      rounds = 4
    }
    for (let round = 0; round < rounds; round++) {
      let sum = (v0l + v1l) | 0
      v0h = (v0h + v1h + (sum >>> 0 < v0l >>> 0 ? 1 : 0)) | 0
      v0l = sum
      let low = (v1l << 13) | (v1h >>> 19)
      v1h = (v1h << 13) | (v1l >>> 19)
      v1l = low
      v1l ^= v0l
      v1h ^= v0h
      low = v0h
      v0h = v0l
      v0l = low

      sum = (v2l + v3l) | 0
      v2h = (v2h + v3h + (sum >>> 0 < v2l >>> 0 ? 1 : 0)) | 0
      v2l = sum
      low = (v3l << 16) | (v3h >>> 16)
      v3h = (v3h << 16) | (v3l >>> 16)
      v3l = low
      v3l ^= v2l
      v3h ^= v2h

      sum = (v0l + v3l) | 0
      v0h = (v0h + v3h + (sum >>> 0 < v0l >>> 0 ? 1 : 0)) | 0
      v0l = sum
      low = (v3l << 21) | (v3h >>> 11)
      v3h = (v3h << 21) | (v3l >>> 11)
      v3l = low
      v3l ^= v0l
      v3h ^= v0h

      sum = (v2l + v1l) | 0
      v2h = (v2h + v1h + (sum >>> 0 < v2l >>> 0 ? 1 : 0)) | 0
      v2l = sum
      low = (v1l << 17) | (v1h >>> 15)
      v1h = (v1h << 17) | (v1l >>> 15)
      v1l = low
      v1l ^= v2l
      v1h ^= v2h
      low = v2h
      v2h = v2l
      v2l = low
    }
    if (word < words) {
      v0l ^= ml
      v0h ^= mh
    }
  }
  return { low: (v0l ^ v1l ^ v2l ^ v3l) >>> 0, high: (v0h ^ v1h ^ v2h ^ v3h) >>> 0 }
}

const load = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24)
