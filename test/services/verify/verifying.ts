/** Runs the verifier over bytes, and says briefly what it finds. */
import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as PathText from "../../../src/domain/PathText.ts"
import type { ArchiveBytes } from "../../../src/services/bytes/ArchiveBytes.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import type * as Finding from "../../../src/services/verify/Finding.ts"
import * as Verifier from "../../../src/services/verify/Verifier.ts"
import { absent, present } from "../archive/helpers.ts"

/** What the findings of a test look like: severity, check, path, offset, and where in that is not the archive. */
export type Brief = readonly [severity: Finding.Severity, check: string, path: string, offset: number, archive?: string]

export const ARCHIVE = "test.pxar"

export const run = Effect.fnUntraced(function* (sources: ArchiveBytes, options?: Verifier.Options) {
  const events = yield* Stream.runCollect(Verifier.verify(sources, options))
  const findings: Array<Finding.Finding> = []
  let verdict: Finding.Verdict | undefined
  for (const event of events) {
    if (event._tag === "Verdict") verdict = event
    else findings.push(event)
  }
  assert.strictEqual(events.at(-1), verdict, "the verdict comes last, and once")
  return { findings, verdict: verdict! }
})

export const sourcesOf = (bytes: Uint8Array, payload?: Uint8Array): ArchiveBytes => ({
  archive: fromBytes(bytes, ARCHIVE),
  payload: payload === undefined ? absent : present(payload),
})

export const brief = ({ archive, check, offset, path, severity }: Finding.Finding): Brief =>
  archive === ARCHIVE
    ? [severity, check, PathText.print(path), offset]
    : [severity, check, PathText.print(path), offset, archive]

export const verify = (bytes: Uint8Array, payload?: Uint8Array, options?: Verifier.Options) =>
  Effect.map(run(sourcesOf(bytes, payload), options), ({ findings, verdict }) => ({
    findings: findings.map(brief),
    result: verdict.result,
  }))
