/**
 * What `pxar-fuse doctor` does (see `DoctorCommand`).
 */
import * as Effect from "effect/Effect"
import type { DoctorJson } from "../../domain/json/DoctorJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Output from "../Output.ts"
import type { Given } from "../repository/RepositoryFlags.ts"
import * as AddressChecks from "./AddressChecks.ts"
import * as MachineChecks from "./MachineChecks.ts"

export interface Input extends Given {
  readonly address: string | undefined
  readonly json: boolean
}

export const handler = Effect.fn("doctor")(function* ({ address, json, ...given }: Input) {
  const checks = [
    ...MachineChecks.all(MachineChecks.thisMachine()),
    ...(address === undefined ? [] : yield* AddressChecks.all(address, given)),
  ]
  const output = Output.make()
  yield* output.text(checks.map(json ? JsonText.line : toText).join(""))
  if (!json) yield* output.text(verdict(checks))
  yield* output.flush
  if (checks.some(({ state }) => state === "fail")) return yield* new ExitCode.Ended({ code: ExitCode.UNHEALTHY })
}, Effect.scoped)

const marks: Readonly<Record<DoctorJson["state"], string>> = { ok: "ok  ", warn: "note", fail: "FAIL" }

const toText = ({ advice, found, state }: DoctorJson): string =>
  `${marks[state]}  ${found}\n${advice === undefined ? "" : `      ${advice}\n`}`

const verdict = (checks: ReadonlyArray<DoctorJson>): string => {
  const failed = checks.filter(({ state }) => state === "fail").length
  if (failed === 0) return "\nAll that is needed is there.\n"
  return `\n${failed === 1 ? "One thing does" : `${failed} things do`} not work: see the ${failed === 1 ? "line" : "lines"} with FAIL.\n`
}
