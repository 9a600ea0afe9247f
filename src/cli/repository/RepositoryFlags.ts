/**
 * Flags about datastores: keys, what is checked, how much is kept. They mean nothing for an archive that is a file.
 */
import * as Flag from "effect/cli/Flag"
import type { KeyRing } from "../../services/keys/KeyRing.ts"
import * as Parameters from "../Parameters.ts"
import * as CacheFlags from "./CacheFlags.ts"
import type * as CacheOptions from "./CacheOptions.ts"
import * as NetworkFlags from "./NetworkFlags.ts"
import type * as NetworkOptions from "./NetworkOptions.ts"

/** A flag with a value, that can be left out. */
export const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar(metavar), Parameters.optional)

/** Keys of encrypted backups. */
export const keys = {
  keyFile: Flag.String("key-file").pipe(
    Flag.withDescription("Key of encrypted backups, JSON or paper key; may be given several times"),
    Flag.withMetavar("FILE"),
    Flag.atLeast(0),
  ),
  keyPasswordFile: text("key-password-file", "FILE", "File with the passphrase of the key files in its first line"),
  keyPasswordCommand: text(
    "key-password-command",
    "COMMAND",
    "Command that prints the passphrase; run without a shell",
  ),
}

/** Where in a datastore, how to get there, and where copies of it are. */
export const where = {
  also: Flag.String("also").pipe(
    Flag.withDescription(
      "A copy of the datastore: what is missing or damaged is read from it; may be given several times",
    ),
    Flag.withMetavar("ADDRESS"),
    Flag.atLeast(0),
  ),
  passwordFile: text(
    "password-file",
    "FILE",
    "File with the password or token secret of a backup server in its first line",
  ),
  fingerprint: text("fingerprint", "HEX", "SHA-256 of a backup server's certificate: no other is accepted"),
  caFile: text("ca-file", "FILE", "Certificates of authorities to trust besides the system's, PEM"),
  namespace: text("namespace", "NAME/NAME", "Namespace of what is named after ::, in place of ns/NAME/ns/NAME/ there"),
  ...NetworkFlags.flags,
}

/** Of commands that open what is in a datastore. */
export const flags = {
  ...where,
  ...keys,
  ...CacheFlags.flags,
  noVerifyChunks: Parameters.flag("no-verify-chunks", "Do not compare digests of chunks, only lengths and checksums"),
  chunks: Flag.String("chunks").pipe(
    Flag.withDescription(
      "A datastore that has the chunks of an index file, or of one that has lost them; may be given several times",
    ),
    Flag.withMetavar("ADDRESS"),
    Flag.atLeast(0),
  ),
  unfinished: Parameters.flag("unfinished", "Open backups without a manifest by the indexes that are there"),
  allowUnsigned: Parameters.flag("allow-unsigned", "Open encrypted backups that have no signature"),
  missing: Flag.Literals("missing", ["fail", "zeros"]).pipe(
    Flag.withDescription("How lost parts of files are read: as an error, or as zeros with a warning"),
    Flag.withMetavar("fail|zeros"),
    Flag.withDefault("fail"),
  ),
}

/** What the flags about keys say. */
export interface Keys {
  readonly keyFile: ReadonlyArray<string>
  readonly keyPasswordFile?: string | undefined
  readonly keyPasswordCommand?: string | undefined
  /** A passphrase that has been asked for already. */
  readonly keyPassphrase?: string | undefined
  /** Keys that are in place of those of files, for a process that gets them otherwise. */
  readonly keyRing?: KeyRing | undefined
}

/** What the flags about places and the way there say. */
export interface Where extends NetworkOptions.Given {
  /** Addresses. */
  readonly also: ReadonlyArray<string>
  readonly passwordFile?: string | undefined
  readonly fingerprint?: string | undefined
  readonly caFile?: string | undefined
  /** A password that has been asked for already, and the ticket that was got for it. */
  readonly serverPassword?: string | undefined
  readonly serverTicket?: { readonly ticket: string; readonly csrf: string } | undefined
  /** The text `a/b`. */
  readonly namespace?: string | undefined
}

/** What the flags say. */
export interface Given extends Keys, Where, CacheOptions.Given {
  /** Addresses. */
  readonly chunks: ReadonlyArray<string>
  readonly unfinished: boolean
  readonly noVerifyChunks: boolean
  readonly allowUnsigned: boolean
  readonly missing: "fail" | "zeros"
}

/** Without any flag. */
export const none: Given = {
  also: [],
  chunks: [],
  unfinished: false,
  keyFile: [],
  noVerifyChunks: false,
  allowUnsigned: false,
  missing: "fail",
}
