/**
 * Where a datastore of a server is, as the reference client's users write it: `[[AUTH-ID@]HOST[:PORT]:]DATASTORE`.
 *
 * Follows the grammar of that client: what it refuses is refused here.
 */
import * as Result from "effect/Result"
import { isSafeId } from "./SafeId.ts"

/** A datastore of a server, and as whom to ask for it. */
export interface RepositoryString {
  /** `USER@REALM` or `USER@REALM!TOKEN`. */
  readonly authId: string
  /** A name or an address, IPv6 in brackets. */
  readonly host: string
  readonly port: number
  readonly datastore: string
}

/** What is meant where a part is left out. */
export const defaults = { authId: "root@pam", host: "localhost", port: 8007 } as const

/** Most characters. */
export const MAX_LENGTH = 256

/** Reads a repository string. The failure says what is wrong. */
export const parse = (text: string): Result.Result<RepositoryString, string> => {
  if (text.length > MAX_LENGTH) return Result.fail(`a repository has at most ${MAX_LENGTH} characters`)
  const colon = text.lastIndexOf(":")
  const datastore = text.slice(colon + 1)
  if (!isSafeId(datastore)) return Result.fail(`"${datastore}" is no name of a datastore`)
  if (colon < 0) return Result.succeed({ ...defaults, datastore })
  const server = text.slice(0, colon)
  const at = server.lastIndexOf("@")
  const authId = at < 0 ? defaults.authId : server.slice(0, at)
  // From the right: a user's name may itself have signs of this kind in it.
  if (!/^[^\s:/\p{Cc}]+@[A-Za-z0-9_][A-Za-z0-9._-]*(?:![A-Za-z0-9_][A-Za-z0-9._-]*)?$/u.test(authId)) {
    return Result.fail(`"${authId}" is no user like root@pam or token like root@pam!name`)
  }
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(server.slice(at + 1))
  const host = match?.[1]
  if (host === undefined || !isHost(host)) return Result.fail(`"${server.slice(at + 1)}" is no HOST or HOST:PORT`)
  const port = match?.[2] === undefined ? defaults.port : Number(match[2])
  if (port > 0xffff) return Result.fail(`${port} is no port`)
  return Result.succeed({ authId, host, port, datastore })
}

/** The same as an address of the web: `pbs://AUTH-ID@HOST:PORT/DATASTORE`, of which some signs may be escaped. */
export const parseUrl = (text: string): Result.Result<RepositoryString, string> => {
  const match = /^pbs:(?:\/\/)?([^/]*)\/([^/]+)\/?$/.exec(text)
  if (match === null) return Result.fail("a server is written pbs://USER@REALM!TOKEN@HOST:PORT/DATASTORE")
  const [, server = "", datastore = ""] = match
  const at = server.lastIndexOf("@")
  try {
    const authId = at < 0 ? "" : `${decodeURIComponent(server.slice(0, at))}@`
    return parse(`${authId}${server.slice(at + 1) || defaults.host}:${decodeURIComponent(datastore)}`)
  } catch {
    return Result.fail("has an escape that stands for no sign")
  }
}

/** The text of a repository, with all its parts. */
export const format = ({ authId, datastore, host, port }: RepositoryString): string =>
  `${authId}@${host}:${port}:${datastore}`

const isHost = (host: string): boolean =>
  host.startsWith("[")
    ? isAddress6(host.slice(1, -1))
    : /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/.test(host)

const isAddress6 = (address: string): boolean => {
  const halves = address.split("::")
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")))
  const last = groups.at(-1) ?? ""
  const isMixed = last.includes(".")
  if (isMixed && !/^(?:\d{1,3}\.){3}\d{1,3}$/.test(last)) return false
  if (!(isMixed ? groups.slice(0, -1) : groups).every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false
  const count = groups.length + (isMixed ? 1 : 0)
  return halves.length === 2 ? count < 8 : count === 8
}
