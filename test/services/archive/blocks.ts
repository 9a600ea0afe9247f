/** A cache of blocks over known bytes, and decoders that want some of them. */
import * as Item from "../../../src/domain/pxar/Item.ts"
import * as BlockCache from "../../../src/services/archive/BlockCache.ts"
import { recorded } from "./helpers.ts"

export const SIZE = 1000
export const bytes = Uint8Array.from({ length: SIZE }, (_, index) => (index * 7) % 251)
export const blockSize = 64

export const make = (blocks = 4) => {
  const source = recorded(bytes)
  return { source, cache: BlockCache.make(source, { blockSize, capacity: blocks * blockSize }) }
}

/** A decoder that wants the bytes of `[start, end)`. */
export const take =
  (start: number, end: number) =>
  (window: Item.Window): Uint8Array =>
    Item.copy(window, start, end)

export const decode = <A extends object>(
  cache: BlockCache.BlockCache,
  position: number,
  extent: number,
  decode: (window: Item.Window) => A,
) => cache.decode({ position, extent, decode })

export const read = (cache: BlockCache.BlockCache, start: number, length: number) =>
  decode(cache, start, length, take(start, start + length))

/** A decoder that goes on by `step` bytes at a time, asking for each; counts how often it runs. */
export const stepping = (start: number, end: number, step: number) => {
  const decoder = Object.assign(
    (window: Item.Window) => {
      decoder.runs++
      for (let at = start + step; at < end; at += step) Item.requireBytes(window, at)
      return take(start, end)(window)
    },
    { runs: 0 },
  )
  return decoder
}
