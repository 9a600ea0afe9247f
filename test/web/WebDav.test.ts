/** WebDAV, class 1, read-only: by the words of RFC 4918, and as real clients speak it. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as MemoryArchive from "../../src/testing/MemoryArchive.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"
import * as harness from "./harness.ts"

const tree: MemoryArchive.Tree = {
  docs: {
    "a b.txt": MemoryArchive.file("one", { mtime: new Date("2020-02-03T04:05:06Z") }),
    "Grüße 日本.txt": "two",
    "100%#?.txt": "three",
    deep: { "big.bin": new Uint8Array(300_000).fill(7) },
    "\\xff": "not text",
    "<&>\"'": "four",
    link: MemoryArchive.symlink("a b.txt"),
    pipe: MemoryArchive.fifo(),
  },
  empty: {},
}

const serve = Effect.flatMap(harness.memory(tree), (served) => harness.start([served]))

const propfind = (web: harness.Web, at: string, depth: string | undefined, body?: string) =>
  web.ask(at, {
    method: "PROPFIND",
    headers: {
      ...(depth !== undefined && { depth }),
      ...(body !== undefined && { "content-type": "application/xml" }),
    },
    ...(body !== undefined && { body }),
  })

const hrefs = ({ text }: harness.Answer): ReadonlyArray<string> =>
  [...text.matchAll(/<D:href>(.*?)<\/D:href>/g)].map(([, href]) => href!)

describe("OPTIONS", () => {
  it.live("tells of class 1 and of reading only", () =>
    Effect.gen(function* () {
      const { headers } = yield* (yield* serve).ask("/dav/archive/", { method: "OPTIONS" })
      assert.strictEqual(headers["dav"], "1")
      assert.strictEqual(headers["allow"], "OPTIONS, GET, HEAD, PROPFIND")
    }),
  )
})

describe("PROPFIND", () => {
  it.live("tells of a folder and what is in it, as clients name it", () =>
    Effect.gen(function* () {
      const answer = yield* propfind(yield* serve, "/dav/archive/docs/", "1")
      assert.strictEqual(answer.status, 207)
      assert.deepStrictEqual(hrefs(answer), [
        "/dav/archive/docs/",
        "/dav/archive/docs/a%20b.txt",
        "/dav/archive/docs/Gr%C3%BC%C3%9Fe%20%E6%97%A5%E6%9C%AC.txt",
        "/dav/archive/docs/100%25%23%3F.txt",
        "/dav/archive/docs/deep/",
        "/dav/archive/docs/%5Cxff",
        "/dav/archive/docs/%3C%26%3E%22'",
      ])
      const [, first = ""] = /a%20b\.txt<\/D:href>(.*?)<\/D:response>/.exec(answer.text) ?? []
      assert.include(first, "<D:getcontentlength>3</D:getcontentlength>")
      assert.include(first, "<D:getlastmodified>Mon, 03 Feb 2020 04:05:06 GMT</D:getlastmodified>")
      assert.include(first, "<D:creationdate>2020-02-03T04:05:06.000Z</D:creationdate>")
      assert.match(answer.text, /<D:displayname>&lt;&amp;&gt;"'<\/D:displayname>/)
    }),
  )

  it.live("tells only of the thing itself, and of the top, at depth 0", () =>
    Effect.gen(function* () {
      const web = yield* serve
      assert.deepStrictEqual(hrefs(yield* propfind(web, "/dav/archive/docs", "0")), ["/dav/archive/docs/"])
      assert.deepStrictEqual(hrefs(yield* propfind(web, "/dav/", "1")), ["/dav/", "/dav/archive/"])
    }),
  )

  it.live.each(["infinity", undefined, "2"])("of depth %s is refused as RFC 4918 says", (depth) =>
    Effect.gen(function* () {
      const { status, text } = yield* propfind(yield* serve, "/dav/archive/", depth)
      assert.strictEqual(status, 403)
      assert.include(text, "propfind-finite-depth")
    }),
  )

  it.live("gives the properties that are asked for, and says which there are not", () =>
    Effect.gen(function* () {
      const body = `<?xml version="1.0"?><propfind xmlns="DAV:" xmlns:z="urn:z"><prop><getetag/><quota/><z:mine/></prop></propfind>`
      const { text } = yield* propfind(yield* serve, "/dav/archive/docs/a%20b.txt", "0", body)
      assert.match(text, /<D:prop><D:getetag>"[\w-]+"<\/D:getetag><\/D:prop><D:status>HTTP\/1.1 200 OK/)
      assert.match(text, /<D:quota\s*\/?>/)
      assert.match(text, /<X:mine xmlns:X="urn:z"/)
      assert.include(text, "404 Not Found")
      const names = `<propfind xmlns="DAV:"><propname/></propfind>`
      const named = yield* propfind(yield* serve, "/dav/archive/docs/a%20b.txt", "0", names)
      assert.notMatch(named.text, /<D:getcontentlength>\d/)
    }),
  )

  it.live.each([
    "no xml",
    "<a/>",
    `<!DOCTYPE p [<!ENTITY e SYSTEM "file:///etc/passwd">]><propfind xmlns="DAV:"><prop>&e;</prop></propfind>`,
    `<propfind xmlns="DAV:"><prop>${"<a>".repeat(100)}`,
  ])("with the body %s is refused", (body) =>
    Effect.gen(function* () {
      const { status } = yield* propfind(yield* serve, "/dav/archive/", "0", body)
      assert.strictEqual(status, 400)
    }),
  )
})

describe("GET", () => {
  it.live("gives contents by range, under both spellings of names that are no text", () =>
    Effect.gen(function* () {
      const web = yield* serve
      const part = yield* web.ask("/dav/archive/docs/a%20b.txt", { headers: { range: "bytes=1-" } })
      assert.deepStrictEqual([part.status, part.text], [206, "ne"])
      for (const name of ["%5Cxff", "%FF", "%ff"]) {
        assert.strictEqual((yield* web.ask(`/dav/archive/docs/${name}`)).text, "not text")
      }
      const { headers } = yield* web.ask("/dav/archive/docs/a%20b.txt")
      assert.match(headers["content-disposition"]!, /^attachment/)
      assert.match(String(headers["content-security-policy"]), /^sandbox/)
    }),
  )

  it.live.each([
    "/dav/archive/docs/%2e%2e/x",
    "/dav/archive/docs%2fdeep",
    "/dav/archive/a%00b",
    "/dav/archive/%zz",
    "/dav/other/",
    "/dav/archive/docs/link",
  ])("%s is not there", (at) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* (yield* serve).ask(at)).status, 404)
    }),
  )
})

describe("everything else", () => {
  it.live.each(["PUT", "DELETE", "MKCOL", "MOVE", "COPY", "LOCK", "PROPPATCH", "POST"])("%s is refused", (method) =>
    Effect.gen(function* () {
      const { headers, status } = yield* (yield* serve).ask("/dav/archive/docs/new", { method })
      assert.strictEqual(status, 405)
      assert.include(headers["allow"], "PROPFIND")
    }),
  )
})

/** Files below a folder with their bytes. */
const files = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    fs
      .readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const file = path.join(entry.parentPath, entry.name)
        return [path.relative(folder, file), fs.readFileSync(file).toString("latin1")] as const
      })
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )

const expected = {
  "docs/100%#?.txt": "three",
  "docs/<&>\"'": "four",
  "docs/Grüße 日本.txt": "two",
  "docs/\\xff": "not text",
  "docs/a b.txt": "one",
  "docs/deep/big.bin": "\x07".repeat(300_000),
}

/** Runs a client to its end, beside the server. */
const client = Effect.fnUntraced(function* (command: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) {
  const ended = yield* Processes.run(command, args, { env: { ...process.env, LC_ALL: "C.UTF-8", ...env } })
  assert.strictEqual(ended.code, 0, ended.stderr + ended.stdout.toString())
  return ended.stdout.toString()
})

describe("rclone", () => {
  it.live("copies the whole tree, byte for byte", (context) =>
    Effect.gen(function* () {
      need({ tools: ["rclone"] })(context)
      const web = yield* serve
      const folder = yield* Processes.temporaryFolder
      const obscured = spawnSync("rclone", ["obscure", web.token], { encoding: "utf8" }).stdout.trim()
      yield* client("rclone", ["copy", `:webdav:archive`, folder], {
        RCLONE_CONFIG: "/dev/null",
        RCLONE_WEBDAV_URL: `${web.url}dav/`,
        RCLONE_WEBDAV_VENDOR: "other",
        RCLONE_WEBDAV_USER: "me",
        RCLONE_WEBDAV_PASS: obscured,
      })
      assert.deepStrictEqual(files(folder), expected)
      assert.strictEqual(fs.statSync(path.join(folder, "docs/a b.txt")).mtime.toISOString(), "2020-02-03T04:05:06.000Z")
    }),
  )
})

describe("cadaver", () => {
  it.live("lists and gets", (context) =>
    Effect.gen(function* () {
      need({ tools: ["cadaver"] })(context)
      const web = yield* serve
      const folder = yield* Processes.temporaryFolder
      fs.writeFileSync(path.join(folder, ".netrc"), `machine 127.0.0.1 login me password ${web.token}\n`, {
        mode: 0o600,
      })
      fs.writeFileSync(path.join(folder, "rc"), `ls\nget deep/big.bin ${folder}/got\nquit\n`)
      const said = yield* client("cadaver", ["-r", path.join(folder, "rc"), `${web.url}dav/archive/docs/`], {
        HOME: folder,
      })
      assert.match(said, /Coll:\s+deep/)
      assert.isTrue(fs.readFileSync(path.join(folder, "got")).equals(Buffer.alloc(300_000, 7)))
    }),
  )
})

describe("curl", () => {
  it.live("goes on with a download that was cut", (context) =>
    Effect.gen(function* () {
      need({ tools: ["curl"] })(context)
      const web = yield* serve
      const file = path.join(yield* Processes.temporaryFolder, "got")
      fs.writeFileSync(file, Buffer.alloc(100_000, 7))
      const config = path.join(path.dirname(file), "curlrc")
      fs.writeFileSync(config, `user = "me:${web.token}"\n`, { mode: 0o600 })
      yield* client("curl", [
        "-sS",
        "--fail",
        "-K",
        config,
        "-C",
        "-",
        "-o",
        file,
        `${web.url}dav/archive/docs/deep/big.bin`,
      ])
      assert.isTrue(fs.readFileSync(file).equals(Buffer.alloc(300_000, 7)))
    }),
  )
})
