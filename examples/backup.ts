/** Archives a folder and checks the archive, with spans and counts: `node backup.ts FOLDER ARCHIVE` */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Metric, Stream, Tracer } from "effect"
import { ArchiveBytes, CreateArchive, Verifier } from "pxar-fuse"

const [source = ".", archive = "backup.pxar"] = process.argv.slice(2)

/** In place of a tracer that sends spans somewhere. */
const spans: Array<Tracer.Span> = []
const tracer = Tracer.make({
  span: (options) => {
    const span = new Tracer.NativeSpan(options)
    spans.push(span)
    return span
  },
})

const program = Effect.gen(function* () {
  const { warnings } = yield* CreateArchive.create({ source, archive })
  yield* Console.log(`spans: ${spans.map(({ name }) => name).join(", ")}`)
  const { count: entries } = yield* Metric.value(CreateArchive.createdEntries)
  const { count: bytes } = yield* Metric.value(CreateArchive.createdBytes)
  yield* Console.log(`${entries} entries with ${bytes} bytes, ${warnings} warnings`)
  const findings = Stream.unwrap(Effect.map(ArchiveBytes.open(archive), (found) => Verifier.verify(found)))
  yield* Stream.runForEach(findings, (event) =>
    Console.log(event._tag === "Verdict" ? `${event.errors} errors in ${event.entries} entries` : event.detail),
  )
}).pipe(Effect.scoped, Effect.provideService(Tracer.Tracer, tracer))

NodeRuntime.runMain(program)
