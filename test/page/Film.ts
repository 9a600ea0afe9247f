/** A film (WebM, VP8) whose every second is a grey of its own, made of pictures that the browser has made. */
import { Effect } from "effect"
import type { Browser } from "playwright-core"

const SIZE = 64

/** What a second looks like, 0 to 255. */
export const greyOf = (second: number): number => 20 + 20 * second

/** `gap`: bytes between two halves of it that are for nothing, so that a player has to jump. */
export const make = (
  browser: Browser,
  { gap, seconds }: { readonly gap: number; readonly seconds: number },
): Effect.Effect<Uint8Array> =>
  Effect.promise(async () => {
    const page = await browser.newPage()
    const greys = Array.from({ length: seconds }, (_, second) => greyOf(second))
    const pictures = await page.evaluate(
      ([greys, size]) =>
        Promise.all(
          greys.map(async (grey) => {
            const canvas = new OffscreenCanvas(size, size)
            const context = canvas.getContext("2d", { alpha: false })!
            context.fillStyle = `rgb(${grey} ${grey} ${grey})`
            context.fillRect(0, 0, size, size)
            const blob = await canvas.convertToBlob({ type: "image/webp", quality: 0.8 })
            return Array.from(new Uint8Array(await blob.arrayBuffer()))
          }),
        ),
      [greys, SIZE] as const,
    )
    await page.close()
    return film(
      pictures.map((bytes) => keyFrame(Buffer.from(bytes))),
      gap,
    )
  })

/** A WebP picture holds one frame of VP8. */
const keyFrame = (webp: Buffer): Buffer => {
  for (let at = 12; at < webp.length;) {
    const length = webp.readUInt32LE(at + 4)
    if (webp.toString("latin1", at, at + 4) === "VP8 ") return webp.subarray(at + 8, at + 8 + length)
    at += 8 + length + (length & 1)
  }
  throw new Error("no frame of VP8 in the picture")
}

/** An element of EBML (RFC 8794): its id, eight bytes of size, what is in it. */
const element = (id: number, ...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const hex = id.toString(16)
  const content = Buffer.concat(parts)
  const size = Buffer.alloc(8)
  size.writeBigUInt64BE((1n << 56n) | BigInt(content.length))
  return Buffer.concat([Buffer.from(hex, "hex"), size, content])
}

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

const double = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes
}

const text = (value: string): Buffer => Buffer.from(value)

/** Each frame lasts a second, in a cluster of its own. What is where stands in front (RFC 9559). */
const film = (frames: ReadonlyArray<Buffer>, gap: number): Buffer => {
  const head = element(
    0x1a45dfa3,
    element(0x4286, number(1)),
    element(0x42f7, number(1)),
    element(0x42f2, number(4)),
    element(0x42f3, number(8)),
    element(0x4282, text("webm")),
    element(0x4287, number(2)),
    element(0x4285, number(2)),
  )
  const info = element(
    0x1549a966,
    element(0x2ad7b1, number(1_000_000)),
    element(0x4489, double(1000 * frames.length)),
    element(0x4d80, text("test")),
    element(0x5741, text("test")),
  )
  const video = element(0xe0, element(0xb0, number(SIZE)), element(0xba, number(SIZE)))
  const tracks = element(
    0x1654ae6b,
    element(
      0xae,
      element(0xd7, number(1)),
      element(0x73c5, number(1)),
      element(0x83, number(1)),
      element(0x86, text("V_VP8")),
      video,
    ),
  )
  const clusters = frames.map((frame, second) => {
    const block = element(0xa3, Buffer.from([0x81, 0, 0, 0x80]), frame)
    const cluster = element(0x1f43b675, element(0xe7, number(1000 * second)), block)
    return second === frames.length >> 1 ? Buffer.concat([element(0xec, Buffer.alloc(gap)), cluster]) : cluster
  })
  const starts: Array<number> = []
  let at = 0
  for (const [second, cluster] of clusters.entries()) {
    starts.push(at + (second === frames.length >> 1 ? gap + 9 : 0))
    at += cluster.length
  }
  const cues = (base: number): Buffer =>
    element(
      0x1c53bb6b,
      ...starts.map((start, second) =>
        element(
          0xbb,
          element(0xb3, number(1000 * second)),
          element(0xb7, element(0xf7, number(1)), element(0xf1, number(base + start))),
        ),
      ),
    )
  const base = info.length + tracks.length + cues(0).length
  return Buffer.concat([head, element(0x18538067, info, tracks, cues(base), ...clusters)])
}
