/**
 * The names under which this server may be asked: a page of somebody else's whose name has been made to mean this machine
 * (DNS rebinding) asks under its own.
 *
 * With TLS they are those of the certificate, without it those of the loopback interface. Pure.
 */
import { isIP } from "node:net"
import type { X509Certificate } from "node:crypto"

/** Whether a `Host` header is one of ours. */
export type IsOurs = (host: string | undefined) => boolean

/** Whether an address is one of this machine that no other machine reaches. */
export const isLoopback = (address: string): boolean =>
  address === "localhost" || address === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address)

/** `port` is that which the server listens on. */
export const make =
  (port: number, defaultPort: number, certificate?: X509Certificate): IsOurs =>
  (host) => {
    const [, bracketed, plain, given = String(defaultPort)] =
      /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(host ?? "") ?? []
    const name = (bracketed ?? plain)?.toLowerCase()
    if (name === undefined || Number(given) !== port) return false
    if (isLoopback(name)) return true
    if (certificate === undefined) return false
    return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined
  }
