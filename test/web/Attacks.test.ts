/** What somebody may try who has no token, or whose page a user looks at. */
import * as net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Stream } from "effect"
import * as AtATime from "../../src/web/AtATime.ts"
import * as harness from "./harness.ts"

const serve = Effect.flatMap(harness.memory({ a: "x", folder: { b: "y" } }), (served) => harness.start([served]))

const SERVER = "/api/v1/server"
const inArchive = "/api/v1/repositories/archive"

describe("a request under another name (DNS rebinding)", () => {
  it.live.each([
    "evil.example",
    "evil.example:PORT",
    "127.0.0.1.evil.example:PORT",
    "localhost",
    "127.0.0.1:1",
    "localhost:PORT@evil",
  ])("as %s is refused", (name) =>
    Effect.gen(function* () {
      const web = yield* serve
      const host = name.replace("PORT", String(web.port))
      for (const path of ["/", SERVER, "/dav/", "/api/v1/health"]) {
        const { status } = yield* web.ask(path, { headers: { host } })
        assert.include([400, 421], status, path)
      }
    }),
  )

  it.live("is answered under those of this machine", () =>
    Effect.gen(function* () {
      const web = yield* serve
      for (const name of ["127.0.0.1", "localhost", "LOCALHOST", "127.0.0.2", "[::1]"]) {
        const { status } = yield* web.ask(SERVER, { headers: { host: `${name}:${web.port}` } })
        assert.strictEqual(status, 200, name)
      }
    }),
  )
})

/** A browser that has looked at the page. */
const session = Effect.fnUntraced(function* (web: harness.Web) {
  const origin = `http://127.0.0.1:${web.port}`
  const login = yield* web.ask("/api/v1/session", {
    anonymous: true,
    method: "POST",
    body: { secret: web.token },
    headers: { origin, "sec-fetch-site": "same-origin" },
  })
  assert.strictEqual(login.status, 204)
  const [cookie = ""] = login.headers["set-cookie"] ?? []
  return { origin, set: cookie, cookie: cookie.split(";", 1)[0] as string }
})

describe("a session", () => {
  it.live("is a cookie of this port that scripts and other sites do not get", () =>
    Effect.gen(function* () {
      const web = yield* serve
      const { cookie, set } = yield* session(web)
      assert.match(cookie, new RegExp(`^pxar-fuse-${web.port}=[\\w-]{43}$`))
      assert.match(set, /; HttpOnly/)
      assert.match(set, /; SameSite=Strict/)
      assert.notInclude(set, web.token)
      const { status } = yield* web.ask(SERVER, { anonymous: true, headers: { cookie } })
      assert.strictEqual(status, 200)
    }),
  )

  it.live("does nothing for the page of another site or port (CSRF)", () =>
    Effect.gen(function* () {
      const web = yield* serve
      const { cookie, origin } = yield* session(web)
      const body = { folder: "/", names: [], format: "tar" }
      const act = (headers: Record<string, string>) =>
        web.ask(`${inArchive}/exports`, { anonymous: true, method: "POST", body, headers: { cookie, ...headers } })
      for (const headers of [
        {},
        { origin: "http://evil.example" },
        { origin: `http://127.0.0.1:${web.port + 1}` },
        { origin: "null" },
        { origin, "sec-fetch-site": "cross-site" },
        { "sec-fetch-site": "same-site" },
        { "sec-fetch-site": "none" },
      ]) {
        assert.strictEqual((yield* act(headers)).json.id, "PXF-WEB-ORIGIN", JSON.stringify(headers))
      }
      assert.strictEqual((yield* act({ origin, "sec-fetch-site": "same-origin" })).status, 200)
      const read = yield* web.ask(SERVER, { anonymous: true, headers: { cookie, "sec-fetch-site": "same-site" } })
      assert.strictEqual(read.status, 403)
    }),
  )

  it.live("does not open WebDAV, and ends when it is told to", () =>
    Effect.gen(function* () {
      const web = yield* serve
      const { cookie, origin } = yield* session(web)
      const dav = yield* web.ask("/dav/", { anonymous: true, headers: { cookie } })
      assert.strictEqual(dav.status, 401)
      const headers = { cookie, origin }
      yield* web.ask("/api/v1/session", { anonymous: true, method: "DELETE", headers })
      assert.strictEqual((yield* web.ask(SERVER, { anonymous: true, headers })).status, 401)
    }),
  )
})

describe("somebody without the secret", () => {
  it.live("gets the page and nothing else", () =>
    Effect.gen(function* () {
      const web = yield* serve
      for (const path of [
        SERVER,
        `${inArchive}/folder?path=/`,
        `${inArchive}/content?path=/a`,
        "/metrics",
        "/dav/archive/a",
        "/api/v1/openapi.json",
      ]) {
        const answer = yield* web.ask(path, { anonymous: true })
        assert.strictEqual(answer.status, 401, path)
        assert.strictEqual(answer.headers["www-authenticate"] !== undefined, path.startsWith("/dav"))
      }
      assert.strictEqual((yield* web.ask("/api/v1/health", { anonymous: true })).status, 200)
    }),
  )

  it.live("who guesses is not heard any more, and neither is anybody for a while", () =>
    Effect.gen(function* () {
      const web = yield* serve
      const guess = (secret: string) =>
        web.ask("/api/v1/session", { anonymous: true, method: "POST", body: { secret } })
      for (let tries = 0; tries < 20; tries++) assert.strictEqual((yield* guess(`guess ${tries}`)).status, 403)
      assert.strictEqual((yield* guess(web.token)).status, 503)
      assert.strictEqual((yield* web.ask(SERVER)).status, 429)
    }),
  )

  it.live("shows a password as Basic, whatever the user is called", () =>
    Effect.gen(function* () {
      const password = Redacted.make("correct horse: battery")
      const web = yield* harness.start([], { password })
      const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString("base64")}` })
      assert.strictEqual((yield* web.ask(SERVER, { headers: basic("me:correct horse: battery") })).status, 200)
      assert.strictEqual((yield* web.ask(SERVER, { headers: basic("me:correct horse") })).status, 401)
      assert.notInclude(Redacted.value(web.link), "token")
    }),
  )
})

describe("a path that leads out", () => {
  it.live.each([
    "/../a",
    "/folder/../../etc/passwd",
    "/folder/..",
    "/etc/passwd",
    "//etc/passwd",
    "/folder/\\x2e\\x2e/a",
  ])("%s is none of the archive", (path) =>
    Effect.gen(function* () {
      const web = yield* serve
      const { status } = yield* web.ask(`${inArchive}/content?path=${encodeURIComponent(path)}`)
      assert.strictEqual(status, 404)
    }),
  )

  it.live.each([
    "/assets/../index.html",
    "/../../etc/passwd",
    "/assets/%2e%2e/%2e%2e/etc/passwd",
    "/api/v1/../../etc/passwd",
  ])("%s is none of the page", (path) =>
    Effect.gen(function* () {
      const web = yield* serve
      const { status, text } = yield* web.ask(path)
      assert.include([400, 404], status)
      assert.notInclude(text, "root:")
    }),
  )
})

describe("a connection", () => {
  it.live("with endless headers is refused", () =>
    Effect.gen(function* () {
      const web = yield* serve
      const { status } = yield* web.ask(SERVER, { headers: { "x-long": "x".repeat(20_000) } })
      assert.strictEqual(status, 431)
    }),
  )

  it.live(
    "whose headers never end is cut (slowloris)",
    () =>
      Effect.gen(function* () {
        const web = yield* serve
        const ended = yield* Effect.callback<string>((resume) => {
          let got = ""
          const socket = net.connect(web.port, "127.0.0.1", () => void socket.write("GET / HTTP/1.1\r\nHost: x\r\n"))
          const drip = setInterval(() => void socket.write("X-A: b\r\n"), 500)
          socket.on("error", () => {})
          socket.on("data", (data) => (got += data.toString()))
          socket.on("close", () => {
            clearInterval(drip)
            resume(Effect.succeed(got))
          })
        })
        assert.match(ended, /^HTTP\/1\.1 408/)
      }),
    30_000,
  )
})

describe("many at the same time", () => {
  it.live("of what reads whole trees are told to come again, and are heard when others have ended", () =>
    Effect.gen(function* () {
      const limit = AtATime.make(2, "searches")
      const endless = () => limit.counted(Stream.never)
      const held = yield* Effect.forEach([1, 2], () =>
        Effect.flatMap(endless(), (s) => Effect.forkChild(Stream.runDrain(s), { startImmediately: true })),
      )
      const refused = yield* Effect.flip(endless())
      assert.strictEqual(refused.id, "PXF-WEB-BUSY")
      yield* Effect.forEach(held, (fiber) => Fiber.interrupt(fiber))
      assert.deepStrictEqual(yield* Effect.flatMap(limit.counted(Stream.make(1)), Stream.runCollect), [1])
    }),
  )
})
