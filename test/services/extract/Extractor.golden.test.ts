/**
 * As root an extracted tree equals the golden view in every field, but for what is reported: limits of the file system.
 */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Archive from "../../../src/services/tree/Archive.ts"
import type { ExtractProblem, Kind } from "../../../src/services/extract/ExtractProblem.ts"
import * as Descriptors from "../../support/Descriptors.ts"
import * as Golden from "../../support/Golden.ts"
import * as MountedTree from "../../support/MountedTree.ts"
import { need } from "../../support/Requirements.ts"
import { extractFrom, sandbox } from "./extraction.ts"

beforeEach(need({ root: true }))

/** What a file system may be unable to keep. */
const limits: ReadonlySet<Kind> = new Set<Kind>(["Time", "Xattr", "ProjectId", "Flags"])

/** The fields that extracting restores, and which names are one file. */
const restored = (
  tree: ReadonlyArray<Omit<Golden.View, "hardlink">>,
  problems: ReadonlyArray<ExtractProblem>,
): Record<string, unknown> => {
  const byInode = Map.groupBy(tree, ({ ino }) => ino)
  const fields = tree.map((entry): [string, unknown] => {
    const path = entry.path.toString("latin1")
    const own = problems.filter((problem) => `/${Buffer.from(problem.path).toString("latin1")}` === path)
    const failed = (kind: Kind) => own.filter((problem) => problem.kind === kind)
    const lost = new Set(failed("Xattr").map(({ detail }) => Buffer.from(detail.split(" ")[0]!).toString("hex")))
    const { kind, mode, uid, gid, size, rdev, mtimeSeconds, mtimeNanos, target, sha256 } = entry
    return [
      path,
      {
        kind,
        mode,
        uid,
        gid,
        rdev,
        sha256,
        target: target?.toString("hex"),
        size: kind === "directory" ? 0 : size,
        mtime: failed("Time").length > 0 ? "lost" : [mtimeSeconds, mtimeNanos],
        xattrs: Object.fromEntries(
          Object.entries(entry.xattrs)
            .filter(([name]) => !lost.has(name))
            .toSorted(([a], [b]) => (a < b ? -1 : 1)),
        ),
        names:
          kind === "file"
            ? byInode
                .get(entry.ino)!
                .map(({ path }) => path.toString("latin1"))
                .toSorted()
            : [],
      },
    ]
  })
  return Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

for (const golden of Golden.all) {
  describe(golden.name, () => {
    it.effect("equals the view", () =>
      Effect.gen(function* () {
        const { base, target } = yield* sandbox
        const archive = yield* Archive.open(golden.archive, { payload: golden.payload })
        const { all, report } = yield* extractFrom(archive.reader, target)
        assert.deepStrictEqual(
          all.filter(({ kind }) => !limits.has(kind)).map(({ message }) => message),
          [],
        )
        const expected = restored(golden.view(), all)
        const seen = restored(MountedTree.read(target), all)
        assert.deepStrictEqual(Object.keys(seen), Object.keys(expected))
        for (const path of Object.keys(expected)) assert.deepStrictEqual(seen[path], expected[path], path)
        assert.strictEqual(report.entries, golden.view().length)
        assert.deepStrictEqual(Descriptors.below(base), [])
      }),
    )
  })
}
