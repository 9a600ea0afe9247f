/**
 * A datastore with 74 damaged snapshots, whole, through a mount and extracted: everything outside of the damage is there,
 * byte for byte, and nothing stands in for what is not.
 */
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Command from "../support/Command.ts"
import * as Datastores from "../support/Datastores.ts"
import * as Golden from "../support/Golden.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"

beforeEach(need({ mount: true, root: true }))

const store = Datastores.expected.stores["datastore-damaged"]
const PAGE = 4096

type Rows = ReadonlyArray<Datastores.ExpectedFile>

/** What a snapshot must show. */
interface Wanted {
  readonly at: string
  /** Folders of archives, all of whose names are there. */
  readonly archives: ReadonlyArray<Archive>
  /** Blobs and images that can be read. */
  readonly files: ReadonlyArray<{ readonly name: string; readonly sha256: string }>
  /** What cannot be read. */
  readonly bad: ReadonlyArray<string>
}

interface Archive {
  readonly name: string
  readonly view: ReadonlyArray<Golden.View>
  /** Content by path in hex, where it is not as in the view. */
  readonly changes: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Whether names and attributes are all that there is. */
  readonly isEmpty: boolean
  /** The file that is hit, in hex, and how many of its bytes are lost. */
  readonly hit: { readonly path: string; readonly bytes: number } | undefined
}

const shown = (name: string): string => name.replace(/\.(m?pxar)\.didx$/, ".pxar").replace(/\.(blob|fidx)$/, "")

const archiveOf = (row: Datastores.ExpectedFile, rows: Rows, contentsError: string | undefined): Archive => {
  const { pxar } = row
  const payload = rows.find(({ name }) => name === pxar?.partner) ?? row
  const [range] = payload.damaged_ranges ?? []
  const hit = payload.damaged_file_hex
  return {
    name: shown(row.name),
    view: Golden.all.find(({ name }) => `${name}.view.jsonl` === pxar?.view)!.view(),
    changes: pxar?.changes ?? {},
    isEmpty: contentsError !== undefined,
    hit: hit === undefined || range === undefined ? undefined : { path: hit, bytes: range[1] - range[0] },
  }
}

const wanted: ReadonlyArray<Wanted> = store.snapshots.map(({ contents_error, files: rows, snapshot }) => {
  const isArchive = ({ pxar }: Datastores.ExpectedFile) => pxar !== undefined && pxar.kind !== "split-payload"
  const isBad = ({ damaged_file_hex, error }: Datastores.ExpectedFile) =>
    error !== undefined && damaged_file_hex === undefined
  return {
    at: snapshot,
    archives: rows.filter((row) => isArchive(row) && !isBad(row)).map((row) => archiveOf(row, rows, contents_error)),
    files: rows.flatMap(({ error, name, pxar, sha256 }) =>
      pxar === undefined && error === undefined && sha256 !== undefined ? [{ name: shown(name), sha256 }] : [],
    ),
    bad: rows
      .filter((row) => isBad(row) && row.error !== "UnsafeName" && row.pxar?.kind !== "split-payload")
      .map(({ name }) => shown(name)),
  }
})

const withKey = ["--key-file", Datastores.keyFile("key1-none.json")]

const sha256 = (file: fs.PathLike): string => crypto.createHash("sha256").update(fs.readFileSync(file)).digest("hex")

/** How many pages of a file give EIO; the others can be read. */
const lostPages = (file: Buffer): number => {
  const fd = fs.openSync(file, "r")
  try {
    const { size } = fs.fstatSync(fd)
    let lost = 0
    for (let at = 0; at < size; at += PAGE) {
      try {
        assert.strictEqual(fs.readSync(fd, new Uint8Array(PAGE), 0, PAGE, at), Math.min(PAGE, size - at))
      } catch (error) {
        assert.strictEqual((error as NodeJS.ErrnoException).code, "EIO")
        lost++
      }
    }
    return lost
  } finally {
    fs.closeSync(fd)
  }
}

/** Paths below a folder, `/` for itself. */
const pathsOf = (root: Buffer): ReadonlyArray<string> => {
  const found = ["/"]
  const visit = (below: Buffer): void => {
    for (const entry of fs.readdirSync(Buffer.concat([root, below]), { encoding: "buffer", withFileTypes: true })) {
      const child = Buffer.concat([below, Buffer.from("/"), entry.name])
      found.push(child.toString("latin1"))
      if (entry.isDirectory()) visit(child)
    }
  }
  visit(Buffer.alloc(0))
  return found.toSorted()
}

const code = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)

/** The errno of reading a file or listing a folder; `undefined` if that works. */
const failure = (file: string): string | undefined => {
  try {
    if (fs.statSync(file).isDirectory()) fs.readdirSync(file)
    else fs.readFileSync(file)
    return undefined
  } catch (error) {
    return code(error)
  }
}

describe("a datastore with 74 damaged snapshots", () => {
  it("has something whole, something hit and something lost", () => {
    const archives = wanted.flatMap(({ archives }) => archives)
    assert.deepStrictEqual(
      [
        wanted.length,
        archives.length,
        archives.filter(({ hit }) => hit !== undefined).length,
        archives.filter(({ isEmpty }) => isEmpty).length,
      ],
      [74, 39, 31, 2],
    )
  })

  it.live(
    "shows everything outside of the damage byte for byte",
    () =>
      Effect.gen(function* () {
        const mountPoint = yield* Processes.mountPoint()
        yield* Command.mount(Datastores.store("datastore-damaged"), mountPoint, withKey)
        for (const { archives, at, bad, files } of wanted) {
          const snapshot = path.join(mountPoint, at)
          for (const { changes, hit, isEmpty, name, view } of archives) {
            const root = Buffer.from(path.join(snapshot, name))
            const paths = view.map(({ path }) => path.toString("latin1")).toSorted()
            assert.deepStrictEqual(pathsOf(root), paths, root.toString())
            for (const entry of view) {
              if (entry.sha256 === undefined) continue
              const file = Buffer.concat([root, entry.path])
              const hex = entry.path.toString("hex")
              if (hex === hit?.path) {
                // A page is lost if a byte of it is, and no other.
                const pages = hit.bytes / PAGE
                const lost = lostPages(file)
                assert.isTrue(lost >= Math.ceil(pages) && lost <= Math.ceil(pages) + 1, `${file}: ${lost} of ${pages}`)
              } else if (isEmpty && entry.size > 0) {
                assert.throws(() => fs.readFileSync(file), /EIO/, file.toString())
              } else {
                const content = changes[hex]?.["sha256"] ?? entry.sha256
                assert.strictEqual(sha256(file), content as string, file.toString())
              }
            }
          }
          for (const { name, sha256: content } of files) assert.strictEqual(sha256(path.join(snapshot, name)), content)
          for (const name of bad) {
            assert.include(["EIO", "ENOENT"], failure(path.join(snapshot, name)), `${at}/${name}`)
          }
        }
      }),
    120_000,
  )

  it.live(
    "is extracted whole but for the damage",
    () =>
      Effect.gen(function* () {
        const target = path.join(yield* Processes.temporaryFolder, "out")
        const ended = yield* Command.run(["extract", Datastores.store("datastore-damaged"), target, ...withKey])
        assert.notStrictEqual(ended.code, 0)
        const inodes = new Map<number, ReadonlyArray<string>>()
        for (const { archives, at, bad, files } of wanted) {
          const snapshot = path.join(target, at)
          for (const { changes, hit, isEmpty, name, view } of archives) {
            const root = Buffer.from(path.join(snapshot, name))
            const isThere = ({ path, sha256, size }: Golden.View) =>
              sha256 === undefined || (path.toString("hex") !== hit?.path && !(isEmpty && size > 0))
            const there = view.filter(isThere)
            const paths = there.map(({ path }) => path.toString("latin1")).toSorted()
            assert.deepStrictEqual(pathsOf(root), paths, root.toString())
            for (const entry of there) {
              if (entry.sha256 === undefined) continue
              const file = Buffer.concat([root, entry.path])
              const content = changes[entry.path.toString("hex")]?.["sha256"] ?? entry.sha256
              assert.strictEqual(sha256(file), content as string, file.toString())
              // Links lead to files of the same archive.
              inodes.set(fs.lstatSync(file).ino, [...(inodes.get(fs.lstatSync(file).ino) ?? []), root.toString()])
            }
          }
          for (const { name, sha256: content } of files) assert.strictEqual(sha256(path.join(snapshot, name)), content)
          for (const name of bad) assert.strictEqual(failure(path.join(snapshot, name)), "ENOENT", `${at}/${name}`)
        }
        for (const roots of inodes.values()) assert.strictEqual(new Set(roots).size, 1, roots.join())
      }),
    60_000,
  )
})
