/** The file that an archive is written to: its name, and that nothing is left of one that fails. */
import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as CreateArchive from "../../../src/services/create/CreateArchive.ts"
import * as Descriptors from "../../support/Descriptors.ts"
import * as SourceFolder from "../../support/SourceFolder.ts"
import * as Tree from "../../support/Tree.ts"
import { folders, pathsOf, type Given } from "./creating.ts"

describe("the archive's name", () => {
  it.effect("is never taken from a file that exists", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      const [archive, payload] = [`${target}/archive`, `${target}/payload`]
      const failing = Effect.fnUntraced(function* (options: Given) {
        const error = yield* Effect.flip(CreateArchive.create({ source, archive, ...options }))
        assert.strictEqual(error._tag === "TargetError" && error.code, "EEXIST")
      })
      fs.writeFileSync(archive, "precious")
      yield* failing({})
      yield* failing({ payload })
      assert.deepStrictEqual(fs.readdirSync(target), ["archive"])
      assert.strictEqual(fs.readFileSync(archive, "utf8"), "precious")
      fs.renameSync(archive, payload)
      yield* failing({ payload })
      assert.deepStrictEqual(fs.readdirSync(target), ["payload"])
      fs.rmSync(payload)
      fs.symlinkSync("nowhere", archive)
      yield* failing({})
      assert.deepStrictEqual(fs.readdirSync(target), ["archive"])
    }),
  )

  for (const taken of ["archive", "payload"]) {
    it.effect(`is not taken from a file that appears meanwhile: ${taken}`, () =>
      Effect.gen(function* () {
        const { source, target } = yield* folders
        const error = yield* Effect.flip(
          CreateArchive.create({
            source,
            archive: `${target}/archive`,
            payload: `${target}/payload`,
            onProgress: () => fs.writeFileSync(`${target}/${taken}`, "precious"),
          }),
        )
        assert.strictEqual(error._tag === "TargetError" && error.code, "EEXIST")
        assert.deepStrictEqual(fs.readdirSync(target), [taken])
        assert.strictEqual(fs.readFileSync(`${target}/${taken}`, "utf8"), "precious")
      }),
    )
  }

  it.effect("appears at the end", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { a: "a" })
      let during: ReadonlyArray<string> = []
      yield* CreateArchive.create({
        source,
        archive: `${target}/archive`,
        onProgress: () => {
          during = fs.readdirSync(target)
        },
      })
      assert.strictEqual(during.length, 1)
      assert.match(during[0] ?? "", /^\.pxar-fuse-\d+-[0-9a-f]{16}\.tmp$/)
      assert.deepStrictEqual(fs.readdirSync(target), ["archive"])
      assert.strictEqual(fs.statSync(`${target}/archive`).mode & 0o007, 0)
    }),
  )

  it.effect("cannot be in a folder that does not exist", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      const error = yield* Effect.flip(CreateArchive.create({ source, archive: `${target}/no/archive` }))
      assert.strictEqual(error._tag === "TargetError" && error.code, "ENOENT")
    }),
  )

  it.effect("may be in the source: the archive does not hold itself", () =>
    Effect.gen(function* () {
      const { source } = yield* folders
      SourceFolder.makeFiles(source, { a: "a", "sub/b": "b" })
      const warnings: Array<string> = []
      const summary = yield* CreateArchive.create({
        source,
        archive: `${source}/sub/archive`,
        payload: `${source}/payload`,
        onWarning: ({ kind }) => Effect.sync(() => void warnings.push(kind)),
      })
      assert.deepStrictEqual(warnings, ["Itself", "Itself"])
      assert.strictEqual(summary.entries, 4)
      const tree = yield* Tree.readBytes(fs.readFileSync(`${source}/sub/archive`), fs.readFileSync(`${source}/payload`))
      assert.deepStrictEqual(pathsOf(tree), ["a", "sub", "sub/b"])
    }),
  )
})

describe("nothing is left", () => {
  for (const place of ["a", "b/c", "z"]) {
    it.effect(`after an interruption at ${place}`, () =>
      Effect.gen(function* () {
        const { source, target } = yield* folders
        SourceFolder.makeFiles(source, {
          a: Buffer.alloc(10_000_000),
          "b/c/.pxarexclude": "[",
          "b/d": "d",
          "z/.pxarexclude": "[",
        })
        SourceFolder.makeFiles(source, place === "a" ? { ".pxarexclude": "[" } : {})
        const reached = yield* Deferred.make<void>()
        const running = yield* Effect.forkChild(
          CreateArchive.create({
            source,
            archive: `${target}/archive`,
            payload: `${target}/payload`,
            onWarning: ({ path }) =>
              place === "a" || Tree.key(path).startsWith(place)
                ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
                : Effect.void,
          }),
        )
        yield* Deferred.await(reached)
        assert.strictEqual(fs.readdirSync(target).length, 2)
        yield* Fiber.interrupt(running)
        assert.deepStrictEqual(fs.readdirSync(target), [])
        assert.deepStrictEqual(Descriptors.below(source), [])
      }),
    )
  }

  it.effect("after an interruption while blocks are read and written", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { a: Buffer.alloc(60_000_000, "x") })
      const reached = yield* Deferred.make<void>()
      const running = yield* Effect.forkChild(
        CreateArchive.create({
          source,
          archive: `${target}/archive`,
          onProgress: ({ contentBytes }) => {
            if (contentBytes > 0) Deferred.doneUnsafe(reached, Effect.void)
          },
        }),
      )
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(running)
      assert.deepStrictEqual(fs.readdirSync(target), [])
    }),
  )

  it.effect("after a warning that the caller takes for a failure", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { ".pxarexclude": "[" })
      const failing = CreateArchive.create({
        source,
        archive: `${target}/archive`,
        onWarning: (warning) => Effect.fail(warning),
      })
      const error = yield* Effect.flip(failing)
      assert.strictEqual(error._tag, "DiskWarning")
      assert.deepStrictEqual(fs.readdirSync(target), [])
    }),
  )

  it.effect("after a source that is none", () =>
    Effect.gen(function* () {
      const { source, target } = yield* folders
      SourceFolder.makeFiles(source, { file: "" })
      for (const [name, code] of [
        ["file", "ENOTDIR"],
        ["nothing", "ENOENT"],
      ]) {
        const error = yield* Effect.flip(CreateArchive.create({ source: `${source}/${name}`, archive: `${target}/a` }))
        assert.strictEqual(error._tag === "SourceTreeError" && error.code, code)
      }
      assert.deepStrictEqual(fs.readdirSync(target), [])
    }),
  )
})
