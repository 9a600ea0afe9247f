/** Creating an archive of a folder of the test's own, and reading it again. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import * as CreateArchive from "../../../src/services/create/CreateArchive.ts"
import type { DiskWarning } from "../../../src/services/disk/DiskWarning.ts"
import * as Processes from "../../support/Processes.ts"
import * as Tree from "../../support/Tree.ts"

/** A folder for the source, and one for the archive. */
export const folders = Effect.map(Processes.temporaryFolder, (folder) => {
  const source = path.join(folder, "source")
  const target = path.join(folder, "target")
  fs.mkdirSync(source)
  fs.mkdirSync(target)
  return { source, target }
})

export type Given = Partial<CreateArchive.Options<CreateArchive.CreateError>>

/** Creates an archive and reads it again; warnings as `kind path`. */
export const createIn = Effect.fnUntraced(function* (
  source: string,
  target: string,
  version: 1 | 2,
  options: Given = {},
) {
  const archive = path.join(target, "archive")
  const payload = version === 2 ? path.join(target, "payload") : undefined
  const warnings: Array<DiskWarning> = []
  const summary = yield* CreateArchive.create({
    source,
    archive,
    payload,
    onWarning: (warning) => Effect.sync(() => void warnings.push(warning)),
    ...options,
  })
  const bytes = fs.readFileSync(archive)
  const payloadBytes = payload === undefined ? undefined : fs.readFileSync(payload)
  assert.strictEqual(summary.archiveSize, bytes.length)
  assert.strictEqual(summary.payloadSize, payloadBytes?.length)
  assert.strictEqual(summary.warnings, warnings.length)
  assert.deepStrictEqual(fs.readdirSync(target).toSorted(), version === 1 ? ["archive"] : ["archive", "payload"])
  const reader = yield* Tree.openBytes(bytes, payloadBytes)
  const tree = yield* Tree.read(reader)
  return {
    bytes,
    payloadBytes,
    reader,
    summary,
    tree,
    warnings: warnings.map(({ kind, path }) => `${kind} ${Tree.key(path)}`),
  }
})

/** All paths in a tree, without a slash before them. */
export const pathsOf = (tree: Tree.Directory, at = ""): ReadonlyArray<string> =>
  tree.children.flatMap((child) => {
    const below = Tree.below(at, child.name)
    return [below, ...(child.tree._tag === "Directory" ? pathsOf(child.tree, below) : [])]
  })

/** What is at a path of a tree. */
export const child = (tree: Tree.Directory, at: string): Tree.Tree => {
  let found: Tree.Tree = tree
  for (const name of at.split("/")) {
    const next: Tree.Tree | undefined =
      found._tag === "Directory" ? found.children.find((child) => Tree.key(child.name) === name)?.tree : undefined
    if (next === undefined) throw new Error(`no ${at}`)
    found = next
  }
  return found
}
