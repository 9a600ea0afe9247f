import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as FileRepository from "../../../src/services/virtual/FileRepository.ts"
import * as Golden from "../../support/Golden.ts"
import * as Processes from "../../support/Processes.ts"
import * as H from "../archive/helpers.ts"

/** A folder with copies of golden archives, and what is none. */
const folder = Effect.map(Processes.temporaryFolder, (folder) => {
  fs.copyFileSync(Golden.helloV1.archive, path.join(folder, "one.pxar"))
  fs.copyFileSync(Golden.helloV2.archive, path.join(folder, "two.mpxar"))
  fs.copyFileSync(Golden.helloV2.payload!, path.join(folder, "two.ppxar"))
  fs.writeFileSync(path.join(folder, "notes.txt"), "no archive")
  fs.mkdirSync(path.join(folder, "folder.pxar"))
  fs.symlinkSync("nowhere", path.join(folder, "dangling.pxar"))
  fs.symlinkSync("one.pxar", path.join(folder, "latest.pxar"))
  return folder
})

const namesOf = ({ tree }: FileRepository.Collection) =>
  Effect.map(H.listed(tree, tree.root), (children) => children.map(({ name }) => Buffer.from(name!).toString()))

const failure = (paths: ReadonlyArray<string>, options?: FileRepository.Options) =>
  Effect.flip(FileRepository.open(paths, options))

describe("a collection of archive files", () => {
  it.live("of a folder is what is an archive there, by name", () =>
    Effect.gen(function* () {
      const collection = yield* FileRepository.open([yield* folder])
      assert.deepStrictEqual(yield* namesOf(collection), ["latest.pxar", "one.pxar", "two.mpxar"])
      assert.strictEqual(yield* H.readText(collection.tree, "two.mpxar/hello"), "hi\n")
    }),
  )

  it.live("of archives is those, in their order", () =>
    Effect.gen(function* () {
      const { archive: first } = Golden.helloV2
      const { archive: second } = Golden.helloV1
      const collection = yield* FileRepository.open([first, second])
      assert.deepStrictEqual(yield* namesOf(collection), ["hello-v2.mpxar", "hello-v1.pxar"])
      assert.deepStrictEqual(collection.archives, [first, second])
    }),
  )

  it.live("is what several paths are, or a folder; not one file, nor nothing", () =>
    Effect.gen(function* () {
      const { archive } = Golden.helloV1
      assert.isTrue(yield* FileRepository.isCollection([archive, archive]))
      assert.isTrue(yield* FileRepository.isCollection([path.dirname(archive)]))
      assert.isFalse(yield* FileRepository.isCollection([archive]))
      assert.isFalse(yield* FileRepository.isCollection(["/nowhere"]))
    }),
  )

  it.live("is refused with two archives of one name, without any, with one missing, and with a payload archive", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const one = path.join(directory, "one.pxar")
      const { archive } = Golden.helloV1
      const empty = path.join(directory, "folder.pxar")
      assert.include((yield* failure([one, directory])).message, `${one} and ${one} would be one folder, one.pxar`)
      assert.deepInclude(yield* failure([empty]), { _tag: "CollectionError", reason: "NoArchives" })
      assert.include((yield* failure([archive, `${empty}/missing.pxar`])).message, "no such file")
      assert.deepInclude(yield* failure([directory], { payload: "x.ppxar" }), { reason: "PayloadNamed" })
    }),
  )

  for (const name of ["one.pxar", "two.mpxar", "two.ppxar"]) {
    it.effect(`does not open an archive again whose ${name} has changed meanwhile`, () =>
      Effect.gen(function* () {
        const directory = yield* folder
        const archive = name === "one.pxar" ? name : "two.mpxar"
        const { tree: reader } = yield* FileRepository.open([directory], { idle: "1 second" })
        yield* H.find(reader, `${archive}/hello`)
        fs.utimesSync(path.join(directory, name), 1, 1)
        // As long as it is open it is what it was.
        yield* H.find(reader, `${archive}/hello`)
        yield* TestClock.adjust("2 seconds")
        const error = yield* Effect.flip(H.find(reader, `${archive}/hello`))
        assert.include(error.message, `${path.join(directory, archive)}: has changed since it was mounted`)
        assert.strictEqual(
          yield* H.readText(reader, "latest.pxar/hello").pipe(Effect.orElseSucceed(() => "")),
          name === "one.pxar" ? "" : "hi\n",
        )
      }),
    )
  }

  it.live("shows the other archives where one is damaged", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      fs.truncateSync(path.join(directory, "two.mpxar"), 10)
      const { tree: reader } = yield* FileRepository.open([directory])
      yield* H.failing(reader.lookup(reader.root, Buffer.from("two.mpxar")), "Malformed", "A1")
      assert.strictEqual(yield* H.readText(reader, "one.pxar/hello"), "hi\n")
    }),
  )
})
