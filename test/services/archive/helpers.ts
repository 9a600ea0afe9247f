/** What the tests of `src/services` share. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { ArchiveError } from "../../../src/services/archive/ArchiveError.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import type { Source } from "../../../src/services/bytes/ByteSource.ts"
import { fromBytes, SourceError } from "../../../src/services/bytes/ByteSource.ts"
import type { Payload } from "../../../src/services/archive/PayloadReader.ts"

export type Reader = ArchiveReader.Shape

export const absent: Payload = { _tag: "Absent", expected: undefined }

export const present = (bytes: Uint8Array): Payload => ({ _tag: "Present", source: fromBytes(bytes, "test.ppxar") })

/** Opens an archive in memory; with its payload archive if that is given. */
export const open = (bytes: Uint8Array, payload?: Uint8Array, options: Partial<ArchiveReader.Options> = {}) =>
  ArchiveReader.make(
    fromBytes(bytes, payload === undefined ? "test.pxar" : "test.mpxar"),
    payload === undefined ? absent : present(payload),
    options,
  )

/** Fails the test unless `effect` fails with this class and check; succeeds with the error. */
export const failing = <A>(
  effect: Effect.Effect<A, ArchiveError>,
  kind: ArchiveError["kind"],
  check: string,
): Effect.Effect<ArchiveError> =>
  Effect.matchEffect(effect, {
    onSuccess: (value) => Effect.sync(() => assert.fail(`did not fail, but gave ${String(value)}`)),
    onFailure: (error) =>
      Effect.sync(() => {
        assert.deepStrictEqual({ kind: error.kind, check: error.check }, { kind, check }, error.message)
        return error
      }),
  })

/** What a name leads to from the root: each part looked up in turn. Dies if one is not there. */
export const find = (reader: ArchiveReader.Tree, path: string): Effect.Effect<ArchiveReader.Found, ArchiveError> =>
  Effect.gen(function* () {
    let node = reader.root
    let found: ArchiveReader.Found | undefined
    for (const name of path.split("/")) {
      found = yield* reader.lookup(node, Buffer.from(name))
      if (found === undefined) return yield* Effect.die(new Error(`${name} of ${path} not found`))
      node = found.node
    }
    return found as ArchiveReader.Found
  })

/** All children of a directory in slot order, hidden ones left out, hard links followed. */
export const children = (
  reader: ArchiveReader.Tree,
  directory: ArchiveReader.Shape["root"],
): Effect.Effect<ReadonlyArray<ArchiveReader.Found>, ArchiveError> =>
  Effect.gen(function* () {
    const all: Array<ArchiveReader.Found> = []
    const count = yield* reader.count(directory)
    for (let slot = 0; slot < count; slot++) {
      const child = yield* reader.child(directory, slot)
      if (child !== undefined) all.push(yield* reader.resolve(directory, child))
    }
    return all
  })

/** The bytes of a file, read `step` at a time. */
export const contentOf = (
  reader: ArchiveReader.Tree,
  found: ArchiveReader.Found,
  step = Number.MAX_SAFE_INTEGER,
): Effect.Effect<Buffer, ArchiveError> =>
  Effect.gen(function* () {
    const { body } = found.entry
    if (body._tag !== "File") return assert.fail("no file")
    const bytes = Buffer.alloc(body.content.length)
    for (let at = 0; at < bytes.length; at += step) {
      yield* reader.content(body.content, at, bytes.subarray(at, Math.min(bytes.length, at + step)))
    }
    return bytes
  })

/** The content at `path`, as text. */
export const readText = (reader: ArchiveReader.Tree, path: string): Effect.Effect<string, ArchiveError> =>
  Effect.flatMap(find(reader, path), (found) => Effect.map(contentOf(reader, found), String))

export interface Recorded extends Source {
  /** Every read so far, as `[offset, length]`. */
  readonly reads: Array<readonly [offset: number, length: number]>
  /** Reads for which this holds fail. */
  failOn: (offset: number, length: number) => boolean
}

/** A source over `bytes` that records its reads and fails those that it is told to. */
export const recorded = (bytes: Uint8Array, name = "recorded"): Recorded => {
  const source = fromBytes(bytes, name)
  const self: Recorded = {
    name,
    size: source.size,
    reads: [],
    failOn: () => false,
    read: (target, offset) =>
      Effect.suspend(() => {
        self.reads.push([offset, target.length])
        return self.failOn(offset, target.length)
          ? Effect.fail(new SourceError({ source: name, offset, detail: "disk on fire" }))
          : source.read(target, offset)
      }),
  }
  return self
}
