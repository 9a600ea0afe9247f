/**
 * A line of `snapshots --json`: a backup. And one of `keys --json`: a key that is wanted, or at hand.
 */
import * as Schema from "effect/Schema"
import { Count } from "./JsonText.ts"

const Fingerprint = Schema.String.check(Schema.isPattern(/^[0-9a-f]{2}(:[0-9a-f]{2}){31}$/))

/** A file of a backup. */
const File = Schema.Struct({
  /** As people call it: `root.pxar`. */
  name: Schema.String,
  kind: Schema.Literals(["archive", "image", "catalog", "blob", "stream"]),
  /** Bytes of the archive with its contents, or of the image; of a blob as it is stored. Absent for the client's log. */
  size: Schema.optionalKey(Count),
  crypt_mode: Schema.optionalKey(Schema.Literals(["none", "encrypt", "sign-only"])),
})

/** A backup. */
export const SnapshotJson = Schema.Struct({
  /** Path within the repository, as it is given after `::`. */
  snapshot: Schema.String,
  namespace: Schema.String,
  type: Schema.Literals(["vm", "ct", "host"]),
  id: Schema.String,
  time: Schema.String,
  state: Schema.Literals(["finished", "unfinished", "unreadable"]),
  owner: Schema.optionalKey(Schema.String),
  notes: Schema.optionalKey(Schema.String),
  protected: Schema.optionalKey(Schema.Boolean),
  /** Of the last verification by a server: `ok` or `failed`. */
  verified: Schema.optionalKey(Schema.String),
  signature: Schema.optionalKey(Schema.Literals(["valid", "unsigned", "unchecked"])),
  key_fingerprint: Schema.optionalKey(Fingerprint),
  /** Bytes of all archives and images. */
  size: Schema.optionalKey(Count),
  files: Schema.optionalKey(Schema.Array(File)),
  /** Why it cannot be read, or what is wrong with it. */
  problems: Schema.optionalKey(Schema.Array(Schema.String)),
})
/** A backup, as a type. */
export type SnapshotJson = typeof SnapshotJson.Type

/** A key. */
export const KeyJson = Schema.Struct({
  fingerprint: Schema.optionalKey(Fingerprint),
  /** Key files that hold it. */
  files: Schema.Array(Schema.String),
  /** Whether it needs a passphrase; of keys at hand. */
  protected: Schema.optionalKey(Schema.Boolean),
  /** Backups that want it. */
  snapshots: Count,
})
/** A key, as a type. */
export type KeyJson = typeof KeyJson.Type
