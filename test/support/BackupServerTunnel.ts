/**
 * The reader protocol of the double of a backup server (see `BackupServer`), over a connection that has been upgraded: as
 * strict as the real one about which chunks may be read and how many streams may be cancelled (docs/server.md §6.3, §6.4).
 */
import * as fs from "node:fs"
import * as http2 from "node:http2"
import * as path from "node:path"
import * as zlib from "node:zlib"
import type { Duplex } from "node:stream"
import { digestsOf } from "./BackupServerStore.ts"

export interface Tunnel {
  readonly root: string
  readonly folder: string
  /** How long the answer to somebody who is refused takes. */
  readonly refusalDelay: () => number
  readonly onRequest: (path: string) => void
  /** Is told of a connection that is ended because too much was cancelled on it. */
  readonly onDismissed: () => void
  /** Resolves when the answer may be given. */
  readonly gate: () => Promise<void>
}

/** Resets of streams that have not been answered; one more ends the connection. */
const MAX_RESETS = 20

/** How the server shows its own paths. */
const shownPath = ({ root }: Tunnel, file: string): string => `/srv/store/${path.relative(root, file)}`

const wait = (milliseconds: number) => new Promise<void>((resolve) => void setTimeout(resolve, milliseconds))

/** Serves a connection until it ends. */
export const serve = (socket: Duplex, tunnel: Tunnel): http2.ServerHttp2Session => {
  const session = http2.performServerHandshake(socket, {
    settings: {
      maxConcurrentStreams: 200,
      initialWindowSize: 33_554_432,
      maxFrameSize: 4_194_304,
      maxHeaderListSize: 16_384,
    },
    // What a client may not do is decided here.
    streamResetBurst: 100_000,
    streamResetRate: 100_000,
  } as http2.ServerSessionOptions)
  session.setLocalWindowSize(33_554_432)
  const allowed = new Set<string>()
  let resets = 0
  // Ends of connections are what tests make.
  session.on("error", () => {})
  session.on("stream", (stream, headers) => {
    let answered = false
    stream.on("error", () => {})
    stream.on("aborted", () => {
      if (answered || ++resets !== MAX_RESETS + 1) return
      tunnel.onDismissed()
      session.goaway(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from("too_many_resets"))
      session.destroy()
    })
    const send = (status: number, body: Buffer, more: http2.OutgoingHttpHeaders = {}) => {
      answered = true
      if (stream.destroyed || session.destroyed) return
      stream.respond({ ":status": status, date: new Date().toUTCString(), ...more })
      stream.end(body)
    }
    const refuse = (status: number, message: string) =>
      send(status, Buffer.from(message), {
        "content-type": "application/json;charset=UTF-8",
        "content-length": Buffer.byteLength(message),
      })
    const target = String(headers[":path"])
    tunnel.onRequest(target)
    void tunnel.gate().then(async () => {
      const { pathname, searchParams } = new URL(target, "https://x")
      const at = pathname.replace(/\/$/, "")
      if (headers[":method"] !== "GET") return refuse(404, `Path '${at}' not found.`)
      const wanted = (key: string, pattern: RegExp): string | undefined => {
        const value = searchParams.get(key)
        const others = [...searchParams.keys()].find((other) => other !== key)
        const wrong =
          value === null
            ? `'${key}': parameter is missing and it is not optional.`
            : !pattern.test(value)
              ? `'${key}': value does not match the regex pattern`
              : others !== undefined
                ? `'${others}': schema does not allow additional properties.`
                : undefined
        if (wrong === undefined) return value as string
        refuse(400, `parameter verification failed - ${wrong}`)
        return undefined
      }
      if (at === "") {
        const list = '{"data":[{"subdir":"chunk"},{"subdir":"download"},{"subdir":"speedtest"}]}'
        return send(200, Buffer.from(list), {
          "content-type": "application/json;charset=UTF-8",
          "content-length": list.length,
        })
      }
      if (at === "/speedtest") {
        const bytes = Buffer.alloc(1024 * 1024, "A")
        return send(200, bytes, { "content-type": "application/octet-stream", "content-length": bytes.length })
      }
      if (at === "/download") {
        const name = wanted("file-name", /^[A-Za-z0-9_][A-Za-z0-9._-]*$/)
        if (name === undefined) return
        if (!/\.(?:blob|didx|fidx)$/.test(name)) return refuse(400, `unknown archive type: "${name}"`)
        const file = path.join(tunnel.folder, name)
        const shown = shownPath(tunnel, file)
        if (!fs.existsSync(file)) {
          return name.endsWith(".blob")
            ? refuse(404, `open file "${shown}" failed - not found`)
            : refuse(
                400,
                `Unable to open ${name.endsWith(".fidx") ? "fixed" : "dynamic"} index "${shown}" - No such file or directory (os error 2)`,
              )
        }
        const bytes = fs.readFileSync(file)
        if (!name.endsWith(".blob")) for (const digest of digestsOf(name, bytes)) allowed.add(digest)
        return send(200, bytes, { "content-type": "application/octet-stream" })
      }
      if (at === "/chunk") {
        const digest = wanted("digest", /^[0-9a-f]{64}$/)
        if (digest === undefined) return
        if (!allowed.has(digest)) {
          await wait(tunnel.refusalDelay())
          return refuse(401, `download chunk ${digest} not allowed`)
        }
        const file = path.join(tunnel.root, ".chunks", digest.slice(0, 4), digest)
        if (!fs.existsSync(file)) {
          return refuse(400, `reading file "${shownPath(tunnel, file)}" failed: No such file or directory (os error 2)`)
        }
        const bytes = fs.readFileSync(file)
        if (/\bdeflate\b/.test(String(headers["accept-encoding"] ?? ""))) {
          const packed = zlib.deflateSync(bytes)
          return send(200, packed, { "content-type": "application/octet-stream", "content-encoding": "deflate" })
        }
        return send(200, bytes, {
          "content-type": "application/octet-stream",
          ...(bytes.length === 0 ? {} : { "content-length": bytes.length }),
        })
      }
      return refuse(404, `Path '${at}' not found.`)
    })
  })
  return session
}
