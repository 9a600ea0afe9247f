/** The server behind TLS: the names of its certificate are its own, and its cookie is for it alone. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as https from "node:https"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"
import * as harness from "./harness.ts"

beforeEach(need({ tools: ["openssl"] }))

const PASSWORD = "correct horse"

const serve = Effect.gen(function* () {
  const folder = yield* Processes.temporaryFolder
  const [cert, key] = [path.join(folder, "cert.pem"), path.join(folder, "key.pem")] as const
  execFileSync(
    "openssl",
    (
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=backup " +
      `-addext subjectAltName=DNS:backup.example,DNS:*.lan.example,IP:192.0.2.7 -keyout ${key} -out ${cert}`
    ).split(" "),
    { stdio: "ignore" },
  )
  const tls = { cert: fs.readFileSync(cert, "utf8"), key: fs.readFileSync(key, "utf8") }
  return yield* harness.start([], { tls, password: Redacted.make(PASSWORD) })
})

/** Asks under a name. */
const ask = (port: number, host: string, method = "GET", at = "/api/v1/server") =>
  Effect.callback<{ readonly status: number; readonly cookie: string }>((resume) => {
    const body = method === "POST" ? JSON.stringify({ secret: PASSWORD }) : ""
    const headers = {
      host,
      authorization: `Basic ${Buffer.from(`me:${PASSWORD}`).toString("base64")}`,
      ...(body !== "" && { "content-type": "application/json", "content-length": body.length }),
    }
    const options = { host: "127.0.0.1", port, path: at, method, headers, rejectUnauthorized: false, agent: false }
    const request = https.request(options, (response) => {
      response.resume()
      const [cookie = ""] = response.headers["set-cookie"] ?? []
      response.on("end", () => resume(Effect.succeed({ status: response.statusCode!, cookie })))
    })
    request.on("error", (error) => resume(Effect.die(error)))
    request.end(body)
  })

describe("a server with a certificate", () => {
  it.live("answers under its names and those of this machine, and under no other", () =>
    Effect.gen(function* () {
      const { port, url } = yield* serve
      assert.match(url, /^https:/)
      for (const name of ["backup.example", "BACKUP.example", "a.lan.example", "192.0.2.7", "localhost"]) {
        assert.strictEqual((yield* ask(port, `${name}:${port}`)).status, 200, name)
      }
      for (const name of ["evil.example", "a.b.lan.example", "192.0.2.8", "backup"]) {
        assert.strictEqual((yield* ask(port, `${name}:${port}`)).status, 421, name)
      }
      assert.strictEqual((yield* ask(port, "backup.example")).status, 421)
    }),
  )

  it.live("has a cookie that goes nowhere else", () =>
    Effect.gen(function* () {
      const { port } = yield* serve
      const { cookie } = yield* ask(port, `localhost:${port}`, "POST", "/api/v1/session")
      assert.match(cookie, new RegExp(`^__Host-pxar-fuse-${port}=`))
      assert.match(cookie, /; Secure/)
    }),
  )
})
