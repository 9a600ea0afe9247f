/** Prints an entry as `pxar-fuse list --json` does, or the id of what is wrong: `node entry-json.ts ARCHIVE PATH` */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Schema } from "effect"
import { Archive, EntryJson, PathText } from "pxar-fuse"

const [path = "backup.pxar", name = "/"] = process.argv.slice(2)

/** Another program reads what this one writes. */
const read = Schema.decodeUnknownEffect(Schema.fromJsonString(EntryJson.EntryJson))

const program = Effect.gen(function* () {
  const archive = yield* Archive.open(path)
  const { entry, path: at } = yield* archive.find(PathText.parse(name))
  const text = JSON.stringify(EntryJson.make(at, { entry }))
  yield* Console.log(text)
  const { kind, size } = yield* read(text)
  yield* Console.log(`a ${kind} of ${size} bytes`)
}).pipe(
  Effect.scoped,
  // Messages may change, ids do not: docs/errors.md has them all.
  Effect.catchTags({
    OpenError: (error) => Console.log(error.id),
    PathError: (error) => Console.log(error.id),
  }),
)

NodeRuntime.runMain(program)
