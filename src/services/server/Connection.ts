/**
 * A connection to a backup server whose certificate has been checked: not a byte is written before (server §3).
 *
 * With a fingerprint the certificate must have it, whoever signed it: that is stricter than the reference client, which
 * takes any certificate that the system trusts. Without one the system's authorities decide, and those that were given.
 */
import * as net from "node:net"
import * as tls from "node:tls"
import * as Effect from "effect/Effect"
import * as Fingerprint from "../../domain/datastore/Fingerprint.ts"
import { ServerError } from "./ServerError.ts"

/** Where a server is, and how it is known again. */
export interface Endpoint {
  /** A name or an address; IPv6 in brackets or without. */
  readonly host: string
  readonly port: number
  /** The certificate's SHA-256, as `Fingerprint.parse` gives it. */
  readonly fingerprint?: string | undefined
  /** Certificates of authorities besides the system's, PEM. */
  readonly authorities?: ReadonlyArray<string> | undefined
  /** A proxy that is asked with CONNECT. */
  readonly proxy?: { readonly host: string; readonly port: number } | undefined
  /** Milliseconds until a connection must be ready; 10,000 unless given. */
  readonly connectTimeout?: number | undefined
}

/** `HOST:PORT`, for messages and headers. */
export const authority = ({ host, port }: Pick<Endpoint, "host" | "port">): string =>
  `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`

/** The host as the network takes it. */
const bare = (host: string): string => host.replace(/^\[|\]$/g, "")

/** A connection that may be written to. */
export interface Connected {
  readonly socket: tls.TLSSocket
  /** Milliseconds that TLS took: a way to the server and back, whatever is in between, and its arithmetic. */
  readonly roundTrip: number
}

/** Makes connections to one server. */
export interface Connector {
  /** `HOST:PORT`. */
  readonly server: string
  /** Connects. The socket belongs to the caller. */
  readonly connect: Effect.Effect<Connected, ServerError>
}

/** What makes connections to a server. Nothing is connected yet. */
export const make = (endpoint: Endpoint): Connector => {
  // Reading all authorities takes a while: it is done once, and not where a fingerprint decides.
  let known: tls.SecureContext | undefined
  const context = (): tls.SecureContext => {
    known ??= tls.createSecureContext({
      minVersion: "TLSv1.2",
      ...(endpoint.fingerprint === undefined ? { ca: trusted(endpoint.authorities) } : {}),
    })
    return known
  }
  return { server: authority(endpoint), connect: connect(endpoint, context) }
}

const connect = (endpoint: Endpoint, context: () => tls.SecureContext): Effect.Effect<Connected, ServerError> =>
  Effect.callback((resume) => {
    const server = authority(endpoint)
    const timeout = endpoint.connectTimeout ?? 10_000
    let begun = 0
    let secure: tls.TLSSocket | undefined
    const end = (result: Effect.Effect<Connected, ServerError>): void => {
      clearTimeout(timer)
      resume(result)
    }
    const fail = (reason: ServerError["reason"], detail: string): void => {
      secure?.destroy()
      plain.destroy()
      end(Effect.fail(new ServerError({ server, reason, detail })))
    }
    const unreachable = (error: Error): void => fail("Unreachable", `cannot be reached: ${reasonOf(error)}`)
    const timer = setTimeout(() => fail("Unreachable", `does not answer within ${timeout / 1000} s`), timeout)
    const through = endpoint.proxy
    const plain = net.connect({
      host: bare(through?.host ?? endpoint.host),
      port: through?.port ?? endpoint.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 120_000,
    })
    plain.on("error", unreachable)
    plain.once("connect", () => {
      if (through === undefined) startTls()
      else openTunnel(plain, server, startTls, unreachable)
    })
    const startTls = (): void => {
      begun = performance.now()
      const host = bare(endpoint.host)
      secure = tls.connect({
        socket: plain,
        // Names only: addresses are not allowed there (RFC 6066 §3).
        ...(net.isIP(host) === 0 ? { servername: host } : { host }),
        secureContext: context(),
        rejectUnauthorized: false,
        checkServerIdentity: (_, certificate) => tls.checkServerIdentity(host, certificate),
      })
      secure.on("error", (error) => fail("Unreachable", `ends the connection: ${reasonOf(error)}`))
      secure.once("secureConnect", () => {
        const wrong = secure === undefined ? undefined : check(endpoint, secure)
        if (wrong !== undefined) fail(wrong.reason, wrong.detail)
        else if (secure !== undefined) end(Effect.succeed({ socket: secure, roundTrip: performance.now() - begun }))
      })
      secure.once("close", () => fail("Unreachable", "ends the connection before it is secure"))
    }
    return Effect.sync(() => {
      clearTimeout(timer)
      secure?.destroy()
      plain.destroy()
    })
  })

/** What is wrong with a certificate; `undefined` if nothing is. */
const check = (
  { fingerprint }: Endpoint,
  socket: tls.TLSSocket,
): { readonly reason: "Certificate" | "Fingerprint"; readonly detail: string } | undefined => {
  const seen = Fingerprint.parse(socket.getPeerCertificate().fingerprint256 ?? "")
  if (fingerprint !== undefined) {
    return seen === fingerprint
      ? undefined
      : {
          reason: "Fingerprint",
          detail: `has another certificate than the one that is pinned. Pinned is ${fingerprint}, there is ${seen ?? "none"}; if the certificate was changed, pin that (--fingerprint, PBS_FINGERPRINT). Nothing was sent`,
        }
  }
  if (socket.authorized) return undefined
  return {
    reason: "Certificate",
    detail: `has a certificate that nobody known here vouches for (${reasonOf(socket.authorizationError)}). Compare its fingerprint with the one that the server shows (proxmox-backup-manager cert info), then pin it: --fingerprint ${seen ?? ""} or PBS_FINGERPRINT; or name its authority: --ca-file. Nothing was sent`,
  }
}

const reasonOf = (error: unknown): string => {
  if (typeof error === "string") return error
  const { code, message } = error as NodeJS.ErrnoException
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: "connection refused",
    ENOTFOUND: "no such host",
    EAI_AGAIN: "its name cannot be looked up",
    EHOSTUNREACH: "no way to this host",
    ENETUNREACH: "no way to this network",
    ECONNRESET: "connection reset",
    ETIMEDOUT: "timed out",
  }
  return known[code ?? ""] ?? code ?? message
}

/** The system's authorities and those of Node. */
const trusted = (more: ReadonlyArray<string> = []): Array<string> => [
  ...new Set([...tls.getCACertificates("default"), ...tls.getCACertificates("system"), ...more]),
]

/** Most bytes of a proxy's answer. */
const MAX_HEAD = 16 * 1024

const openTunnel = (socket: net.Socket, server: string, onOpen: () => void, onError: (error: Error) => void): void => {
  let head = ""
  const take = (data: Buffer): void => {
    head += data.toString("latin1")
    if (!head.includes("\r\n\r\n") && head.length < MAX_HEAD) return
    socket.off("data", take)
    const [first = ""] = head.split("\r\n")
    if (/^HTTP\/1\.[01] 200\b/.test(first)) onOpen()
    else onError(new Error(`the proxy answers "${first.slice(0, 80)}"`))
  }
  socket.on("data", take)
  socket.write(`CONNECT ${server} HTTP/1.1\r\nHost: ${server}\r\n\r\n`)
}
