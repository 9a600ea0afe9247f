import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as NodePath from "../../../src/services/tree/NodePath.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Golden from "../../support/Golden.ts"
import * as H from "../archive/helpers.ts"

describe("the path of a node", () => {
  it.live.each(Golden.all.map((golden) => [golden.name, golden] as const))("is found in %s", ([, golden]) =>
    Effect.gen(function* () {
      const { bytes, payload } = Golden.load(golden)
      const archive = Archive.fromReader(yield* H.open(bytes, payload))
      const first = new Map<number, string>()
      const items = yield* Stream.runCollect(archive.walk(yield* archive.root))
      for (const item of items) {
        if (item._tag !== "Found") continue
        const { link, node, path } = item
        // A file with several names is found by its own.
        if (link === undefined) first.set(node.id, Buffer.from(path).toString("latin1"))
      }
      for (const item of items) {
        if (item._tag !== "Found") continue
        const found = Buffer.from(yield* NodePath.find(archive.reader, item.node)).toString("latin1")
        assert.strictEqual(found, first.get(item.node.id))
      }
      assert.isAbove(first.size, 0)
    }),
  )

  it.effect("takes few looks at a large folder", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 3000 }, (_, at) => `file-${at}`)
      const { bytes } = B.build({
        children: [
          B.folder(
            "many",
            names.map((name) => B.file(name, "")),
          ),
        ],
      })
      const reader = yield* ArchiveReader.make(fromBytes(bytes), H.absent)
      let looks = 0
      const counting = {
        ...reader,
        list: (...[folder, from, add]: Parameters<typeof reader.list>) =>
          reader.list(folder, from, (child, next) => {
            looks++
            return add(child, next)
          }),
      }
      const { node } = yield* H.find(reader, "many/file-2345")
      assert.strictEqual(Buffer.from(yield* NodePath.find(counting, node)).toString(), "/many/file-2345")
      assert.isBelow(looks, 30)
      const gone = { ...node, id: -1, start: bytes.length }
      yield* H.failing(NodePath.find(reader, gone), "IO", "unavailable")
    }),
  )
})
