/**
 * A double of a backup server: serves the folder of a datastore over TLS as docs/server.md describes it, with the answers
 * that were recorded from a real one (`fixtures/datastore/real/rest`), and as strict where that is.
 *
 * A test can look at what was asked, end it and start it again on its port, hold up all answers, and let tickets expire.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import type * as http from "node:http"
import * as https from "node:https"
import type { AddressInfo } from "node:net"
import * as path from "node:path"
import type { Duplex } from "node:stream"
import { Effect, type Scope } from "effect"
import * as Store from "./BackupServerStore.ts"
import * as Tickets from "./BackupServerTickets.ts"
import * as Tunnel from "./BackupServerTunnel.ts"

const certificates = path.join(import.meta.dirname, "../../fixtures/server")

/** A certificate of the fixtures, by its name. */
export const certificate = (name: "self-signed" | "signed" | "authority"): string =>
  fs.readFileSync(path.join(certificates, `${name}.pem`), "utf8")

/** Path of the certificate of the authority that `signed` is of. */
export const authority = path.join(certificates, "authority.pem")

export const TOKEN = "u@pbs!tok"
export const SECRET = "adc96d4f-75ed-4897-9330-c2337bdccd0c"
/** A token without an entry of its own in the lists of who may do what. */
export const POWERLESS = { id: "v@pbs!tok", secret: "0c2f4c43-4f1f-4b9f-8e3c-63f2e1c4a5d0" }
export const USER = { id: "w@pbs", password: "secret-w1" }
export const USER_2FA = { id: "t@pbs", password: "secret-t1", codes: ["123456", "234567"] }
export const DATASTORE = "real"

export interface Options {
  /** How long the server takes to refuse somebody; 3 s in the real one, 20 ms unless given. */
  readonly refusalDelay?: number
  readonly certificate?: "self-signed" | "signed"
  readonly ticketLifetime?: number
  /** What is said of the datastore in place of serving it. */
  readonly maintenance?: string
  /** The only namespace, with those below it, that anybody may see. */
  readonly onlyBelow?: string
  /** Where it listens; 127.0.0.1 unless given. */
  readonly host?: string
}

export interface BackupServer {
  readonly port: number
  /** `USER@REALM!TOKEN@127.0.0.1:PORT:real`. */
  readonly repository: string
  readonly fingerprint: string
  /** Requests and upgrades, as `GET /api2/json/version`; those in tunnels as `/chunk?digest=…`. */
  readonly requests: Array<string>
  /** Heads of the requests over HTTP/1.1, as received. */
  readonly heads: Array<{ readonly url: string; readonly rawHeaders: ReadonlyArray<string> }>
  /** Tunnels that were ended because too much was cancelled on them. */
  readonly dismissed: () => number
  /** Tunnels that are open. */
  readonly tunnels: () => number
  /** Ends all connections at once, as a service that is stopped; refuses new ones. */
  readonly stop: Effect.Effect<void>
  /** Takes connections again, on the same port. */
  readonly start: Effect.Effect<void>
  /** From now on nothing is answered, until `resume`. */
  readonly hold: () => void
  readonly resume: () => void
  /** From now on tickets are good for this many seconds. */
  readonly setTicketLifetime: (seconds: number) => void
  /** What is answered to requests over HTTP/1.1 in place of what is there, while it says so: status and headers. */
  busy: (path: string) => { readonly status: number; readonly headers: http.OutgoingHttpHeaders } | undefined
  /** A request in a tunnel, or an upgrade, that is told now: the test may throw things at the server. */
  onRequest: (path: string) => void
}

const json = "application/json;charset=UTF-8"
const CLEAR = "__Host-PBSAuthCookie=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; SameSite=Lax; HttpOnly; Path=/;"
const wait = (milliseconds: number) => new Promise<void>((resolve) => void setTimeout(resolve, milliseconds))
const missing = (store: string) =>
  `permission check failed - missing Datastore.Audit|Datastore.Backup on /datastore/${store}`

/** Serves the datastore at `root` until the scope closes. */
export const make = (root: string, options: Options = {}): Effect.Effect<BackupServer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const name = options.certificate ?? "self-signed"
    const access = {
      tokens: { [TOKEN]: SECRET, [POWERLESS.id]: POWERLESS.secret },
      users: {
        [USER.id]: { password: USER.password },
        [USER_2FA.id]: { password: USER_2FA.password, totp: [...USER_2FA.codes] },
      },
      acl: new Set([TOKEN, USER.id, USER_2FA.id]),
      ticketLifetime: options.ticketLifetime ?? 7200,
    }
    const sockets = new Set<Duplex>()
    let open = 0
    let dismissed = 0
    let held = Promise.resolve()
    let release = () => {}
    const gate = () => held
    const refusalDelay = () => options.refusalDelay ?? 20

    const answerOf = (who: string, url: URL): unknown => {
      const query = Object.fromEntries(url.searchParams)
      const at = url.pathname.replace(/^\/+api2\/json\//, "").replace(/\/$/, "")
      if (at === "version") return { release: "2", repoid: "oracle", version: "4.2" }
      const mayRead = access.acl.has(who)
      if (at === "admin/datastore") {
        const row = { "backend-type": "filesystem", comment: null, "mount-status": "nonremovable", store: DATASTORE }
        return mayRead ? [row] : []
      }
      const match = /^admin\/datastore\/([^/]+)\/([a-z-]+)$/.exec(at)
      if (match === null) throw new Store.Refusal(404, `Path '${url.pathname}' not found.`)
      const [, store, call] = match as unknown as [string, string, string]
      if (store !== DATASTORE || !mayRead) throw new Store.Refusal(403, missing(store))
      if (options.maintenance !== undefined) {
        throw new Store.Refusal(400, `datastore '${store}' is unavailable: ${options.maintenance}`)
      }
      const { onlyBelow = "" } = options
      const isVisible = (ns: string) => onlyBelow === "" || `${ns}/`.startsWith(`${onlyBelow}/`)
      if (call === "namespace") {
        return (dataOf(root, call, query) as ReadonlyArray<{ readonly ns: string }>).filter(({ ns }) => isVisible(ns))
      }
      if (!isVisible(query["ns"] ?? "")) throw new Store.Refusal(403, missing(store))
      return dataOf(root, call, query)
    }

    const respond = (response: http.ServerResponse, status: number, body: string, more: object = {}) => {
      response.sendDate = true
      response.writeHead(status, { "content-type": json, "content-length": Buffer.byteLength(body), ...more })
      response.end(body)
    }
    const refuse = async (response: http.ServerResponse, error: unknown) => {
      if (!(error instanceof Store.Refusal)) return respond(response, 500, String(error))
      if (error.status !== 401) return respond(response, error.status, error.message)
      await wait(refusalDelay())
      respond(response, 401, error.message, { "set-cookie": CLEAR })
    }

    const handle = async (request: http.IncomingMessage, response: http.ServerResponse) => {
      const url = new URL(`https://x${request.url?.replace(/^\/\/+/, "/")}`)
      const pieces: Array<Buffer> = []
      for await (const piece of request) pieces.push(piece as Buffer)
      await gate()
      const busy = server.busy(request.url ?? "")
      if (busy !== undefined) return respond(response, busy.status, "", busy.headers)
      try {
        if ((request.url ?? "").length > 3072) return void response.writeHead(414, { "content-length": 0 }).end()
        if (/[,\s]?deflate/.test(String(request.headers["accept-encoding"] ?? "")))
          throw new Error("deflate is asked for")
        if (url.pathname === "/api2/json/ping") return respond(response, 200, '{"data":{"pong":true}}')
        if (url.pathname === "/api2/json/access/ticket" && request.method === "POST") {
          const data = Tickets.login(access, JSON.parse(Buffer.concat(pieces).toString()))
          return respond(response, 200, JSON.stringify({ data, status: 200, success: true }))
        }
        const who = Tickets.whoIs(access, request.headers)
        if (who === undefined) throw new Store.Refusal(401, "authentication failed")
        if (url.pathname === "/api2/json/reader" && request.method === "GET") {
          throw new Store.Refusal(400, "missing Upgrade header")
        }
        if (request.method !== "GET") throw new Store.Refusal(404, `Path '${url.pathname}' not found.`)
        const answer = answerOf(who, url)
        if (answer instanceof Buffer) {
          return void response.writeHead(200, { "content-type": "application/octet-stream" }).end(answer)
        }
        const body = JSON.stringify({ data: answer })
        if (url.pathname.endsWith("/snapshots")) {
          response.writeHead(200, { "content-type": json, "transfer-encoding": "chunked" })
          return void response.end(body)
        }
        respond(response, 200, body)
      } catch (error) {
        await refuse(response, error)
      }
    }

    const upgrade = async (request: http.IncomingMessage, socket: Duplex) => {
      await gate()
      const end = (status: string, body: string, more = "") =>
        void socket.end(
          `HTTP/1.1 ${status}\r\ncontent-type: ${json}\r\n${more}content-length: ${Buffer.byteLength(body)}\r\ndate: ${new Date().toUTCString()}\r\n\r\n${body}`,
        )
      if ((request.url ?? "").length > 3072) return end("414 URI Too Long", "")
      const url = new URL(`https://x${request.url?.replace(/^\/\/+/, "/")}`)
      const who = Tickets.whoIs(access, request.headers)
      if (who === undefined) {
        await wait(refusalDelay())
        return end("401 Unauthorized", "authentication failed", `set-cookie: ${CLEAR}\r\n`)
      }
      if (url.pathname !== "/api2/json/reader" || request.method !== "GET") {
        return end("404 Not Found", `Path '${url.pathname}' not found.`)
      }
      const bad = (message: string) => end("400 Bad Request", message)
      const query = Object.fromEntries(url.searchParams)
      const known = new Set(["store", "backup-type", "backup-id", "backup-time", "ns", "debug"])
      const other = Object.keys(query).find((key) => !known.has(key))
      if (other !== undefined) {
        return bad(`parameter verification failed - '${other}': schema does not allow additional properties.`)
      }
      for (const key of ["backup-time", "backup-id", "backup-type", "store"]) {
        if (query[key] === undefined) {
          return bad(`parameter verification failed - '${key}': parameter is missing and it is not optional.`)
        }
      }
      const { ns = "", store } = query
      if (store !== DATASTORE || !access.acl.has(who)) {
        return bad(`no permissions on /datastore/${store}${ns === "" ? "" : `/${ns}`}`)
      }
      if (options.maintenance !== undefined) return bad(`datastore '${store}' is unavailable: ${options.maintenance}`)
      if (request.headers.upgrade !== "proxmox-backup-reader-protocol-v1") return bad("invalid protocol name")
      const key = keyOf(query)
      const folder = Store.snapshotPath(root, key)
      if (!fs.existsSync(folder)) return bad(`snapshot ${Store.snapshotName(key)} does not exist.`)
      // Node ends the process if a write is under way when HTTP/2 takes over.
      await written(
        socket,
        `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: proxmox-backup-reader-protocol-v1\r\ndate: ${new Date().toUTCString()}\r\n\r\n`,
      )
      open++
      socket.on("close", () => open--)
      const onRequest = (at: string) => {
        server.requests.push(at)
        server.onRequest(at)
      }
      Tunnel.serve(socket, { root, folder, refusalDelay, onRequest, gate, onDismissed: () => dismissed++ })
    }

    const read = (suffix: string) => fs.readFileSync(path.join(certificates, `${name}.${suffix}`))
    const listener = https.createServer({ key: read("key"), cert: read("pem"), minVersion: "TLSv1.2" })
    const note = (request: http.IncomingMessage) => {
      server.requests.push(`${request.method} ${request.url}`)
      server.heads.push({ url: request.url ?? "", rawHeaders: request.rawHeaders })
      server.onRequest(request.url ?? "")
    }
    listener.on("request", (request, response) => {
      note(request)
      void handle(request, response)
    })
    listener.on("upgrade", (request, socket) => {
      socket.on("error", () => {})
      note(request)
      void upgrade(request, socket)
    })
    listener.on("connection", (socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => sockets.delete(socket))
    })
    const listen = (port: number) =>
      Effect.callback<void>(
        (resume) => void listener.listen(port, options.host ?? "127.0.0.1", () => resume(Effect.void)),
      )
    const stop = Effect.callback<void>((resume) => {
      listener.close(() => resume(Effect.void))
      for (const socket of sockets) socket.destroy()
    })
    yield* Effect.acquireRelease(listen(0), () =>
      Effect.suspend(() => {
        release()
        return listener.listening ? stop : Effect.void
      }),
    )
    const { port } = listener.address() as AddressInfo
    const server: BackupServer = {
      port,
      repository: `${TOKEN}@127.0.0.1:${port}:${DATASTORE}`,
      fingerprint: fingerprintOf(name),
      requests: [],
      heads: [],
      tunnels: () => open,
      dismissed: () => dismissed,
      stop,
      start: Effect.suspend(() => listen(port)),
      hold: () => {
        held = new Promise((resolve) => (release = resolve))
      },
      resume: () => {
        release()
        held = Promise.resolve()
      },
      setTicketLifetime: (seconds) => {
        access.ticketLifetime = seconds
      },
      busy: () => undefined,
      onRequest: () => {},
    }
    return server
  })

const written = (socket: Duplex, text: string) =>
  new Promise<void>((resolve) => void socket.write(text, () => setImmediate(resolve)))

const keyOf = (query: NodeJS.Dict<string>): Store.SnapshotKey => ({
  ns: query["ns"] ?? "",
  type: query["backup-type"] ?? "",
  id: query["backup-id"] ?? "",
  time: Number(query["backup-time"]),
})

const dataOf = (root: string, call: string, query: NodeJS.Dict<string>): unknown => {
  const { ns = "", parent = "" } = query
  const key = keyOf(query)
  switch (call) {
    case "namespace":
      return Store.namespaces(root, parent, Number(query["max-depth"] ?? 7)).map((name) => ({ ns: name }))
    case "groups":
      return Store.groups(root, ns)
    case "snapshots":
      return Store.snapshots(root, ns, {
        ...(query["backup-type"] === undefined ? {} : { type: query["backup-type"] }),
        ...(query["backup-id"] === undefined ? {} : { id: query["backup-id"] }),
      })
    case "files":
      return Store.files(root, key)
    case "notes":
      return Store.notes(root, key)
    case "group-notes":
      return Store.groupNotes(root, key)
    case "protected":
      return fs.existsSync(path.join(Store.snapshotPath(root, key), ".protected"))
    case "download": {
      const file = path.join(Store.snapshotPath(root, key), query["file-name"] ?? "")
      if (!fs.existsSync(file)) throw new Store.Refusal(400, "File open failed: No such file or directory (os error 2)")
      return fs.readFileSync(file)
    }
    default:
      throw new Store.Refusal(404, `Path '/api2/json/admin/datastore/${DATASTORE}/${call}' not found.`)
  }
}

const fingerprintOf = (name: "self-signed" | "signed"): string => {
  const der = Buffer.from(certificate(name).replace(/-----[^-]+-----|\s/g, ""), "base64")
  return new crypto.X509Certificate(der).fingerprint256.toLowerCase()
}

/** SHA-256 of the certificate that it has unless told otherwise. */
export const fingerprint = fingerprintOf("self-signed")
