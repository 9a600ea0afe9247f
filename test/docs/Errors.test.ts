/** docs/errors.md against the errors that the library exports. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Mounts from "../../src/cli/control/Mounts.ts"
import * as UnmountHandler from "../../src/cli/control/UnmountHandler.ts"
import * as Background from "../../src/cli/mount/Background.ts"
import * as MountLog from "../../src/cli/mount/MountLog.ts"
import * as PidFile from "../../src/cli/mount/PidFile.ts"
import * as Readiness from "../../src/cli/mount/Readiness.ts"
import * as Output from "../../src/cli/Output.ts"
import * as Library from "../../src/index.ts"
import * as WebRefusal from "../../src/web/WebRefusal.ts"
import * as WebServer from "../../src/web/WebServer.ts"

interface ErrorClass {
  readonly name: string
  readonly ids?: Readonly<Record<string, string>>
  readonly prototype: object
}

/** What can end a command besides. */
const command = { Background, MountLog, Mounts, Output, PidFile, Readiness, UnmountHandler, WebRefusal, WebServer }

/** Everything that the library exports and that is a class, and the errors of the command. */
const classes = Object.entries({ ...Library, ...command }).flatMap(([namespace, members]) =>
  Object.entries(members)
    .filter((entry): entry is [string, ErrorClass] => typeof entry[1] === "function" && "prototype" in entry[1])
    .map(([name, type]) => ({ name: `${namespace}.${name}`, type })),
)

/** Those that are errors, each once, whatever names it is exported under. */
const errors = [...new Map(classes.map((found) => [found.type, found])).values()].filter(
  ({ type }) => type.prototype instanceof Error,
)

const rows = [
  ...fs
    .readFileSync(path.join(import.meta.dirname, "../../docs/errors.md"), "utf8")
    .matchAll(/^\| `(PXF-[A-Z-]+)` +\| (.*?) *\| (.*?) *\| (.*?) *\|$/gm),
].map(([, id, meaning, , advice]) => ({ id: id!, meaning: meaning!, advice: advice! }))

describe("errors of the library", () => {
  it("are errors: what is called one is an `Error`", () => {
    assert.isAbove(errors.length, 12)
    const others = classes.filter(({ name, type }) => name.endsWith("Error") && !(type.prototype instanceof Error))
    // A failed check as a decoder returns it: services turn it into an `ArchiveError`.
    assert.deepStrictEqual(
      others.map(({ name }) => name),
      ["FormatError.FormatError"],
    )
  })

  it.each(errors)("$name has ids, and says how to get one of an error", ({ type }) => {
    assert.isAbove(Object.keys(type.ids ?? {}).length, 0)
    assert.isDefined(Object.getOwnPropertyDescriptor(type.prototype, "id")?.get)
  })

  it("have ids that no other class has", () => {
    const ids = errors.flatMap(({ type }) => Object.values(type.ids ?? {}))
    assert.deepStrictEqual(ids.toSorted(), [...new Set(ids)].toSorted())
  })

  it("are in docs/errors.md, and nothing else is", () => {
    const ids = errors.flatMap(({ type }) => Object.values(type.ids ?? {}))
    assert.deepStrictEqual(rows.map(({ id }) => id).toSorted(), ids.toSorted())
  })

  it("have a meaning there, and what to do", () => {
    for (const { advice, id, meaning } of rows) assert.isTrue(meaning.length > 10 && advice.length > 5, id)
  })

  it.each([
    [Library.FileSource.fromNode("/x", { code: "ENOENT" }), "PXF-OPEN-MISSING"],
    [Library.FileSource.fromNode("/x", { code: "EACCES" }), "PXF-OPEN-DENIED"],
    [Library.FileSource.fromNode("/x", { code: "EMFILE", message: "EMFILE: too many" }), "PXF-OPEN-FAILED"],
    [Library.ArchiveError.unavailable("x", "is gone"), "PXF-ARCHIVE-UNAVAILABLE"],
    [Library.ArchiveError.fromFormat("x", Library.FormatError.malformed("H4", 0, "")), "PXF-ARCHIVE-NOT-PXAR"],
    [Library.ArchiveError.fromFormat("x", Library.FormatError.malformed("H4", 64, "")), "PXF-ARCHIVE-DAMAGED"],
    [Library.ArchiveError.fromFormat("x", Library.FormatError.unsupported("P5", 0, "")), "PXF-ARCHIVE-NO-PAYLOAD"],
    [Library.ArchiveError.fromFormat("x", Library.FormatError.unsupported("H4", 0, "")), "PXF-ARCHIVE-UNSUPPORTED"],
    [new Library.ByteSink.SinkError({ sink: "x", offset: 0, code: "ENOSPC", detail: "" }), "PXF-SINK-FULL"],
    [new Library.ByteSink.SinkError({ sink: "x", offset: 0, code: "EIO", detail: "" }), "PXF-SINK-FAILED"],
    [new Library.CreateArchive.TargetError({ path: "x", code: "EEXIST", detail: "" }), "PXF-TARGET-EXISTS"],
  ])("have the id of what happened: %s", (error, id) => {
    assert.strictEqual(error.id, id)
  })

  it("about paths in an archive show no path of the machine that has it", () => {
    const archive = "/srv/secret/host.pxar"
    const path = new Library.Archive.PathError({ archive, path: "/etc/x", reason: "NotFound" })
    const selection = new Library.Selection.SelectionError({ archive, argument: "a[", detail: "not closed" })
    for (const { message } of [path, selection]) assert.notInclude(message, "srv")
  })
})
