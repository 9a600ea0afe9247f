/** Where chunks are used and what is in them, against the model of the backups. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Bytes from "../../../src/domain/Bytes.ts"
import * as Edition from "../../../src/services/history/Edition.ts"
import * as Inspect from "../../../src/services/history/Inspect.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as backups from "./backups.ts"

describe("Inspect", () => {
  it.effect("finds each use of a chunk, and the files in it", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 4; seed++) {
        const { backups: made, repository } = yield* backups.make(seed, { days: 4 })
        // Brute force: all indexes, and for each file the chunks that its bytes are in.
        const expected = new Map<string, { uses: Array<string>; files: Set<string>; digest: Uint8Array }>()
        const [group] = yield* Stream.runCollect(Edition.groups(repository))
        const series = group!.series[0]!
        const last = made.at(-1)!
        for (const { id } of made) {
          const snapshot = yield* repository.snapshot(id)
          const file = snapshot.files.find(({ kind }) => kind === "archive")!
          for (const name of [file.name, ...(file.payload === undefined ? [] : [file.payload])]) {
            const { index } = yield* snapshot.index(name)
            for (let chunk = 0; chunk < index.count; chunk++) {
              const digest = index.digest(chunk)
              const key = Buffer.from(digest).toString("hex")
              const known = expected.get(key) ?? { uses: [], files: new Set(), digest }
              expected.set(key, known)
              known.uses.push(`${id.time} ${name} ${chunk}`)
            }
          }
        }
        const edition = series.editions.find(({ snapshots }) => snapshots.some(({ time }) => time === last.id.time))!
        const { reader, streams } = yield* Edition.open(edition)
        for (const [path, { content }] of last.files) {
          const { entry } = yield* Archive.fromReader(reader).find(Bytes.fromText(path))
          if (entry.body._tag !== "File" || content.length === 0) continue
          const index = streams.payload ?? streams.archive
          for (let at = entry.body.content.start; at < entry.body.content.start + content.length; at++) {
            expected.get(Buffer.from(index.digest(index.locate(at))).toString("hex"))!.files.add(path)
          }
        }
        for (const [key, { digest, files, uses }] of expected) {
          const found = yield* Stream.runCollect(Inspect.uses(repository, digest, {}))
          assert.deepStrictEqual(
            found.map(({ chunk, snapshot, stream }) => `${snapshot.time} ${stream} ${chunk}`).toSorted(),
            uses.toSorted(),
            `seed ${seed}: ${key}`,
          )
          const use = found.find(({ snapshot }) => snapshot.time === last.id.time)
          if (use === undefined) continue
          const inside = yield* Inspect.filesIn(edition, use)
          // A chunk that is in the stream twice is asked about at one place.
          const told = inside.map(({ path }) => Bytes.toText(path))
          if (uses.filter((each) => each.startsWith(last.id.time)).length === 1) {
            assert.sameMembers(told, [...files], `seed ${seed}: ${key}`)
          }
        }
      }
    }).pipe(Effect.scoped),
  )
})
