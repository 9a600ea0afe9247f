/** The API over HTTP: what is in archives and datastores. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as MemoryArchive from "../../src/testing/MemoryArchive.ts"
import * as WebKeys from "../../src/web/WebKeys.ts"
import * as fs from "node:fs"
import * as Datastores from "../support/Datastores.ts"
import * as harness from "./harness.ts"

const inArchive = "/api/v1/repositories/archive"
const inStore = "/api/v1/repositories/store"
const at = (path: string): string => `path=${encodeURIComponent(path)}`

const names = ({ json }: harness.Answer): ReadonlyArray<string> => json.rows.map(({ name }: { name: string }) => name)

describe("folders", () => {
  it.live("come in pages that follow one another by cursor, each entry once", () =>
    Effect.gen(function* () {
      const web = yield* harness.start([yield* harness.archive(harness.golden("tree-v1.pxar"))])
      const whole = yield* web.ask(`${inArchive}/folder?${at("/")}`)
      const paged: Array<string> = []
      let cursor = ""
      do {
        const page = yield* web.ask(`${inArchive}/folder?${at("/")}&limit=3${cursor}`)
        assert.isAtMost(page.json.rows.length, 3)
        paged.push(...names(page))
        cursor = page.json.next === undefined ? "" : `&cursor=${page.json.next}`
      } while (cursor !== "")
      assert.isAbove(paged.length, 9)
      assert.deepStrictEqual(paged, names(whole))
      assert.strictEqual(whole.json.total, paged.length)
    }),
  )

  it.live("are sorted and filtered, folders first", () =>
    Effect.gen(function* () {
      const made = yield* harness.memory({
        "b.txt": "12345",
        "A.txt": "1",
        "c.md": "123",
        z: {},
        y: {},
      })
      const web = yield* harness.start([made])
      const listed = (query: string) => Effect.map(web.ask(`${inArchive}/folder?${at("/")}&${query}`), names)
      assert.deepStrictEqual(yield* listed(""), ["y", "z", "A.txt", "b.txt", "c.md"])
      assert.deepStrictEqual(yield* listed("sort=size"), ["y", "z", "A.txt", "c.md", "b.txt"])
      assert.deepStrictEqual(yield* listed("sort=name&order=descending"), ["z", "y", "c.md", "b.txt", "A.txt"])
      assert.deepStrictEqual(yield* listed("filter=TXT"), ["A.txt", "b.txt"])
    }),
  )

  it.live("of another backup tell what changed", () =>
    Effect.gen(function* () {
      const web = yield* harness.start([yield* harness.datastore("datastore-plain")])
      const folder = (time: string) => `/host/alpha/${time}/root.pxar`
      const [older, newer] = [folder("2024-01-01T00:00:00Z"), folder("2024-04-01T03:00:00Z")]
      const same = yield* web.ask(`${inStore}/folder?${at(older)}&compare=${encodeURIComponent(older)}`)
      assert.deepStrictEqual(
        same.json.rows.filter(({ change }: { change?: string }) => change !== undefined),
        [],
      )
      const gone = yield* web.ask(`${inStore}/folder?${at(`${newer}/empty`)}&compare=${encodeURIComponent(newer)}`)
      assert.include(
        gone.json.rows.map(({ change }: { change?: string }) => change),
        "gone",
      )
    }),
  )

  it.live("tell a change also where a listing shows none: an attribute, a part of a second", () =>
    Effect.gen(function* () {
      const day = Date.UTC(2024, 1, 1)
      const file = (mtime: number, comment: string) =>
        MemoryArchive.file("x", { mtime: new Date(mtime), xattrs: { "user.comment": comment } })
      const made = yield* harness.memory({
        old: { attribute: file(day, "one"), time: file(day, "one"), same: file(day, "one") },
        new: { attribute: file(day, "two"), time: file(day + 5, "one"), same: file(day, "one") },
      })
      const web = yield* harness.start([made])
      const { json } = yield* web.ask(`${inArchive}/folder?${at("/new")}&compare=/old`)
      const changes = json.rows.map(({ change, name }: { name: string; change?: string }) => [name, change])
      assert.deepStrictEqual(changes, [
        ["attribute", "changed"],
        ["same", undefined],
        ["time", "changed"],
      ])
    }),
  )

  it.live("refuse what is no folder, no path and no cursor", () =>
    Effect.gen(function* () {
      const web = yield* harness.start([yield* harness.archive(harness.golden("tree-v1.pxar"))])
      const missing = yield* web.ask(`${inArchive}/folder?${at("/no/such")}`)
      assert.deepInclude(missing.json, { _tag: "NotFound", id: "PXF-PATH-NOT-FOUND" })
      assert.strictEqual(missing.status, 404)
      assert.strictEqual((yield* web.ask(`${inArchive}/folder?${at("/")}&cursor=zzz`)).status, 400)
      assert.strictEqual((yield* web.ask(`${inArchive}/folder?${at("/")}&limit=100000`)).status, 400)
      assert.strictEqual((yield* web.ask("/api/v1/repositories/other/folder?path=/")).json.id, "PXF-WEB-REPOSITORY")
    }),
  )
})

describe("backups", () => {
  it.live("are all there, with what their manifests say", () =>
    Effect.gen(function* () {
      const web = yield* harness.start([yield* harness.datastore("datastore-plain")])
      const { json } = yield* web.ask(`${inStore}/backups?details=true`)
      assert.strictEqual(json.length, 12)
      const second = json.find(({ path }: { path: string }) => path === "/host/alpha/2024-02-01T03:00:00Z")
      assert.strictEqual(second.group, "/host/alpha")
      assert.isTrue(second.details.protected)
      const unfinished = json.find(({ path }: { path: string }) => path === "/host/alpha/2024-05-01T03:00:00Z")
      assert.strictEqual(unfinished.details.state, "unfinished")
      const group = yield* web.ask(`${inStore}/backups?group=/ns/a/ct/100`)
      assert.strictEqual(group.json.length, 2)
    }),
  )

  it.live("grow by what no backup before them has, and are told apart from what others have", () =>
    Effect.gen(function* () {
      const web = yield* harness.start([yield* harness.datastore("datastore-plain")])
      const { json } = yield* web.ask(`${inStore}/stats?group=/host/alpha`)
      const { backups, distinct, size } = json
      const sum = (of: (backup: Record<"size" | "added" | "only", number>) => number): number =>
        backups.map(of).reduce((a: number, b: number) => a + b, 0)
      // One of five is not finished.
      assert.strictEqual(backups.length, 4)
      assert.match(backups[0].path, /^\/host\/alpha\/2024-01-01T/)
      assert.strictEqual(
        sum(({ size }) => size),
        size,
      )
      assert.strictEqual(
        sum(({ added }) => added),
        distinct,
      )
      assert.isAbove(size, distinct)
      for (const path of ["/host/none", "/host", "/"]) {
        assert.strictEqual((yield* web.ask(`${inStore}/stats?group=${path}`)).status, 404, path)
      }
    }),
  )

  it.live("have versions of a path", () =>
    Effect.gen(function* () {
      const web = yield* harness.start([yield* harness.datastore("datastore-plain")])
      const path = "/host/alpha/2024-01-01T00:00:00Z/root.pxar/acl"
      const { json } = yield* web.ask(`${inStore}/versions?${at(path)}`)
      assert.deepStrictEqual(
        json.map(({ state, time }: { state: string; time: string }) => [time.slice(0, 10), state]),
        [
          ["2024-01-01", "first"],
          ["2024-02-01", "same"],
          ["2024-03-01", "absent"],
          ["2024-04-01", "first"],
          ["2024-05-01", "absent"],
        ],
      )
    }),
  )

  it.live("that are encrypted are read when their key is unlocked, and not before", () =>
    Effect.gen(function* () {
      const file = Datastores.keyFile("key1-scrypt-small.json")
      const keys = yield* WebKeys.make([{ path: file, text: fs.readFileSync(file, "utf8") }], undefined)
      const store = yield* harness.datastore("datastore-encrypted", keys.ring)
      const web = yield* harness.start([store], { keys })
      const folder = `${inStore}/folder?${at("/host/alpha/2024-01-01T00:00:00Z/root.pxar")}`
      assert.strictEqual((yield* web.ask(folder)).status, 500)
      assert.isTrue((yield* web.ask("/api/v1/server")).json.keys[0].locked)
      const wrong = yield* web.ask("/api/v1/keys", { method: "POST", body: { passphrase: "wrong" } })
      assert.strictEqual(wrong.json.id, "PXF-KEY-PASSPHRASE")
      assert.strictEqual((yield* web.ask(folder)).status, 500)
      const right = yield* web.ask("/api/v1/keys", { method: "POST", body: { passphrase: "small cost" } })
      assert.deepStrictEqual(right.json, { unlocked: 1 })
      assert.strictEqual((yield* web.ask(folder)).status, 200)
      assert.isFalse((yield* web.ask("/api/v1/server")).json.keys[0].locked)
    }),
  )
})

describe("entries", () => {
  it.live("have ACLs, capabilities and attributes as text", () =>
    Effect.gen(function* () {
      const web = yield* harness.start([yield* harness.archive(harness.golden("tree-v1.pxar"))])
      const { rows } = (yield* web.ask(`${inArchive}/folder?${at("/caps")}`)).json
      const { json } = yield* web.ask(`${inArchive}/entry?${at(`/caps/${rows[0].name}`)}`)
      const capability = json.attributes.find(({ name }: { name: string }) => name === "security.capability")
      assert.match(capability.text, /cap_/)
      assert.strictEqual(json.path, `/caps/${rows[0].name}`)
    }),
  )

  it.live("are found by a search, which says what it looked at", () =>
    Effect.gen(function* () {
      const made = yield* harness.memory({ a: { "Letter.txt": "x", b: { "my letter": "y" } }, other: "z" })
      const web = yield* harness.start([made])
      const { text } = yield* web.ask(`${inArchive}/search?${at("/")}&text=letter`)
      const lines = text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
      assert.deepStrictEqual(
        lines
          .slice(0, -1)
          .map(({ path }) => path)
          .toSorted(),
        ["/a/Letter.txt", "/a/b/my letter"],
      )
      assert.deepStrictEqual(lines.at(-1), { looked_at: 6, unreadable: 0, done: "all" })
    }),
  )

  it.live("that are texts are compared line by line", () =>
    Effect.gen(function* () {
      const made = yield* harness.memory({ a: "1\n2\n3\n", b: "1\nzwei\n3\n", c: "\0" })
      const web = yield* harness.start([made])
      const { json } = yield* web.ask(`${inArchive}/diff?old=/a&new=/b`)
      assert.strictEqual(json.state, "different")
      assert.deepStrictEqual(json.hunks[0].lines, [" 1", "-2", "+zwei", " 3"])
      assert.strictEqual((yield* web.ask(`${inArchive}/diff?old=/a&new=/a`)).json.state, "same")
      assert.strictEqual((yield* web.ask(`${inArchive}/diff?old=/a&new=/c`)).json.state, "binary")
    }),
  )
})

describe("the document", () => {
  it.live("describes every path that handlers answer", () =>
    Effect.gen(function* () {
      const web = yield* harness.start([])
      const { json } = yield* web.ask("/api/v1/openapi.json")
      assert.strictEqual(json.openapi, "3.1.0")
      assert.includeMembers(Object.keys(json.paths), [
        "/api/v1/repositories/{repository}/folder",
        "/api/v1/repositories/{repository}/content",
        "/api/v1/jobs/{job}/events",
      ])
      assert.match((yield* web.ask("/metrics")).text, /pxar_fuse/)
    }),
  )
})
