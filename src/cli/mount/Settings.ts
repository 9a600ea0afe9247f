/**
 * What a mount is to be: what its command line says, read. It goes as JSON to the process that serves in the background.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as ExitCode from "../ExitCode.ts"
import * as LogLine from "../LogLine.ts"

const Natural = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Positive = Schema.Finite.check(Schema.isGreaterThan(0))

/** How an archive is shown. */
const View = {
  subdir: Schema.optional(Schema.String),
  linkCounts: Schema.Boolean,
  uid: Schema.optional(Natural),
  gid: Schema.optional(Natural),
  umask: Schema.optional(Natural),
  fmask: Schema.optional(Natural),
  dmask: Schema.optional(Natural),
  noxattr: Schema.Boolean,
  /** Milliseconds. */
  closeAfter: Schema.optional(Positive),
}

/** What is logged, how, and where. */
const Log = {
  quiet: Schema.Boolean,
  verbose: Schema.Boolean,
  debug: Schema.Boolean,
  logFile: Schema.optional(Schema.String),
  logFormat: Schema.Literals(LogLine.formats),
}

/** Of a datastore, and of where it is: see `RepositoryFlags`. */
const Repository = {
  also: Schema.Array(Schema.String),
  chunks: Schema.Array(Schema.String),
  unfinished: Schema.Boolean,
  passwordFile: Schema.optional(Schema.String),
  fingerprint: Schema.optional(Schema.String),
  serverPassword: Schema.optional(Schema.String),
  serverTicket: Schema.optional(Schema.Struct({ ticket: Schema.String, csrf: Schema.String })),
  namespace: Schema.optional(Schema.String),
  caFile: Schema.optional(Schema.String),
  rate: Schema.optional(Positive),
  timeout: Schema.optional(Positive),
  s3Endpoint: Schema.optional(Schema.String),
  s3Region: Schema.optional(Schema.String),
  s3PathStyle: Schema.Boolean,
  s3Credentials: Schema.optional(Schema.String),
  s3Anonymous: Schema.Boolean,
  keyFile: Schema.Array(Schema.String),
  keyPasswordFile: Schema.optional(Schema.String),
  keyPasswordCommand: Schema.optional(Schema.String),
  keyPassphrase: Schema.optional(Schema.String),
  chunkCache: Schema.optional(Natural),
  cacheDir: Schema.optional(Schema.String),
  cacheLimit: Schema.optional(Natural),
  noCache: Schema.Boolean,
  noVerifyChunks: Schema.Boolean,
  allowUnsigned: Schema.Boolean,
  missing: Schema.Literals(["fail", "zeros"]),
  timeTemplate: Schema.optional(Schema.String),
  pathTemplate: Schema.optional(Schema.String),
  layout: Schema.Literals(["backups", "previous-versions"]),
  versions: Schema.Boolean,
}

/** The page beside the mount. */
const Serve = Schema.Struct({ host: Schema.String, port: Natural, token: Schema.String })

export const Settings = Schema.Struct({
  archives: Schema.Array(Schema.String),
  mountPoint: Schema.String,
  payload: Schema.optional(Schema.String),
  transport: Schema.Literals(["kernel", "fuse-native", "auto"]),
  /** Words of `-o`. */
  options: Schema.Array(Schema.String),
  /** Bytes. */
  cacheSize: Schema.optional(Natural),
  /** Bytes. */
  readAhead: Schema.optional(Natural),
  noPrefetch: Schema.Boolean,
  pidFile: Schema.optional(Schema.String),
  notifyFd: Schema.optional(Natural),
  /** Milliseconds. */
  idleTimeout: Schema.optional(Positive),
  autoMountpoint: Schema.Boolean,
  force: Schema.Boolean,
  /** Variables that hold secrets, which everybody may see whom the process's other variables are shown. */
  secrets: Schema.optional(Schema.Record(Schema.String, Schema.String)),
  serve: Schema.optional(Serve),
  ...View,
  ...Repository,
  ...Log,
})

export type Settings = typeof Settings.Type
export type LogSettings = Pick<Settings, keyof typeof Log>

/** What came is not what a command of this version says. */
export class SettingsError extends Data.TaggedError("SettingsError")<{ readonly detail: string }> {
  override readonly [Runtime.errorExitCode] = ExitCode.INTERNAL
  override get message(): string {
    return `cannot go on in the background: the settings of the mount did not arrive: ${this.detail}`
  }
}

/** Settings from JSON. */
export const decode: (text: string) => Effect.Effect<Settings, SettingsError> = (text) =>
  Effect.mapError(
    Schema.decodeEffect(Schema.fromJsonString(Settings))(text),
    (error) => new SettingsError({ detail: error.message }),
  )
