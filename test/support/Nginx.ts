/** nginx, which serves a folder on 127.0.0.1: files by ranges, folders as JSON. */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { Effect, type Scope } from "effect"
import * as Processes from "./Processes.ts"

export interface Nginx {
  readonly port: number
  /** What it has written of requests: a line each. */
  readonly accessLog: () => ReadonlyArray<string>
}

/** Serves a folder; `more` is put into its server block. */
export const make = Effect.fnUntraced(function* (root: string, more = ""): Effect.fn.Return<Nginx, never, Scope.Scope> {
  const home = yield* Processes.temporaryFolder
  fs.chmodSync(home, 0o755)
  const port = yield* freePort
  const log = path.join(home, "access.log")
  fs.writeFileSync(
    path.join(home, "nginx.conf"),
    `daemon off; master_process off; pid ${home}/pid; error_log ${home}/error.log; worker_processes 1;
events { worker_connections 256; }
http {
  access_log ${log}; default_type application/octet-stream;
  client_body_temp_path ${home}/b; proxy_temp_path ${home}/p; fastcgi_temp_path ${home}/f; uwsgi_temp_path ${home}/u;
  scgi_temp_path ${home}/s;
  server { listen 127.0.0.1:${port}; root "${root}"; autoindex on; autoindex_format json; ${more} }
}`,
  )
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn("/usr/sbin/nginx", ["-c", path.join(home, "nginx.conf"), "-p", home, "-e", path.join(home, "error.log")], {
        stdio: "ignore",
      }),
    ),
    ended,
  )
  yield* Processes.eventually(`nginx to listen`, isListening(port), (is) => is)
  return {
    port,
    accessLog: () =>
      fs
        .readFileSync(log, "utf8")
        .split("\n")
        .filter((line) => line !== ""),
  }
})

const ended = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null) return resume(Effect.void)
    child.on("exit", () => resume(Effect.void))
    child.kill("SIGTERM")
  })

export const freePort: Effect.Effect<number> = Effect.callback((resume) => {
  const server = net.createServer()
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as net.AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

const isListening = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const socket = net.connect(port, "127.0.0.1")
    socket.on("connect", () => (socket.destroy(), resume(Effect.succeed(true))))
    socket.on("error", () => resume(Effect.succeed(false)))
  })
