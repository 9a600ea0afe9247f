/**
 * What `pxar-fuse explain` does (see `ExplainCommand`).
 */
import * as Effect from "effect/Effect"
import * as ExitCode from "../ExitCode.ts"
import * as Mistake from "../Mistake.ts"
import * as Output from "../Output.ts"
import * as ErrorPage from "./ErrorPage.ts"

export interface Input {
  /** As it is typed: with or without brackets, `PXF-` and capitals. */
  readonly id: string | undefined
}

export const handler = Effect.fn("explain")(function* ({ id }: Input) {
  const rows = ErrorPage.rows()
  const output = Output.make()
  if (id === undefined) {
    yield* output.text(rows.map((row) => `${row.id.padEnd(WIDTH)}  ${row.meaning}\n`).join(""))
    return yield* output.flush
  }
  const wanted = id.toUpperCase().replaceAll(/[[\]]/g, "")
  const found = rows.find((row) => row.id === wanted || row.id === `PXF-${wanted}`)
  if (found === undefined) {
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
