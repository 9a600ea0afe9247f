/**
 * What `pxar-fuse keys --master-key` does: takes the key out of a backup that was made with a master key, and writes it to a
 * file of its own. The key is never printed, and no file is written over.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Digest from "../../domain/datastore/Digest.ts"
import * as SnapshotFile from "../../domain/datastore/SnapshotFile.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import { LATEST } from "../../domain/datastore/Reference.ts"
import { KeyError } from "../../services/keys/KeyRing.ts"
import * as KeyUnlock from "../../services/keys/KeyUnlock.ts"
import { RepositoryError } from "../../services/repository/RepositoryError.ts"
import * as ResolveReference from "../../services/repository/ResolveReference.ts"
import * as ExitCode from "../ExitCode.ts"
import type * as OpenAddress from "../OpenAddress.ts"
import * as Terminal from "../Terminal.ts"
import * as Keys from "./Keys.ts"
import * as Passphrase from "./Passphrase.ts"
import type * as RepositoryFlags from "./RepositoryFlags.ts"

/** The private key, and where the key goes. */
export interface Input {
  readonly address: string
  readonly masterKey: string
  readonly output: string | undefined
}

/** Unwraps the key of the backup that `found` means; the newest one of a group. */
export const unwrap = Effect.fnUntraced(function* (
  { address, masterKey, output }: Input,
  { reference, repository }: OpenAddress.InRepository,
  given: RepositoryFlags.Keys,
) {
  const { id, namespace, time = LATEST, type } = reference
  if (output === undefined) {
    return yield* new ExitCode.Usage({ detail: "--master-key wants --output FILE: a key is not printed" })
  }
  if (type === undefined || id === undefined) {
    const detail = `${address}: one backup is wanted, whose key is taken out, as in DATASTORE::host/elsa/latest`
    return yield* new ExitCode.Usage({ detail })
  }
  const { text: pem } = yield* Keys.read(masterKey)
  const at = yield* ResolveReference.snapshotOf(repository, { namespace, type, id }, time)
  const snapshot = yield* repository.snapshot(at)
  if (snapshot.file(SnapshotFile.WRAPPED_KEY) === undefined) {
    const detail = `was not made with a master key: it has no ${SnapshotFile.WRAPPED_KEY}`
    const path = `${repository.name}/${SnapshotId.format(at)}`
    return yield* new RepositoryError({ path, check: "ArchiveNotFound", detail })
  }
  const wrapped = yield* snapshot.blob(SnapshotFile.WRAPPED_KEY)
  const passphrase = KeyUnlock.isLocked(pem) ? yield* Passphrase.find(given)(masterKey, undefined) : undefined
  const failed = ({ check, detail }: { readonly check: string; readonly detail: string }) =>
    new KeyError({ file: masterKey, check, detail })
  const { file, text } = yield* Effect.mapError(KeyUnlock.unwrap(wrapped, { pem, passphrase }), failed)
  yield* Effect.try({
    try: () => fs.writeFileSync(output, text, { flag: "wx", mode: 0o600 }),
    catch: (error) => {
      const { code, message } = error as NodeJS.ErrnoException
      const detail = code === "EEXIST" ? "is there already" : `cannot be written: ${code ?? message}`
      return new ExitCode.Usage({ detail: `${output}: ${detail}` })
    },
  })
  const wanted = snapshot.manifest.fingerprint
  const name = file.fingerprint === undefined ? "the key" : `the key ${Digest.shortFingerprint(file.fingerprint)}`
  yield* Terminal.say(`${output}: ${name} of ${SnapshotId.format(at)}; keep it secret, give it with --key-file`)
  if (wanted !== undefined && file.fingerprint !== undefined && wanted !== file.fingerprint) {
    yield* Terminal.say(`${output}: the backup itself wants the key ${Digest.shortFingerprint(wanted)}`, "Warn")
  }
})
