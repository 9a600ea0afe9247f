/** Zip streams, as the tools that people have read them: every name, time, size and content. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as ByteSource from "../../../src/services/bytes/ByteSource.ts"
import * as ZipExport from "../../../src/services/export/ZipExport.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as MemoryArchive from "../../../src/testing/MemoryArchive.ts"
import * as Processes from "../../support/Processes.ts"
import { need } from "../../support/Requirements.ts"

beforeEach(need({ tools: ["7z", "bsdtar", "unzip"] }))

/** Exports a tree into a file. */
const zipOf = Effect.fnUntraced(function* (tree: MemoryArchive.Tree) {
  const source = ByteSource.fromBytes(yield* MemoryArchive.bytes(tree), "archive")
  const archive = Archive.fromReader(yield* ArchiveReader.make(source, { _tag: "Absent", expected: undefined }))
  const parts: Array<Uint8Array> = []
  const report = yield* ZipExport.write(archive, {
    target: { write: (bytes) => Effect.sync(() => void parts.push(bytes)) },
    onUnreadable: (_, message) => Effect.die(new Error(message)),
  })
  const file = path.join(yield* Processes.temporaryFolder, "a.zip")
  fs.writeFileSync(file, Buffer.concat(parts))
  return { file, report }
})

/** Bytes in which records of zip stand, for readers that look for them. */
const forged = (size: number): Uint8Array => {
  const bytes = Buffer.alloc(size, 0x41)
  for (let at = 0; at + 64 < size; at += 997) Buffer.from("PK\x07\x08PK\x03\x04PK\x01\x02PK\x05\x06").copy(bytes, at)
  return bytes
}

const TIMES = {
  even: new Date("2021-07-01T10:20:30.123Z"),
  odd: new Date("1999-12-31T23:59:59.999Z"),
  early: new Date("1971-03-04T05:06:07Z"),
  last: new Date("2037-12-31T23:59:59Z"),
}

const tree: MemoryArchive.Tree = {
  "a b.txt": MemoryArchive.file("text", { mtime: TIMES.even }),
  empty: MemoryArchive.file("", { mtime: TIMES.odd }),
  folder: MemoryArchive.folder(
    { "Grüße 日本.bin": MemoryArchive.file(forged(3_000_001), { mtime: TIMES.early, mode: 0o600 }) },
    { mtime: TIMES.last },
  ),
  piece: MemoryArchive.file(forged(1024 * 1024), { mtime: TIMES.even }),
  "piece and one": MemoryArchive.file(forged(1024 * 1024 + 1), { mtime: TIMES.even, mode: 0o755 }),
}

const expected: ReadonlyArray<readonly [name: string, time: Date, content: Uint8Array | undefined]> = [
  ["a b.txt", TIMES.even, Buffer.from("text")],
  ["empty", TIMES.odd, Buffer.alloc(0)],
  ["folder", TIMES.last, undefined],
  ["folder/Grüße 日本.bin", TIMES.early, forged(3_000_001)],
  ["piece", TIMES.even, forged(1024 * 1024)],
  ["piece and one", TIMES.even, forged(1024 * 1024 + 1)],
]

describe("a zip", () => {
  // 7z has the time to 100 ns. The zone of the machine makes no difference.
  it.live.each([
    ["unzip", "unzip -q a.zip -d out", 1000],
    ["bsdtar", "mkdir out && bsdtar -xf a.zip -C out", 1000],
    ["bsdtar from a pipe", "mkdir out && cat a.zip | bsdtar -xf - -C out", 1000],
    ["7z", "7z x -oout a.zip", 1],
  ] as const)("has every name, time, size and content: %j", ([, command, resolution]) =>
    Effect.gen(function* () {
      const { file } = yield* zipOf(tree)
      const folder = path.dirname(file)
      const { code, stderr } = yield* Processes.run("sh", ["-c", `cd "$1" && ${command}`, "sh", folder], {
        env: { ...process.env, TZ: "Asia/Tokyo", LC_ALL: "C.UTF-8" },
      })
      assert.strictEqual(code, 0, stderr)
      const out = path.join(folder, "out")
      const names = fs.readdirSync(out, { recursive: true }).map(String).toSorted()
      assert.deepStrictEqual(names, expected.map(([name]) => name).toSorted())
      for (const [name, time, content] of expected) {
        const { mtimeMs } = fs.statSync(path.join(out, name))
        const units = (ms: number): number => Math.floor(Math.round(ms * 1000) / 1000 / resolution)
        assert.strictEqual(units(mtimeMs), units(time.getTime()), `time of ${name}`)
        if (content !== undefined) assert.isTrue(fs.readFileSync(path.join(out, name)).equals(content), name)
      }
    }),
  )

  it.live("tells the permissions, and sizes in front of what is small", () =>
    Effect.gen(function* () {
      const { file } = yield* zipOf(tree)
      const { stdout } = yield* Processes.run("unzip", ["-Z", "-l", file])
      const modes = stdout
        .toString()
        .split("\n")
        .flatMap((line) => /^([-d]\S{9}) .* (\w+) +\S+ \S+ \S+ (\S.*)$/.exec(line) ?? [])
      assert.deepStrictEqual(
        modes.filter((part) => /^[-d][rwx-]{9}$/.test(part)),
        ["-rw-r--r--", "-rw-r--r--", "drwxr-xr-x", "-rw-------", "-rw-r--r--", "-rwxr-xr-x"],
      )
    }),
  )

  it.live("of 66,000 entries is whole", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 66_000 }, (_, i) => `file ${String(i).padStart(5, "0")}`)
      const { file } = yield* zipOf(Object.fromEntries(names.map((name) => [name, ""])))
      for (const [tool, args] of [
        ["unzip", ["-Z1", file]],
        ["bsdtar", ["-tf", file]],
      ] as const) {
        const { stdout } = yield* Processes.run(tool, args)
        assert.deepStrictEqual(stdout.toString().trim().split("\n"), names, tool)
      }
    }),
  )

  it.live("says which times some programs will not have, and which names it cannot hold", () =>
    Effect.gen(function* () {
      const { report } = yield* zipOf({
        "C:x": MemoryArchive.file("", { mtime: new Date("1969-12-31T23:59:59Z") }),
        later: MemoryArchive.file("", { mtime: new Date("2038-01-19T03:14:08Z") }),
        "x\\\\y": MemoryArchive.file("", { mtime: new Date("2038-01-19T03:14:07Z") }),
      })
      const told = new Map(
        report.leftOut.map(([count, what]) => [what.replace(/:.*/, "").replace(/.*(?=names)/, ""), count]),
      )
      assert.deepInclude(Object.fromEntries(told), { "in the zip with another time for some programs": 2 })
      assert.strictEqual(report.leftOut.find(([, what]) => what.includes("%HH"))?.[0], 2)
    }),
  )
})
