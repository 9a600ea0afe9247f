/** Exports of archives whose tables lead back, into others, or out: they end, and have no more than there is. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as ByteSource from "../../../src/services/bytes/ByteSource.ts"
import * as TarExport from "../../../src/services/export/TarExport.ts"
import * as ZipExport from "../../../src/services/export/ZipExport.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as B from "../../support/ArchiveBuilder.ts"

/** What an export has, or `undefined` if the archive cannot be opened. */
const exported = Effect.fnUntraced(function* (bytes: Uint8Array, { write }: typeof TarExport | typeof ZipExport) {
  const source = ByteSource.fromBytes(bytes, "archive")
  const opened = yield* Effect.option(ArchiveReader.make(source, { _tag: "Absent", expected: undefined }))
  if (opened._tag === "None") return undefined
  const parts: Array<Uint8Array> = []
  const report = yield* Effect.option(
    write(Archive.fromReader(opened.value), {
      target: { write: (bytes) => Effect.sync(() => void parts.push(bytes)) },
      onUnreadable: () => Effect.void,
    }),
  )
  return report._tag === "None" ? undefined : { ...report.value, text: Buffer.concat(parts).toString("latin1") }
})

const FOLDERS = ["", "a", "a/b", "a/b/c"]
const built = B.build({
  children: [
    B.folder("a", [B.folder("b", [B.folder("c", [B.file("d", "x")]), B.file("e", "y")]), B.file("f")]),
    B.folder("g", [B.file("h")]),
  ],
})
/** All that is in it, without the root. */
const ENTRIES = 8
const places = [...FOLDERS, "a/b/c/d", "a/b/e", "a/f", "g", "g/h"].map((path) => built.at(path))

describe("an archive with a table that leads elsewhere", () => {
  for (const [format, writer] of [
    ["tar", TarExport],
    ["zip", ZipExport],
  ] as const) {
    it.effect(`is no endless ${format}, wherever a child or the start of a folder is said to be`, () =>
      Effect.gen(function* () {
        const whole = yield* exported(built.bytes, writer)
        const extra = format === "tar" ? 1 : 0
        assert.strictEqual(whole?.entries, ENTRIES + extra)
        let poked = 0
        for (const folder of FOLDERS) {
          const { goodbye } = built.at(folder)
          const slots = FOLDERS.concat("a/f", "a/b/e", "a/b/c/d", "g").flatMap((path) => {
            const name = path.slice(folder === "" ? 0 : folder.length + 1)
            const isChild = path !== folder && path.startsWith(folder) && name !== "" && !name.includes("/")
            return isChild ? [built.at(folder).slot(name)] : []
          })
          // The last item is the table's own: where its folder begins.
          const tail = Math.max(...slots) + 24
          for (const slot of [...slots, tail]) {
            for (const target of places.flatMap((place) => [place.nameStart, place.start, place.goodbye, place.end])) {
              const bytes = B.poke(built.bytes, slot + 8, BigInt(goodbye) - BigInt(target || 0))
              const report = yield* exported(bytes, writer)
              assert.isAtMost(report?.entries ?? 0, ENTRIES + extra)
              poked++
            }
          }
        }
        assert.isAbove(poked, 200)
      }),
    )

    it.effect(`gives nothing a place outside of the ${format}, whatever it is called`, () =>
      Effect.gen(function* () {
        const names = ["..", ".", "../evil", "/evil", "x/../../evil"]
        const report = yield* exported(
          B.build({ children: [...names.map((name) => B.file(name, "x")), B.file("good", "x")] }).bytes,
          writer,
        )
        assert.include(report?.text, "good")
        assert.notInclude(report?.text, "evil")
        assert.notInclude(report?.text, "..")
      }),
    )
  }
})
