/**
 * What `pxar-fuse explain` does (see `ExplainCommand`).
 */
import * as Effect from "effect/Effect"
import * as ExitCode from "../ExitCode.ts"
import * as Mistake from "../Mistake.ts"
import * as Output from "../Output.ts"
import * as ErrorPage from "./ErrorPage.ts"

export interface Input {
  /** As it is typed: with or without `PXF-` and capitals, the beginning of some, or the whole message with it. */
  readonly id: string | undefined
}

export const handler = Effect.fn("explain")(function* ({ id }: Input) {
  const rows = ErrorPage.rows()
  const output = Output.make()
  const list = (some: ReadonlyArray<ErrorPage.Row>) =>
    output.text(some.map((row) => `${row.id.padEnd(WIDTH)}  ${row.meaning}\n`).join(""))
  if (id === undefined) {
    yield* list(rows)
    return yield* output.flush
  }
  const wanted = /PXF-[A-Z-]+/.exec(id.toUpperCase())?.[0] ?? `PXF-${id.toUpperCase()}`
  const found = rows.find((row) => row.id === wanted)
  if (found === undefined) {
    const some = rows.filter((row) => row.id.startsWith(wanted))
    if (some.length > 0) {
      yield* list(some)
      return yield* output.flush
    }
    const likely = Mistake.question(
      Mistake.likely(
        wanted,
        rows.map((row) => row.id),
      )[0],
    )
    const detail = `${JSON.stringify(id)} is no id of an error${likely}`
    return yield* new ExitCode.Usage({ detail: likely === "" ? `${detail} (pxar-fuse explain lists all)` : detail })
  }
  yield* output.text(toText(found))
  yield* output.flush
})

/** Characters of the longest ids. */
const WIDTH = 32

const toText = ({ cause, id, meaning, remedy, section }: ErrorPage.Row): string =>
  [`${id} (${section})`, "", meaning, "", `Likely cause: ${cause}`, `What to do:   ${remedy}`, ""].join("\n")
