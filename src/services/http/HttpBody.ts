/**
 * The body of an answer, whole and bounded.
 *
 * A body that is longer than allowed is not read; one that ends early is a fault that may pass.
 */
import { setTimeout } from "node:timers/promises"
import type { Answer } from "./Connections.ts"
import { permanent } from "./HttpError.ts"
import * as HttpFault from "./HttpFault.ts"
import type { RateLimit } from "./RateLimit.ts"

/** How a body is read. */
export interface Options {
  readonly url: URL
  /** Most bytes of the body of a success. */
  readonly limit: number
  /** Filled by an answer 206, which must have its length. */
  readonly into: Uint8Array | undefined
  readonly rate: RateLimit | undefined
  readonly signal: AbortSignal
  readonly isHead: boolean
  /** Whether a part of the file was asked for. */
  readonly isRange: boolean
}

/** Most bytes of what a server says of a failure. */
const MOST_OF_FAILURE = 64 * 1024

/** Reads a body. */
export const read = async (answer: Answer, options: Options): Promise<Uint8Array> => {
  const { isHead, limit, url } = options
  if (isHead) {
    await discard(answer.body)
    return new Uint8Array(0)
  }
  const isSuccess = answer.status < 300
  const length = lengthOf(answer)
  if (!isSuccess) return await upTo(answer, MOST_OF_FAILURE)
  const encoding = answer.headers["content-encoding"] ?? "identity"
  if (encoding !== "identity") {
    answer.body.destroy()
    const hint = "switch it off for this file (nginx: gzip off)"
    throw permanent(
      url,
      "Encoded",
      `the server compresses it on the way (${encoding}) though that was refused: ${hint}`,
    )
  }
  // The whole file in place of a range: whoever asked sees it by the status.
  if (options.isRange && answer.status !== 206) {
    answer.body.destroy()
    return new Uint8Array(0)
  }
  if (length !== undefined && length > limit) {
    answer.body.destroy()
    throw permanent(url, "TooLarge", `has ${length} bytes, more than ${limit}`)
  }
  if (options.into !== undefined) return await fill(answer, options.into, options)
  return length === undefined ? await collect(answer, options) : await fill(answer, new Uint8Array(length), options)
}

/** Takes a body for nothing, so that its connection can be used again; the bytes taken. */
export const discard = async (body: Answer["body"]): Promise<number> => {
  let bytes = 0
  try {
    for await (const part of body) {
      bytes += part.length
      if (bytes > MOST_OF_FAILURE) break
    }
  } catch {
    // Nobody wants it.
  }
  return bytes
}

const lengthOf = ({ headers }: Answer): number | undefined => {
  const text = headers["content-length"]
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

const fill = async (answer: Answer, target: Uint8Array, { rate, signal, url }: Options): Promise<Uint8Array> => {
  let done = 0
  for await (const part of answer.body) {
    if (done + part.length > target.length) {
      throw permanent(url, "Failed", `the server sends more than the ${target.length} bytes that it was asked for`)
    }
    target.set(part, done)
    done += part.length
    await pay(part, rate, signal)
  }
  if (done < target.length) throw HttpFault.truncated(url, done, target.length)
  return target
}

const collect = async (answer: Answer, { limit, rate, signal, url }: Options): Promise<Uint8Array> => {
  const parts: Array<Uint8Array> = []
  let bytes = 0
  for await (const part of answer.body) {
    bytes += part.length
    if (bytes > limit) throw permanent(url, "TooLarge", `has more than ${limit} bytes`)
    parts.push(part)
    await pay(part, rate, signal)
  }
  return new Uint8Array(Buffer.concat(parts))
}

const upTo = async (answer: Answer, most: number): Promise<Uint8Array> => {
  const parts: Array<Uint8Array> = []
  let bytes = 0
  for await (const part of answer.body) {
    parts.push(part)
    bytes += part.length
    if (bytes >= most) break
  }
  return new Uint8Array(Buffer.concat(parts).subarray(0, most))
}

const pay = async (part: Uint8Array, rate: RateLimit | undefined, signal: AbortSignal): Promise<void> => {
  const wait = rate?.take(part.length, Date.now()) ?? 0
  if (wait > 1) await setTimeout(wait, undefined, { signal })
}
