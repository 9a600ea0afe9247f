/** Prints what is in an archive, and how much: `node walk.ts ARCHIVE [PATH]` */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Stream } from "effect"
import { Archive, PathText } from "pxar-fuse"

const [path = "backup.pxar", start = "/"] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const archive = yield* Archive.Archive
  const from = yield* archive.find(PathText.parse(start))
  const bytes = yield* archive.walk(from).pipe(
    Stream.mapEffect((item) => {
      const name = PathText.print(item.path)
      // What is damaged is part of the walk and does not end it.
      if (item._tag === "Unreadable") return Effect.as(Console.log(`${name}: ${item.error.message}`), 0)
      const { body } = item.entry
      return Effect.as(Console.log(`${name} (${body._tag})`), body._tag === "File" ? body.content.length : 0)
    }),
    Stream.runFold(
      () => 0,
      (sum, size) => sum + size,
    ),
  )
  yield* Console.log(`${bytes} bytes`)
})

NodeRuntime.runMain(Effect.provide(program, Archive.layerFile(path)))
