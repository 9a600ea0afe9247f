/**
 * What `pxar-fuse heal` does (see `HealCommand`): a line for each thing that was healed or is lost, then the verdict.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Filter from "../../domain/datastore/Filter.ts"
import type { HealJson } from "../../domain/json/HealJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import * as Healer from "../../services/heal/Healer.ts"
import * as HealTarget from "../../services/heal/HealTarget.ts"
import * as Locate from "../../services/open/Locate.ts"
import * as ChunkCache from "../../services/bytes/ChunkCache.ts"
import * as FolderBlobStore from "../../services/blobs/FolderBlobStore.ts"
import * as ExitCode from "../ExitCode.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as Keys from "./Keys.ts"
import * as RepositoryFlags from "./RepositoryFlags.ts"

export interface Input extends RepositoryFlags.Keys {
  readonly namespace: string | undefined
  readonly datastore: string
  readonly filters: ReadonlyArray<string>
  readonly from: ReadonlyArray<string>
  readonly dryRun: boolean
  readonly jobs: number
  readonly allowUnsigned: boolean
  readonly json: boolean
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("heal")(function* (input: Input) {
  const { datastore, dryRun, filters, jobs, json, namespace } = input
  const found = yield* OpenAddress.repository(datastore, { ...RepositoryFlags.none, namespace }, { keys: false })
  if (found?.folder === undefined) {
    return yield* new ExitCode.Usage({ detail: `${datastore}: is no datastore in a folder of this machine` })
  }
  const copies = yield* Effect.forEach(input.from, (text) => Locate.store(text, { env: process.env }))
  const keys = yield* Keys.open(input)
  const target = dryRun ? undefined : yield* HealTarget.open(found.folder)
  const output = Output.makeLive()
  const progress = yield* Progress.make({ mode: input.progress })
  const events = Healer.heal({
    store: target?.store ?? FolderBlobStore.make(found.folder),
    copies,
    target,
    keys,
    unsigned: input.allowUnsigned ? "allow" : "refuse",
    cache: yield* ChunkCache.make(),
    jobs,
    within: found.reference,
    filters: filters.map(Filter.parse),
    onProgress: ({ bytes, chunks }) => progress.update({ entries: chunks, bytes, position: 0, size: 0 }),
  })
  let lost = 0
  yield* Stream.runForEach(events, (event) => {
    if (event._tag === "Verdict") lost = event.lost
    return output.text(json ? JsonText.line(toJson(event, dryRun)) : toText(event, dryRun))
  }).pipe(Effect.ensuring(Effect.ignore(output.flush)))
  if (lost > 0) return yield* new ExitCode.Ended({ code: ExitCode.DAMAGED })
}, Effect.scoped)

const proofs: Readonly<Record<Healer.Proof, string>> = {
  digest: "digest compared",
  checksum: "only its checksum compared, for want of the key",
  manifest: "as the manifest says",
  signature: "signature valid",
  files: "lists what is here",
}

const toText = (event: Healer.Healed | Healer.Lost | Healer.Verdict, dryRun: boolean): string => {
  if (event._tag === "Verdict") {
    const { bytes, chunks, healed, lost, partly, result, snapshots, unfinished } = event
    const parts = [
      `${healed} ${dryRun ? "could be healed" : "healed"} with ${Progress.formatBytes(bytes)}`,
      ...(partly === 0 ? [] : [`${partly} of them by checksum only`]),
      `${lost} lost`,
      Progress.formatCount(snapshots, "backup"),
      ...(unfinished === 0 ? [] : [`${unfinished} not finished`]),
      Progress.formatCount(chunks, "chunk"),
    ]
    return `${dryRun && result === "healed" ? "healable" : result}: ${parts.join(", ")}\n`
  }
  const { blob, check, detail, file, snapshot } = event
  const what = `${blob} ${check}: ${detail} (${snapshot}/${file})`
  if (event._tag === "Lost") return `lost   ${what}\n`
  return `${dryRun ? "would heal" : "healed"} ${what}; from ${event.from}, ${proofs[event.proof]}\n`
}

const toJson = (event: Healer.Healed | Healer.Lost | Healer.Verdict, dryRun: boolean): HealJson => {
  if (event._tag === "Verdict") {
    const { _tag: _, result, ...counts } = event
    return { verdict: result, ...counts }
  }
  const { blob, check, detail, file, snapshot } = event
  const found = { snapshot, file, blob, check, detail }
  if (event._tag === "Lost") return { state: "lost", ...found }
  const { from, proof, size } = event
  return { state: dryRun ? "healable" : "healed", ...found, from, proof, size }
}
