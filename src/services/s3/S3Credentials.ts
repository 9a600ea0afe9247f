/**
 * Who asks for what is in a bucket, and the settings that stand beside: from a file that is named, from the environment, or
 * from the files of Amazon's tools; the first that has a key counts. Secrets are read, never printed.
 */
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { HttpError } from "../http/HttpError.ts"
import * as ChildEnvironment from "../posix/ChildEnvironment.ts"
import * as AwsProfile from "./AwsProfile.ts"

/** A key and its secret. */
export interface Credentials {
  readonly accessKey: string
  readonly secretKey: Redacted.Redacted<string>
  /** Of credentials that end. */
  readonly sessionToken?: Redacted.Redacted<string> | undefined
}

/** What is found: without credentials requests are not signed, as for a public bucket. */
export interface Found {
  readonly credentials: Credentials | undefined
  readonly region: string | undefined
  readonly endpoint: string | undefined
}

/** Where to look. */
export interface Options {
  readonly env: Readonly<Record<string, string | undefined>>
  /** A file like `~/.aws/credentials`. */
  readonly file?: string | undefined
}

/** Milliseconds that a program has to print credentials. */
const PATIENCE = 60_000

/** Looks for credentials and settings. */
export const find = Effect.fnUntraced(function* ({ env, file }: Options): Effect.fn.Return<Found, HttpError> {
  const name = env["AWS_PROFILE"] || "default"
  const home = path.join(env["HOME"] || "/", ".aws")
  const settings = {
    ...(yield* profile(env["AWS_CONFIG_FILE"] || path.join(home, "config"), name, false)),
    ...(yield* profile(
      file ?? (env["AWS_SHARED_CREDENTIALS_FILE"] || path.join(home, "credentials")),
      name,
      file !== undefined,
    )),
  }
  const region = env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || settings["region"]
  const endpoint = env["AWS_ENDPOINT_URL_S3"] || env["AWS_ENDPOINT_URL"] || settings["endpoint_url"]
  const inFile = fromKeys(
    settings["aws_access_key_id"],
    settings["aws_secret_access_key"],
    settings["aws_session_token"],
  )
  if (file !== undefined && inFile === undefined) {
    return yield* wrong(file, `has no aws_access_key_id and aws_secret_access_key for the profile ${name}`)
  }
  const inEnvironment = fromKeys(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"])
  const known = file === undefined ? (inEnvironment ?? inFile) : inFile
  const command = settings["credential_process"]
  const credentials = known ?? (command === undefined ? undefined : yield* fromProgram(command))
  return { credentials, region, endpoint }
})

const fromKeys = (
  accessKey: string | undefined,
  secretKey: string | undefined,
  sessionToken: string | undefined,
): Credentials | undefined =>
  accessKey === undefined || accessKey === "" || secretKey === undefined || secretKey === ""
    ? undefined
    : {
        accessKey,
        secretKey: Redacted.make(secretKey),
        ...(sessionToken === undefined || sessionToken === "" ? {} : { sessionToken: Redacted.make(sessionToken) }),
      }

const profile = (file: string, name: string, isNamed: boolean): Effect.Effect<AwsProfile.Profile, HttpError> =>
  Effect.try({
    try: () => AwsProfile.parse(fs.readFileSync(file, "utf8"), name),
    catch: (error) => wrong(file, `cannot be read: ${(error as NodeJS.ErrnoException).code}`),
  }).pipe((read) => (isNamed ? read : Effect.orElseSucceed(read, () => ({}))))

/** What a program prints that the profile names, as Amazon's tools have it; run by a shell as they do. */
const fromProgram = (command: string): Effect.Effect<Credentials, HttpError> =>
  Effect.callback((resume) => {
    const options = { timeout: PATIENCE, maxBuffer: 65_536, env: ChildEnvironment.withoutSecrets() }
    const child = execFile("/bin/sh", ["-c", command], options, (error, stdout) => {
      const found = error === null ? fromJson(stdout) : undefined
      resume(
        found === undefined
          ? Effect.fail(wrong("credential_process", "the program that the profile names has printed no credentials"))
          : Effect.succeed(found),
      )
    })
    return Effect.sync(() => child.kill())
  })

const fromJson = (text: string): Credentials | undefined => {
  try {
    const { AccessKeyId, SecretAccessKey, SessionToken } = JSON.parse(text) as Record<string, string>
    return fromKeys(AccessKeyId, SecretAccessKey, SessionToken)
  } catch {
    return undefined
  }
}

const wrong = (what: string, detail: string): HttpError =>
  new HttpError({ url: what, reason: "Denied", detail, isTransient: false })
