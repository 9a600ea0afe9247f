/** Contents over HTTP: ranges, entity tags, and what a browser is told to do with them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as harness from "./harness.ts"

const content = (path: string, rest = ""): string =>
  `/api/v1/repositories/archive/content?path=${encodeURIComponent(path)}${rest}`

const DIGITS = "0123456789"

const serve = Effect.flatMap(
  harness.memory({
    digits: DIGITS,
    empty: "",
    "page.html": "<script>alert(1)</script>",
    "drawing.svg": "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "photo.png": "\x89PNG",
    "a\r\nX-Evil: 1": "x",
    'quote"name\\': "x",
    "Grüße 日本": "x",
  }),
  (served) => harness.start([served]),
)

describe("a content", () => {
  it.live("comes whole, with its length, its time and a tag", () =>
    Effect.gen(function* () {
      const web = yield* serve
      const { headers, status, text } = yield* web.ask(content("/digits"))
      assert.strictEqual(status, 200)
      assert.strictEqual(text, DIGITS)
      assert.strictEqual(headers["content-length"], "10")
      assert.strictEqual(headers["accept-ranges"], "bytes")
      assert.match(headers.etag!, /^"[\w-]+"$/)
      assert.isDefined(headers["last-modified"])
    }),
  )

  it.live.each([
    ["bytes=0-0", 206, "0", "bytes 0-0/10"],
    ["bytes=3-5", 206, "345", "bytes 3-5/10"],
    ["bytes=8-", 206, "89", "bytes 8-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-99", 206, DIGITS, "bytes 0-9/10"],
    ["bytes=5-99", 206, "56789", "bytes 5-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=-0", 416, "", "bytes */10"],
    ["bytes=5-3", 200, DIGITS, undefined],
    ["bytes=a-b", 200, DIGITS, undefined],
    ["lines=0-1", 200, DIGITS, undefined],
    ["bytes=0-1,3-4", 200, DIGITS, undefined],
    [`bytes=${Array.from({ length: 500 }, () => "0-").join(",")}`, 200, DIGITS, undefined],
  ] as const)("in the range %s", ([range, status, text, told]) =>
    Effect.gen(function* () {
      const web = yield* serve
      const answer = yield* web.ask(content("/digits"), { headers: { range } })
      assert.deepStrictEqual([answer.status, answer.text, answer.headers["content-range"]], [status, text, told])
    }),
  )

  it.live("comes in part only if it is still the same, and not at all to whoever has it", () =>
    Effect.gen(function* () {
      const web = yield* serve
      const { etag = "" } = (yield* web.ask(content("/digits"))).headers
      const part = (tag: string) =>
        Effect.map(
          web.ask(content("/digits"), { headers: { range: "bytes=1-2", "if-range": tag } }),
          ({ text }) => text,
        )
      assert.strictEqual(yield* part(etag), "12")
      assert.strictEqual(yield* part('"other"'), DIGITS)
      const again = yield* web.ask(content("/digits"), { headers: { "if-none-match": `"x", ${etag}` } })
      assert.deepStrictEqual([again.status, again.text], [304, ""])
      assert.notStrictEqual((yield* web.ask(content("/photo.png"))).headers.etag, etag)
    }),
  )

  it.live("has headers and no body for HEAD", () =>
    Effect.gen(function* () {
      const web = yield* serve
      const { headers, status, text } = yield* web.ask(content("/digits"), { method: "HEAD" })
      assert.deepStrictEqual([status, text, headers["content-length"]], [200, "", "10"])
      assert.strictEqual((yield* web.ask(content("/empty"))).text, "")
    }),
  )

  it.live("is saved and never run, whatever it is", () =>
    Effect.gen(function* () {
      const web = yield* serve
      for (const path of ["/page.html", "/drawing.svg", "/photo.png"]) {
        const { headers } = yield* web.ask(content(path))
        assert.match(headers["content-disposition"] ?? "", /^attachment;/)
        assert.strictEqual(headers["content-type"], "application/octet-stream")
      }
      for (const [path, type] of [
        ["/page.html", "text/plain; charset=utf-8"],
        ["/drawing.svg", "text/plain; charset=utf-8"],
        ["/photo.png", "image/png"],
      ] as const) {
        const { headers } = yield* web.ask(content(path, "&inline=true"))
        assert.strictEqual(headers["content-type"], type)
        assert.strictEqual(headers["x-content-type-options"], "nosniff")
        assert.match(String(headers["content-security-policy"]), /^sandbox; default-src 'none'/)
      }
    }),
  )

  it.live("has a name in its headers that ends no header", () =>
    Effect.gen(function* () {
      const web = yield* serve
      const named = (path: string) =>
        Effect.map(web.ask(content(path)), ({ headers }) => {
          assert.isUndefined(headers["x-evil"])
          return headers["content-disposition"]
        })
      // Backslashes of the printed name would be folders to some.
      assert.strictEqual(
        yield* named("/a\\x0d\\x0aX-Evil: 1"),
        `attachment; filename="a_x0d_x0aX-Evil_ 1"; filename*=UTF-8''a_x0d_x0aX-Evil%3A%201`,
      )
      assert.match((yield* named('/quote"name\\\\'))!, /filename="quote_name__"/)
      assert.match((yield* named("/Grüße 日本"))!, /filename\*=UTF-8''Gr%C3%BC%C3%9Fe%20%E6%97%A5%E6%9C%AC$/)
    }),
  )

  it.live("of a folder is refused", () =>
    Effect.gen(function* () {
      const web = yield* serve
      assert.strictEqual((yield* web.ask(content("/"))).json.id, "PXF-PATH-NOT-A-FILE")
    }),
  )
})
