/** What the tests of `src/services` share. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { ArchiveError } from "../../../src/services/archive/ArchiveError.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import type { ByteSource } from "../../../src/services/bytes/ByteSource.ts"
import { fromBytes, SourceError } from "../../../src/services/bytes/ByteSource.ts"
import type { ArchiveTree, Found, Listed } from "../../../src/services/archive/ArchiveTree.ts"
import type { Payload } from "../../../src/services/bytes/ArchiveBytes.ts"

export type Reader = ArchiveReader.ArchiveReader

export const absent: Payload = { _tag: "Absent", expected: undefined }

export const present = (bytes: Uint8Array): Payload => ({ _tag: "Present", source: fromBytes(bytes, "test.ppxar") })

/** Opens an archive in memory; with its payload archive if that is given. */
export const open = (bytes: Uint8Array, payload?: Uint8Array, options: Partial<ArchiveReader.Options> = {}) =>
  ArchiveReader.make(
    fromBytes(bytes, payload === undefined ? "test.pxar" : "test.mpxar"),
    payload === undefined ? absent : present(payload),
    options,
  )

/** A source whose every byte has to be waited for. */
export const waiting = (bytes: Uint8Array, name: string): ByteSource => {
  const source = fromBytes(bytes, name)
  return {
    ...source,
    read: (target, offset) =>
      Effect.andThen(
        Effect.yieldNow,
        Effect.suspend(() => source.read(target, offset)),
      ),
  }
}

/** Opens an archive whose every byte has to be waited for. */
export const openWaiting = (bytes: Uint8Array, payload?: Uint8Array) =>
  ArchiveReader.make(
    waiting(bytes, "test.pxar"),
    payload === undefined ? absent : { _tag: "Present", source: waiting(payload, "test.ppxar") },
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
export const find = (reader: ArchiveTree, path: string): Effect.Effect<Found, ArchiveError> =>
  Effect.gen(function* () {
    let node = reader.root
    let found: Found | undefined
    for (const name of path.split("/")) {
      found = yield* reader.lookup(node, Buffer.from(name))
      if (found === undefined) return yield* Effect.die(new Error(`${name} of ${path} not found`))
      node = found.node
    }
    return found as Found
  })

/** All children of a directory in the order of the archive, those that cannot be read too. */
export const listed = (
  reader: ArchiveTree,
  directory: ArchiveTree["root"],
): Effect.Effect<ReadonlyArray<Listed>, ArchiveError> =>
  Effect.gen(function* () {
    const all: Array<Listed> = []
    yield* reader.list(directory, 0, (child) => all.push(child) > 0)
    return all
  })

/** Why a child in a listing cannot be read. */
export const failureOf = (children: ReadonlyArray<Listed>, index: number): ArchiveError => {
  const child = children[index]
  return child?._tag === "Unreadable" ? child.error : assert.fail(`child ${index} is ${child?._tag}`)
}

/** The children of a directory, hidden ones left out; fails with what is wrong with any other. */
export const children = (
  reader: ArchiveTree,
  directory: ArchiveTree["root"],
): Effect.Effect<ReadonlyArray<Found>, ArchiveError> =>
  Effect.gen(function* () {
    const all: Array<Found> = []
    for (const child of yield* listed(reader, directory)) {
      if (child._tag === "Found") all.push(child)
      else if (child._tag === "Unreadable" && child.error.check !== "D9") return yield* child.error
    }
    return all
  })

/** The bytes of a file, read `step` at a time. */
export const contentOf = (
  reader: ArchiveTree,
  found: Found,
  step = Number.MAX_SAFE_INTEGER,
): Effect.Effect<Buffer, ArchiveError> =>
  Effect.gen(function* () {
    const { body } = found.entry
    if (body._tag !== "File") return assert.fail("no file")
    const bytes = Buffer.alloc(body.content.length)
    for (let at = 0; at < bytes.length; at += step) {
      yield* reader.content(found.node, at, bytes.subarray(at, Math.min(bytes.length, at + step)))
    }
    return bytes
  })

/** The content at `path`, as text. */
export const readText = (reader: ArchiveTree, path: string): Effect.Effect<string, ArchiveError> =>
  Effect.flatMap(find(reader, path), (found) => Effect.map(contentOf(reader, found), String))

export interface Recorded extends ByteSource {
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
