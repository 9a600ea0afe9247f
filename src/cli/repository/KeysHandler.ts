/**
 * What `pxar-fuse keys` does (see `KeysCommand`). No passphrase is asked for: fingerprints are told without.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Digest from "../../domain/datastore/Digest.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import type { KeyJson } from "../../domain/json/SnapshotJson.ts"
import * as ResolveReference from "../../services/repository/ResolveReference.ts"
import * as WalkRepository from "../../services/repository/WalkRepository.ts"
import * as ExitCode from "../ExitCode.ts"
import { noDatastore } from "./NoDatastore.ts"
import * as OpenAddress from "../OpenAddress.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as Terminal from "../Terminal.ts"
import * as Keys from "./Keys.ts"
import * as RepositoryFlags from "./RepositoryFlags.ts"
import * as UnwrapKey from "./UnwrapKey.ts"

export interface Input extends RepositoryFlags.Keys, RepositoryFlags.Where {
  readonly address: string
  readonly json: boolean
  readonly masterKey: string | undefined
  readonly output: string | undefined
}

export const handler = Effect.fn("keys")(function* (input: Input) {
  const { address, also, json, masterKey, namespace, output, ...given } = input
  // What the backups want is told by manifests, signed or not, for which no key is needed.
  const options = { ...RepositoryFlags.none, ...given, also, namespace, allowUnsigned: true }
  const found = yield* OpenAddress.repository(address, options, { keys: false })
  if (found === undefined) return yield* noDatastore(address)
  if (masterKey !== undefined) return yield* UnwrapKey.unwrap({ address, masterKey, output }, found, given)
  if (output !== undefined) return yield* new ExitCode.Usage({ detail: "--output goes with --master-key" })
  const { entries } = yield* Keys.open(given)
  const lines = new Map<string, { -readonly [Key in keyof KeyJson]: KeyJson[Key] }>()
  for (const { fingerprint, isProtected, path } of entries) {
    const line = lines.get(fingerprint ?? path) ?? { files: [], protected: isProtected, snapshots: 0 }
    lines.set(fingerprint ?? path, {
      ...line,
      ...JsonText.optional("fingerprint", fingerprint),
      files: [...line.files, path],
    })
  }
  let unread = 0
  let count = 0
  yield* Stream.runForEach(WalkRepository.snapshots(found.repository, { within: found.reference }), (id) =>
    Effect.map(Effect.result(found.repository.snapshot(id)), (read) => {
      count++
      if (read._tag === "Failure") {
        if (read.failure.check !== "SnapshotUnfinished") unread++
        return
      }
      const { fingerprint } = read.success.manifest
      if (fingerprint === undefined) return
      const line = lines.get(fingerprint) ?? { fingerprint, files: [], snapshots: 0 }
      lines.set(fingerprint, { ...line, snapshots: line.snapshots + 1 })
    }),
  )
  if (count === 0) yield* ResolveReference.require(found.repository, found.reference)
  const printed = Output.make()
  const all = [...lines.values()]
  yield* printed.text(all.map(json ? JsonText.line : toText).join(""))
  yield* printed.flush
  if (unread > 0)
    yield* Terminal.say(
      `${Progress.formatCount(unread, "backup")} cannot be read, perhaps for want of another key; \`snapshots\` says why`,
    )
  const isMissing = all.some(({ files, snapshots }) => files.length === 0 && snapshots > 0)
  if (isMissing) return yield* new ExitCode.Ended({ code: ExitCode.KEY })
}, Effect.scoped)

const toText = ({ files, fingerprint, snapshots, ...rest }: KeyJson): string => {
  const key = fingerprint === undefined ? "unknown until unlocked" : Digest.shortFingerprint(fingerprint)
  const wanted = `${snapshots} ${snapshots === 1 ? "backup" : "backups"}`
  const locked = rest.protected === true ? " (passphrase)" : ""
  return `${key.padEnd(23)}  ${wanted.padEnd(12)}  ${files.length === 0 ? "missing" : `${files.join(", ")}${locked}`}\n`
}
