/** Whatever bytes of an archive are changed: operations end, and fail as typed errors if they fail. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Cause, Effect, Exit, Logger } from "effect"
import * as Limits from "../../../src/domain/pxar/Limits.ts"
import type * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import { anyInteger } from "../../domain/pxar/helpers.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import { listed, open, type Reader } from "./helpers.ts"

/** More than any of the small archives here needs, even damaged. */
const MAX_STEPS = 1000

/** Uses everything in an archive in every way. Dies if anything does, or if there is no end to it. */
const use = (reader: Reader) =>
  Effect.gen(function* () {
    let steps = 0
    const attempt = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A | undefined> =>
      Effect.gen(function* () {
        if (++steps > MAX_STEPS) assert.fail("no end to it")
        const exit = yield* Effect.exit(effect)
        if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) return yield* Effect.die(exit.cause)
        return Exit.isSuccess(exit) ? exit.value : undefined
      })
    const visit = (directory: Reader["root"]): Effect.Effect<void> =>
      Effect.gen(function* () {
        yield* attempt(reader.entry(directory))
        yield* attempt(reader.count(directory))
        for (const found of (yield* attempt(listed(reader, directory))) ?? []) {
          if (found.name !== undefined) yield* attempt(reader.lookup(directory, found.name))
          if (found._tag !== "Found") continue
          yield* attempt(reader.entry(found.node))
          yield* attempt(reader.name(found.node))
          const { body } = found.entry
          if (body._tag === "File") {
            const last = Math.max(0, body.content.length - 10)
            yield* attempt(reader.content(found.node, last, new Uint8Array(body.content.length - last)))
          }
          if (body._tag === "Directory") yield* visit(found.node)
        }
      })
    yield* attempt(reader.prelude)
    yield* visit(reader.root)
  })

const limits = { ...Limits.defaults, directoryEntries: 1000 }

/** Opens the archive and uses it, if it can be opened. */
const openAndUse = (bytes: Uint8Array, payload: Uint8Array | undefined, options: Partial<ArchiveReader.Options> = {}) =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(open(bytes, payload, { limits, ...options }))
    if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) return yield* Effect.die(exit.cause)
    if (Exit.isSuccess(exit)) yield* use(exit.value)
  }).pipe(Effect.provide(Logger.layer([])))

const rich = B.build({
  version: 2,
  head: Buffer.concat([B.formatVersion(2), B.prelude("{}")]),
  children: [
    B.file("a", "content"),
    B.folder("d", [
      B.linkTo("hard", "a"),
      B.folder("empty", []),
      B.file("inline", "content", { inline: true }),
      B.file("a", "x"),
    ]),
    B.raw("soft", B.entry({ mode: 0o120777 }), B.symlink("a")),
    B.file("twice", "1", { key: "1" }),
    B.file("twice", "2", { key: "2" }),
  ],
})

const archives: ReadonlyArray<readonly [string, Uint8Array, Uint8Array | undefined]> = [
  ...[Golden.hardlinkV1, Golden.richV1, Golden.legacyV1].map((golden) => {
    const { bytes, payload } = Golden.load(golden)
    return [golden.name, bytes, payload] as const
  }),
  ["a built one", rich.bytes, rich.payload],
]

describe.each(archives)("%s", (_, bytes, payload) => {
  it.effect.each([0xff, 0x01])("survives any of its bytes changed by %i", (change) =>
    Effect.gen(function* () {
      for (let at = 0; at < bytes.length; at++) {
        yield* openAndUse(B.splice(bytes, at, Uint8Array.of(bytes[at]! ^ change)), payload)
      }
    }),
  )

  it.effect("survives any of its numbers replaced by a hostile one", () =>
    Effect.gen(function* () {
      const hostile = [0n, 1n, 16n, BigInt(bytes.length), 2n ** 31n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 16n]
      for (let at = 0; at + 8 <= bytes.length; at++) {
        yield* openAndUse(B.poke(bytes, at, hostile[at % hostile.length]!), payload)
      }
    }),
  )
})

describe("a built one", () => {
  const anyDamage = Arbitrary.array(Arbitrary.all([anyInteger(0, rich.bytes.length - 1), anyInteger(0, 255)]), {
    minLength: 1,
    maxLength: 8,
  })
  const small = { blocks: { blockSize: 48, capacity: 96 }, tableCapacity: 300 }

  it.effect.prop(
    "survives several bytes changed, also through small blocks",
    [anyDamage],
    ([damages]) => {
      let bytes: Uint8Array = rich.bytes
      for (const [at, value] of damages) bytes = B.splice(bytes, at, Uint8Array.of(value))
      return openAndUse(bytes, rich.payload, small)
    },
    { arbitrary: { runs: 200 } },
  )

  it.effect("survives any damage to its payload archive", () =>
    Effect.gen(function* () {
      for (let at = 0; at < rich.payload.length; at++) {
        yield* openAndUse(rich.bytes, B.splice(rich.payload, at, Uint8Array.of(0xff)))
      }
    }),
  )

  it.effect("survives any truncation of its payload archive", () =>
    Effect.gen(function* () {
      for (let length = 0; length < rich.payload.length; length++) {
        yield* openAndUse(rich.bytes, rich.payload.subarray(0, length))
      }
    }),
  )
})
