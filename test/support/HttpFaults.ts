/**
 * An HTTP server with faults: a proxy in front of any plain HTTP/1.1 server that answers some requests itself, or spoils
 * what was answered. Headers, signatures among them, pass as they are.
 */
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { Effect, type Scope } from "effect"

/** What becomes of a request. */
export type Fault =
  /** It is answered here. */
  | { readonly status: number; readonly headers?: http.OutgoingHttpHeaders; readonly body?: string }
  /** The connection breaks before an answer, or after half of the body; or no answer comes. */
  | "reset"
  | "truncate"
  | "stall"

export interface HttpFaults {
  readonly port: number
  /** Method and path of the requests so far, in order. */
  readonly requests: ReadonlyArray<string>
}

/** Whether a request, counted from 0, meets a fault. */
export type Choice = (request: http.IncomingMessage, index: number) => Fault | undefined

/** Puts faults in front of a server on this machine until the scope closes. */
export const make = (target: number, choose: Choice): Effect.Effect<HttpFaults, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly server: http.Server; readonly agent: http.Agent; readonly requests: Array<string> }>(
        (resume) => {
          const agent = new http.Agent({ keepAlive: true })
          const requests: Array<string> = []
          const server = http.createServer((request, response) => {
            const fault = choose(request, requests.length)
            requests.push(`${request.method} ${request.url}`)
            answer(request, response, { agent, port: target }, fault)
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, agent, requests })))
        },
      ),
      ({ agent, server }) =>
        Effect.callback<void>((resume) => {
          agent.destroy()
          server.close(() => resume(Effect.void)).closeAllConnections()
        }),
    ),
    ({ requests, server }) => ({ port: (server.address() as AddressInfo).port, requests }),
  )

const KINDS: ReadonlyArray<Fault> = ["reset", "truncate", { status: 503 }, { status: 429 }]

/** Of twenty requests one meets a fault, each kind in turn. */
export const oneOfTwenty = (target: number): Effect.Effect<HttpFaults, never, Scope.Scope> =>
  make(target, (_, index) => (index % 20 === 1 ? KINDS[Math.floor(index / 20) % KINDS.length] : undefined))

const answer = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  target: { readonly agent: http.Agent; readonly port: number },
  fault: Fault | undefined,
): void => {
  const { socket } = request
  if (fault === "stall") return
  if (fault === "reset") return void socket.resetAndDestroy()
  if (typeof fault === "object") {
    request.resume()
    return void response.writeHead(fault.status, fault.headers).end(fault.body)
  }
  const { headers, method, url } = request
  const options = { ...target, host: "127.0.0.1", headers, method, path: url, setHost: false }
  const forwarded = http.request(options, (answered) => {
    response.writeHead(answered.statusCode ?? 502, answered.rawHeaders)
    if (fault === undefined) return void answered.pipe(response)
    const length = Number(answered.headers["content-length"] ?? 0)
    let left = Math.floor(length / 2)
    answered.on("data", (piece: Buffer) => {
      response.write(piece.subarray(0, left))
      left -= Math.min(left, piece.length)
      if (left === 0) socket.destroySoon()
    })
  })
  forwarded.on("error", () => socket.destroy())
  response.on("close", () => forwarded.destroy())
  request.pipe(forwarded)
}
