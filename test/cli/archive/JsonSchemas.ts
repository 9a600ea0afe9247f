/**
 * The lines that commands print, held against their schemas.
 */
import { assert } from "@effect/vitest"
import { Schema } from "effect"
import { DatastoreVerifyJson } from "../../../src/domain/json/DatastoreVerifyJson.ts"
import { DiffJson } from "../../../src/domain/json/DiffJson.ts"
import { DoctorJson } from "../../../src/domain/json/DoctorJson.ts"
import { ExtractStepJson } from "../../../src/domain/json/ExtractStepJson.ts"
import { HealJson } from "../../../src/domain/json/HealJson.ts"
import * as HistoryJson from "../../../src/domain/json/HistoryJson.ts"
import { InfoJson } from "../../../src/domain/json/InfoJson.ts"
import { ListJson } from "../../../src/domain/json/ListJson.ts"
import { CacheJson } from "../../../src/domain/json/CacheJson.ts"
import { KeyJson, SnapshotJson } from "../../../src/domain/json/SnapshotJson.ts"
import { StatusJson } from "../../../src/domain/json/StatusJson.ts"
import { VerifyJson } from "../../../src/domain/json/VerifyJson.ts"

/** A parser of lines that takes no member that is not in the schema: whoever adds one documents it. */
const strict = <S extends Schema.ConstraintDecoder<unknown>>(schema: S) =>
  Schema.decodeUnknownSync(Schema.fromJsonString(schema), { onExcessProperty: "error" })

const parsers = {
  list: strict(ListJson),
  info: strict(InfoJson),
  verify: strict(VerifyJson),
  diff: strict(DiffJson),
  doctor: strict(DoctorJson),
  extract: strict(ExtractStepJson),
  status: strict(StatusJson),
  find: strict(HistoryJson.FoundJson),
  versions: strict(HistoryJson.VersionJson),
  stats: strict(HistoryJson.StatsJson),
  drill: strict(HistoryJson.DrillJson),
  bisect: strict(HistoryJson.BisectJson),
  inspect: strict(HistoryJson.InspectJson),
  index: strict(HistoryJson.IndexJson),
  snapshots: strict(SnapshotJson),
  keys: strict(KeyJson),
  heal: strict(HealJson),
  cache: strict(CacheJson),
  datastore: strict(DatastoreVerifyJson),
}

export type Output = keyof typeof parsers

export const outputs = Object.keys(parsers) as ReadonlyArray<Output>

/** The lines of a command's output; fails the test if one is not as documented. */
export const parse = <O extends Output>(
  output: O,
  text: string | Uint8Array,
): ReadonlyArray<ReturnType<(typeof parsers)[O]>> => {
  const lines = Buffer.from(text).toString().split("\n")
  assert.strictEqual(lines.pop(), "", "the output ends with a line's end")
  return lines.map((line) => parsers[output](line) as ReturnType<(typeof parsers)[O]>)
}
