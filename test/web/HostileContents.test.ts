/** What somebody may try who has made what is in a backup: names, contents, link targets, a prelude, a tree without end. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Limits from "../../src/domain/pxar/Limits.ts"
import * as ArchiveReader from "../../src/services/archive/ArchiveReader.ts"
import * as ByteSource from "../../src/services/bytes/ByteSource.ts"
import * as Archive from "../../src/services/tree/Archive.ts"
import * as B from "../support/ArchiveBuilder.ts"
import * as DamagedArchives from "../support/DamagedArchives.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"
import * as harness from "./harness.ts"

beforeEach(need({ tools: ["bsdtar", "unzip"] }))

const inArchive = "/api/v1/repositories/archive"
const at = (path: string): string => `path=${encodeURIComponent(path)}`

const MARKUP = "<img src=x onerror=alert(1)>"

/** Serves an archive as it is, with its payload archive if it has one. */
const serve = Effect.fnUntraced(function* (bytes: Uint8Array, payload?: Uint8Array, limits = Limits.defaults) {
  const source = ByteSource.fromBytes(bytes, "archive")
  const contents =
    payload === undefined
      ? ({ _tag: "Absent", expected: undefined } as const)
      : ({ _tag: "Present", source: ByteSource.fromBytes(payload, "payload") } as const)
  const reader = yield* Effect.orDie(ArchiveReader.make(source, contents, { limits }))
  const archive = Archive.fromReader(reader, limits)
  return yield* harness.start([{ id: "archive", address: "archive", archive, backups: undefined }])
})

describe("markup", () => {
  it.live("in names, link targets and the prelude is never part of a page", () =>
    Effect.gen(function* () {
      const { bytes, payload } = B.build({
        version: 2,
        head: Buffer.concat([B.formatVersion(2), B.prelude(`<script>alert("prelude")</script>`)]),
        children: [
          B.file(MARKUP, MARKUP),
          B.raw("link", B.entry({ mode: 0o120777 }), B.symlink(`javascript:alert("target")`)),
          B.raw("other link", B.entry({ mode: 0o120777 }), B.symlink(`"><script>alert(1)</script>`)),
        ],
      })
      const web = yield* serve(bytes, payload)
      for (const place of [
        "/",
        `${inArchive}/folder?${at("/")}`,
        `${inArchive}/entry?${at("/link")}`,
        `${inArchive}/entry?${at(`/${MARKUP}`)}`,
        `${inArchive}/entry?${at(`/no${MARKUP}`)}`,
        `${inArchive}/search?${at("/")}&text=img`,
        `${inArchive}/content?${at(`/${MARKUP}`)}&inline=true`,
        `${inArchive}/zip?${at("/")}`,
        `/dav/archive/${encodeURIComponent(MARKUP)}`,
        "/dav/archive/",
      ]) {
        const { headers, text } = yield* web.ask(place)
        assert.notInclude(text, "prelude", place)
        assert.strictEqual(headers["x-content-type-options"], "nosniff", place)
        if (place === "/") continue
        assert.notMatch(String(headers["content-type"]), /html|xml|svg|script/, place)
        assert.match(String(headers["content-security-policy"]), /^sandbox; default-src 'none'/, place)
      }
      const listed = yield* web.ask("/dav/archive/", { method: "PROPFIND", headers: { depth: "1" } })
      assert.notInclude(listed.text, "<img")
      assert.include(listed.text, "&lt;img")
    }),
  )
})

describe("a link", () => {
  it.live.each(["/etc", "..", "../../../../etc", "."])("to %s leads nowhere, on any way", (target) =>
    Effect.gen(function* () {
      const { bytes } = B.build({
        children: [B.file("a", "x"), B.raw("link", B.entry({ mode: 0o120777 }), B.symlink(target))],
      })
      const web = yield* serve(bytes)
      for (const place of [
        `${inArchive}/content?${at("/link")}`,
        `${inArchive}/content?${at("/link/passwd")}`,
        `${inArchive}/folder?${at("/link")}`,
        `${inArchive}/zip?${at("/link/a")}`,
        "/dav/archive/link",
        "/dav/archive/link/passwd",
        "/dav/archive/link/a",
      ]) {
        assert.include([400, 404], (yield* web.ask(place)).status, place)
      }
    }),
  )
})

describe("a tree", () => {
  const cyclic = DamagedArchives.all.get("D4-child-that-is-its-own-parent")!
  const overlapping = DamagedArchives.all.get("D5-two-children-in-one-place")!

  /** Folders in one another, deeper than is gone into. */
  const depth = 200
  const nested = B.build({
    children: [
      B.file("aa", "sound"),
      Array.from({ length: 2 * depth }).reduce<B.Node>((inner) => B.folder("d", [inner]), B.file("last", "x")),
      B.file("zz", "sound too"),
    ],
  }).bytes

  it.live.each([
    // What a folder says of itself is wrong: what is in it is found without that.
    ["is its own parent", cyclic.bytes, "/bad", 0],
    ["is in two places of another", overlapping.bytes, "/bad", 0],
    ["has no end", nested, "/d", 1],
  ] as const)("that %s comes to an end in tar and zip, and what is sound is in them", ([, bytes, bad, problems]) =>
    Effect.gen(function* () {
      const web = yield* serve(bytes, undefined, { ...Limits.defaults, depth })
      const folder = yield* Processes.temporaryFolder
      for (const format of ["tar", "zip"] as const) {
        const body = { folder: "/", names: [], format }
        const job = yield* web.ask(`${inArchive}/exports`, { method: "POST", body })
        const answer = yield* web.ask(`/api/v1/jobs/${job.json.id}/content`)
        const { json } = yield* web.ask(`/api/v1/jobs/${job.json.id}`)
        assert.strictEqual(json.state, "done")
        assert.strictEqual(json.problems, problems)
        if (problems > 0) assert.include(json.notes[0], bad)
        assert.isAtMost(json.entries, depth + 6)
        const file = path.join(folder, `x.${format}`)
        fs.writeFileSync(file, answer.body)
        for (const [name, content] of [
          ["aa", "sound"],
          ["zz", "sound too"],
        ] as const) {
          assert.strictEqual(spawnSync("bsdtar", ["-xOf", file, name]).stdout.toString(), content)
        }
      }
      const search = yield* web.ask(`${inArchive}/search?${at("/")}&text=zz`)
      assert.include(search.text, "/zz")
      const listed = yield* web.ask(`/dav/archive${bad}/`, { method: "PROPFIND", headers: { depth: "infinity" } })
      assert.strictEqual(listed.status, 403)
    }),
  )
})

describe("a name", () => {
  it.live("with line breaks makes no header and no line, wherever it goes", () =>
    Effect.gen(function* () {
      const name = "a\r\nSet-Cookie: x=1\r\n\r\n<b>"
      const web = yield* serve(B.build({ children: [B.folder(name, [B.file("x", "y")]), B.file(`${name}.png`)] }).bytes)
      const printed = "/a\\x0d\\x0aSet-Cookie: x=1\\x0d\\x0a\\x0d\\x0a<b>"
      for (const place of [
        `${inArchive}/zip?${at(printed)}`,
        `${inArchive}/tar?${at(printed)}`,
        `${inArchive}/content?${at(`${printed}.png`)}&inline=true`,
        `${inArchive}/content?${at(`${printed}.png`)}`,
        `/dav/archive/${encodeURIComponent(`${name}.png`)}`,
      ]) {
        const { headers, status } = yield* web.ask(place)
        assert.strictEqual(status, 200, place)
        assert.isUndefined(headers["set-cookie"], place)
      }
      const body = { folder: "/", names: [printed.slice(1)], format: "zip" }
      const job = yield* web.ask(`${inArchive}/exports`, { method: "POST", body })
      const events = yield* web.ask(`/api/v1/jobs/${job.json.id}/content`)
      assert.isUndefined(events.headers["set-cookie"])
    }),
  )
})

describe("ranges", () => {
  it.live("by the thousand, backwards, or beyond all numbers cost no more than one answer", () =>
    Effect.gen(function* () {
      const content = Buffer.alloc(100_000, "x")
      const web = yield* serve(B.build({ children: [B.file("big", content)] }).bytes)
      const many = Array.from({ length: 1500 }, (_, i) => `${i}-`).join(",")
      for (const [range, status] of [
        [`bytes=${many}`, 200],
        ["bytes=0-,0-,0-", 200],
        ["bytes=5-1", 200],
        ["bytes=-0", 416],
        ["bytes=99999999999999999999-", 200],
        ["bytes=999999999999999-", 416],
        ["bytes=0-999999999999999", 206],
      ] as const) {
        for (const place of [`${inArchive}/content?${at("/big")}`, "/dav/archive/big"]) {
          const answer = yield* web.ask(place, { headers: { range } })
          assert.strictEqual(answer.status, status, range)
          assert.isAtMost(answer.body.length, content.length, range)
        }
      }
    }),
  )
})
