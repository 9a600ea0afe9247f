/**
 * A file that holds an encryption key, protected by a passphrase or not: JSON, or the same printed on paper between two
 * marker lines (datastore §5.1).
 *
 * Reads what is written in it. The key itself is recovered by the services: deriving one from a passphrase takes long and
 * much memory, so that what a file may ask for is bounded here.
 */
import * as Result from "effect/Result"
import { type DatastoreFault, fault } from "./DatastoreFault.ts"
import * as Digest from "./Digest.ts"

/** How the key that protects the key is made of a passphrase. */
export type Derivation =
  | { readonly _tag: "None" }
  | {
      readonly _tag: "Scrypt"
      readonly n: number
      readonly r: number
      readonly p: number
      readonly salt: Uint8Array
    }
  | { readonly _tag: "Pbkdf2"; readonly iterations: number; readonly salt: Uint8Array }

/** What is written in a key file. */
export interface KeyFile {
  readonly derivation: Derivation
  /** The key of 32 bytes; if it is protected, 64 bytes: IV (16), GCM tag (16), encrypted key (32). */
  readonly data: Uint8Array
  /** Fingerprint text of the key in it, where the file tells it. */
  readonly fingerprint: string | undefined
  /** What reminds its owner of the passphrase. */
  readonly hint: string | undefined
}

/** Fewest bytes of a passphrase. */
export const MIN_PASSPHRASE = 5

/** Memory that deriving may take (datastore §5.2). */
export const MAX_MEMORY = 1025 * 1024 * 1024
/** Bounds on time: about a minute. Files that are written ask for 2^19 and 65535. */
const MAX_SCRYPT_WORK = 2 ** 26
const MAX_ITERATIONS = 100_000_000

const BEGIN = "-----BEGIN PROXMOX BACKUP KEY-----"
const END = "-----END PROXMOX BACKUP KEY-----"

/** Reads the text of a key file or of a paper key. Fails with `KeyFileInvalid`. */
export const parse = (text: string): Result.Result<KeyFile, DatastoreFault> => {
  const bad = (detail: string) => Result.fail(fault("KeyFileInvalid", detail))
  const parsed = parseJson(betweenMarkers(text))
  if (parsed === undefined) return bad("is no JSON object: not a key file")
  const { data: base64, fingerprint, hint } = parsed
  const derivation = parseDerivation(parsed["kdf"] ?? null)
  if (typeof derivation === "string") return bad(derivation)
  const data = fromBase64(base64)
  if (data === undefined) return bad(`"data" is not base64`)
  const length = derivation._tag === "None" ? 32 : 64
  if (data.length !== length) return bad(`"data" has ${data.length} bytes, not ${length}`)
  const bytes = typeof fingerprint === "string" ? Digest.fromFingerprint(fingerprint) : undefined
  if ((fingerprint ?? undefined) !== undefined && bytes === undefined) return bad(`"fingerprint" is no fingerprint`)
  return Result.succeed({
    derivation,
    data,
    fingerprint: bytes === undefined ? undefined : Digest.toFingerprint(bytes),
    hint: typeof hint === "string" ? hint : undefined,
  })
}

/** What lies between the markers of a paper key; the whole text if there are none. */
const betweenMarkers = (text: string): string => {
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END, begin + BEGIN.length)
  return begin < 0 || end < 0 ? text : text.slice(begin + BEGIN.length, end)
}

const parseDerivation = (kdf: unknown): Derivation | string => {
  if (kdf === null) return { _tag: "None" }
  const { PBKDF2: pbkdf2, Scrypt: scrypt } = isRecord(kdf) ? kdf : {}
  const parameters = scrypt ?? pbkdf2
  if (!isRecord(parameters)) return `"kdf" is neither null nor Scrypt nor PBKDF2`
  const salt = fromBase64(parameters["salt"])
  if (salt === undefined) return `"salt" is not base64`
  if (pbkdf2 !== undefined) {
    const iterations = parameters["iter"]
    if (!isCount(iterations) || iterations > MAX_ITERATIONS) return `"iter" is not from 1 to ${MAX_ITERATIONS}`
    return { _tag: "Pbkdf2", iterations, salt }
  }
  const { n, p, r } = parameters
  if (!isCount(n) || !isCount(r) || !isCount(p)) return "n, r and p of Scrypt are not all whole numbers from 1 on"
  if (n < 2 || !Number.isInteger(Math.log2(n))) return `n of Scrypt is ${n}, which is no power of two`
  if (128 * r * (n + p + 2) > MAX_MEMORY || n * r * p > MAX_SCRYPT_WORK) {
    return `Scrypt with n ${n}, r ${r} and p ${p} would take too much memory or time`
  }
  return { _tag: "Scrypt", n, r, p, salt }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0

/** The bytes of a base64 text, which may lack its padding. */
const fromBase64 = (text: unknown): Uint8Array | undefined => {
  if (typeof text !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parseJson = (text: string): Record<string, unknown> | undefined => {
  try {
    const parsed: unknown = JSON.parse(text)
    return isRecord(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}
