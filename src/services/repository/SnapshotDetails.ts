/**
 * What is known of a backup and its group, as JSON: what its manifest says, or why that cannot be read.
 */
import * as Namespace from "../../domain/datastore/Namespace.ts"
import * as SnapshotId from "../../domain/datastore/SnapshotId.ts"
import * as JsonText from "../../domain/json/JsonText.ts"
import type { SnapshotJson } from "../../domain/json/SnapshotJson.ts"
import type { Group, Snapshot } from "./Repository.ts"
import type { RepositoryError } from "./RepositoryError.ts"

/** `error`: why the manifest was not read. */
export const make = (
  id: SnapshotId.SnapshotId,
  { owner }: Group,
  snapshot: Snapshot | undefined,
  error: RepositoryError | undefined,
): SnapshotJson => ({
  snapshot: SnapshotId.format(id),
  namespace: Namespace.format(id.namespace),
  type: id.type,
  id: id.id,
  time: id.time,
  state: snapshot !== undefined ? "finished" : error?.check === "SnapshotUnfinished" ? "unfinished" : "unreadable",
  ...JsonText.optional("owner", owner),
  ...(snapshot === undefined ? {} : known(snapshot)),
  ...(error === undefined || error.check === "SnapshotUnfinished" ? {} : { problems: [error.message] }),
})

const known = (snapshot: Snapshot) => {
  const { fingerprint, notes, verified } = snapshot.manifest
  const files = snapshot.files.map(({ kind, name, payload, shown }) => {
    const stored = snapshot.file(name)
    const contents = payload === undefined ? 0 : (snapshot.file(payload)?.size ?? 0)
    return {
      name: shown,
      kind,
      ...(stored === undefined ? {} : { size: stored.size + contents, crypt_mode: stored.cryptMode }),
    }
  })
  return {
    ...JsonText.optional("notes", notes),
    protected: snapshot.isProtected,
    ...JsonText.optional("verified", verified?.state),
    signature: snapshot.signature,
    ...JsonText.optional("key_fingerprint", fingerprint),
    size: files.reduce((sum, { kind, size = 0 }) => (kind === "archive" || kind === "image" ? sum + size : sum), 0),
    files,
    ...(snapshot.warnings.length === 0 ? {} : { problems: snapshot.warnings.map(({ message }) => message) }),
  }
}
