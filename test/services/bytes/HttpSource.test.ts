/** A file on a web server as a byte source: its ranges, its changes, and servers that do not do what is asked. */
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as HttpSource from "../../../src/services/bytes/HttpSource.ts"
import * as HttpClient from "../../../src/services/http/HttpClient.ts"

const BYTES = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7919) >> 3)

type Answer = (request: http.IncomingMessage, response: http.ServerResponse, count: number) => void

const server = (answer: Answer) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<http.Server>((resume) => {
        let count = 0
        const server = http.createServer((request, response) => answer(request, response, count++))
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)).closeAllConnections()),
    ),
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.pxar`,
  )

/** A server that does what is asked, for a file with this ETag and time. */
const ranges =
  (bytes: Uint8Array, headers: http.OutgoingHttpHeaders = { etag: '"1"' }): Answer =>
  (request, response) => {
    const [, from = "0", to = "0"] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? []
    const condition = request.headers["if-range"]
    if (condition !== undefined && condition !== headers["etag"] && condition !== headers["last-modified"]) {
      return void response.writeHead(200, { ...headers, "content-length": bytes.length }).end(bytes)
    }
    if (Number(from) >= bytes.length) {
      return void response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end()
    }
    const end = Math.min(Number(to) + 1, bytes.length)
    response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${end - 1}/${bytes.length}` })
    response.end(bytes.subarray(Number(from), end))
  }

const open = Effect.fnUntraced(function* (url: string, options: HttpClient.Options = { timeout: 5000 }) {
  const client = yield* HttpClient.make(options)
  return yield* HttpSource.open({ name: url, request: (request) => client.request({ ...request, url }) })
})

const read = Effect.fnUntraced(function* (source: HttpSource.HttpSource, offset: number, length: number) {
  const target = new Uint8Array(length)
  yield* source.read(target, offset)
  return target
})

describe("a source on a web server", () => {
  it.live("gives every range", () =>
    Effect.gen(function* () {
      const source = yield* Effect.flatMap(server(ranges(BYTES)), (url) => open(url))
      assert.strictEqual(source.size, BYTES.length)
      for (const [offset, length] of [
        [0, 10],
        [0, 0],
        [65_530, 12],
        [100_000, 100_000],
        [299_999, 1],
        [300_000, 0],
      ] as const) {
        assert.isTrue(Buffer.from(yield* read(source, offset, length)).equals(BYTES.subarray(offset, offset + length)))
      }
      assert.include((yield* Effect.flip(read(source, 299_999, 2))).message, "past the end")
    }),
  )

  it.live("may be empty", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flatMap(server(ranges(new Uint8Array(0))), (url) => open(url))).size, 0)
    }),
  )

  it.live("that has changed fails from then on: no byte of another file is given", () =>
    Effect.gen(function* () {
      const other = BYTES.map((byte) => byte ^ 255)
      const kinds: ReadonlyArray<readonly [http.OutgoingHttpHeaders, http.OutgoingHttpHeaders, Uint8Array]> = [
        [{ etag: '"1"' }, { etag: '"2"' }, other],
        [{ etag: 'W/"1"' }, { etag: 'W/"2"' }, other],
        [
          { "last-modified": "Mon, 01 Jan 2024 00:00:00 GMT" },
          { "last-modified": "Tue, 02 Jan 2024 00:00:00 GMT" },
          other,
        ],
        // Nothing but the size tells these apart.
        [{}, {}, other.subarray(0, 200_000)],
      ]
      for (const [before, after, bytes] of kinds) {
        let now = ranges(BYTES, before)
        const source = yield* Effect.flatMap(
          server((request, response, count) => now(request, response, count)),
          (url) => open(url),
        )
        yield* read(source, 100_000, 10)
        now = ranges(bytes, after)
        const error = yield* Effect.flip(read(source, 150_000, 10))
        assert.deepStrictEqual([error.id, error.retryable], ["PXF-SOURCE-CHANGED", false], JSON.stringify(before))
        now = ranges(BYTES, before)
        assert.isTrue((yield* Effect.flip(read(source, 150_000, 10))).isChanged)
      }
    }),
  )

  it.live("that ignores If-Range is caught by its ETag", () =>
    Effect.gen(function* () {
      let etag = '"1"'
      const source = yield* Effect.flatMap(
        server((request, response, count) => {
          delete request.headers["if-range"]
          ranges(BYTES, { etag })(request, response, count)
        }),
        (url) => open(url),
      )
      etag = '"2"'
      assert.isTrue((yield* Effect.flip(read(source, 100_000, 10))).isChanged)
    }),
  )

  it.live("is refused where the server sends it only whole, compressed, or another range", () =>
    Effect.gen(function* () {
      for (const [answer, reason] of [
        [(_, response) => void response.writeHead(200, { "content-length": BYTES.length }).end(BYTES), "NoRanges"],
        [
          (_, response) =>
            void response
              .writeHead(206, { "content-encoding": "gzip", "content-range": "bytes 0-9/99" })
              .end("0123456789"),
          "Encoded",
        ],
        [(_, response) => void response.writeHead(206, { "content-range": "bytes 5-9/99" }).end("01234"), "Failed"],
        [(_, response) => void response.writeHead(404).end(), "NotFound"],
        [(_, response) => void response.writeHead(401).end(), "Denied"],
      ] as ReadonlyArray<readonly [Answer, string]>) {
        assert.strictEqual((yield* Effect.flip(Effect.flatMap(server(answer), (url) => open(url)))).reason, reason)
      }
    }),
  )

  it.live("is behind redirects; not where they go in circles, or from https to http", () =>
    Effect.gen(function* () {
      const to = yield* server(ranges(BYTES))
      const source = yield* Effect.flatMap(
        server((_, response) => void response.writeHead(302, { location: to }).end()),
        (url) => open(url),
      )
      assert.strictEqual(source.size, BYTES.length)
      const circle = server((request, response) => void response.writeHead(307, { location: request.url }).end())
      assert.include((yield* Effect.flip(Effect.flatMap(circle, (url) => open(url)))).detail, "leads on")
    }),
  )
})

describe("a request", () => {
  it.live("is made again for what may pass, when the server says; and no longer than it is worth", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const answers: ReadonlyArray<Answer> = [
        (_, response) => void response.writeHead(503, { "retry-after": "1" }).end("busy"),
        (request) => void request.socket.destroy(),
        (_, response) => {
          response.writeHead(206, { etag: '"1"', "content-range": "bytes 0-9/10", "content-length": 10 }).write("012")
          setImmediate(() => response.destroy())
        },
      ]
      const url = yield* server((request, response, count) => {
        seen.push(Date.now())
        ;(answers[count] ?? ranges(BYTES))(request, response, count)
      })
      const source = yield* open(url)
      assert.strictEqual(source.size, BYTES.length)
      assert.strictEqual(seen.length, 4)
      assert.isAtLeast(seen[1]! - seen[0]!, 990)
      const busy = yield* server((_, response) => void response.writeHead(429, { "retry-after": "3600" }).end())
      const error = yield* Effect.flip(open(busy))
      assert.deepStrictEqual([error.isTransient, error.retryAfter], [true, 3_600_000])
    }),
  )

  it.live("is made three times where nobody has ever answered", () =>
    Effect.gen(function* () {
      const tries: Array<HttpClient.Fetched> = []
      const error = yield* Effect.flip(
        open("http://127.0.0.1:1/x.pxar?secret", { onFetch: (fetched) => void tries.push(fetched) }),
      )
      assert.include(error.message, "http://127.0.0.1:1/x.pxar: nothing listens there")
      assert.strictEqual(tries.length, 3)
      assert.notInclude(JSON.stringify([error, tries]), "secret")
    }),
  )

  it.live("takes no more bytes a second than it may", () =>
    Effect.gen(function* () {
      const url = yield* server(ranges(BYTES))
      const source = yield* open(url, { rate: 400_000 })
      const begin = Date.now()
      yield* read(source, 0, 300_000)
      assert.isAtLeast(Date.now() - begin, 400)
    }),
  )
})
