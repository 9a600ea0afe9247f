/**
 * Places with a name: addresses, and what is needed to get there, in a file of the user's own.
 *
 * The file is refused where others may read it, and so is a secret in it: secrets are where `PlaceSecret` says.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Address from "../../domain/datastore/Address.ts"
import type { Access, ServerAccess } from "./Location.ts"
import * as PlaceSecret from "./PlaceSecret.ts"

/** What the file says of a place; what is not there is as without the place. */
export const Place = Schema.Struct({
  address: Schema.String,
  /** Of a backup server or web server. */
  password: Schema.optionalKey(PlaceSecret.PlaceSecret),
  /** Of a web server. */
  user: Schema.optionalKey(Schema.String),
  fingerprint: Schema.optionalKey(Schema.String),
  caFile: Schema.optionalKey(Schema.String),
  /** Bytes a second. */
  rate: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
  s3: Schema.optionalKey(
    Schema.Struct({
      endpoint: Schema.optionalKey(Schema.String),
      region: Schema.optionalKey(Schema.String),
      pathStyle: Schema.optionalKey(Schema.Boolean),
      anonymous: Schema.optionalKey(Schema.Boolean),
      credentialsFile: Schema.optionalKey(Schema.String),
      accessKey: Schema.optionalKey(Schema.String),
      secretKey: Schema.optionalKey(PlaceSecret.PlaceSecret),
    }),
  ),
})

/** Places by their names. */
export const Places = Schema.Record(Schema.String, Place)

/** Bytes of the file. */
const MAX_SIZE = 1024 * 1024

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Places), { onExcessProperty: "error" })

/** Where the file is. */
export const fileOf = (env: Readonly<Record<string, string | undefined>>): string =>
  path.join(env["XDG_CONFIG_HOME"] || path.join(env["HOME"] || "/", ".config"), "pxar-fuse", "places.json")

/** Variables that have secrets of places; none where the file cannot be read, which is told when a place is looked up. */
export const secretVariables = (
  env: Readonly<Record<string, string | undefined>>,
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(
    Effect.orElseSucceed(Effect.flatMap(read(fileOf(env)), decode), () => ({})),
    (places) =>
      Object.values(places).flatMap(({ password, s3 }) =>
        [password, s3?.secretKey].flatMap((secret) => (secret !== undefined && "env" in secret ? [secret.env] : [])),
      ),
  )

/** A place that was looked up. */
export interface Found {
  /** Its address, with what stood behind the name. */
  readonly address: string
  readonly access: Access
}

/** Looks up `place:NAME` or `place:NAME/MORE`. */
export const find = Effect.fnUntraced(function* (
  location: string,
  access: Access,
): Effect.fn.Return<Found, Address.AddressError> {
  const wrong = (detail: string) => new Address.AddressError({ text: location, part: "location", detail })
  const [, name = "", more = ""] = /^place:([^/]*)(.*)$/s.exec(location) ?? []
  const file = fileOf(access.env)
  const text = yield* Effect.mapError(read(file), wrong)
  const places = yield* Effect.mapError(decode(text), () =>
    wrong(`${file} is not as docs/places.md has it: names with an address, and no secrets in it`),
  )
  const place = Object.hasOwn(places, name) ? places[name] : undefined
  if (place === undefined) {
    return yield* wrong(`${file} has no place "${name}"; it has ${Object.keys(places).join(", ") || "none"}`)
  }
  const { address, caFile, fingerprint, password, rate, s3, user } = place
  if (address.startsWith("place:")) return yield* wrong(`the address of the place "${name}" is a place itself`)
  const secretOf = (secret: PlaceSecret.PlaceSecret) =>
    Effect.mapError(PlaceSecret.read(secret, access.env), (detail) => wrong(`the secret of the place: ${detail}`))
  const secretKey = s3?.secretKey === undefined ? undefined : yield* secretOf(s3.secretKey)
  const secret = password === undefined ? undefined : yield* secretOf(password)
  const server = access.server
  return {
    address: more === "" ? address : address.replace(/\/$/, "") + more,
    access: {
      ...access,
      env: {
        ...access.env,
        // Of this look-up, not of the process and its children.
        ...(s3?.accessKey === undefined ? {} : { AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SESSION_TOKEN: undefined }),
        ...(secretKey === undefined ? {} : { AWS_SECRET_ACCESS_KEY: Redacted.value(secretKey) }),
      },
      network: { ...access.network, ...given({ caFile, rate }) },
      s3: { ...access.s3, ...s3 },
      ...(secret === undefined || !/^https?:/.test(address) ? {} : { authorization: basic(user ?? "", secret) }),
      ...(server === undefined
        ? {}
        : {
            server: (repository) =>
              Effect.map(server(repository), (found): ServerAccess => ({
                ...found,
                ...given({ caFile, fingerprint }),
                ...(secret === undefined ? {} : { secret: Effect.succeed(secret) }),
              })),
          }),
    },
  }
})

/** Without what is not given, which must not hide what is. */
const given = <A extends object>(values: A): Partial<A> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<A>

/** What a web server is told (RFC 7617). */
const basic = (user: string, password: Redacted.Redacted<string>): Redacted.Redacted<string> =>
  Redacted.make(`Basic ${Buffer.from(`${user}:${Redacted.value(password)}`).toString("base64")}`)

/** The text of the file, where nobody else may read it. */
const read = (file: string): Effect.Effect<string, string> =>
  Effect.try({
    try: () => {
      const descriptor = fs.openSync(file, "r")
      try {
        const { mode, size } = fs.fstatSync(descriptor)
        if ((mode & 0o077) !== 0) throw new Refusal(`${file} may be read or changed by others: chmod 600 ${file}`)
        if (size > MAX_SIZE) throw new Refusal(`${file} is too large`)
        return fs.readFileSync(descriptor, "utf8")
      } finally {
        fs.closeSync(descriptor)
      }
    },
    catch: (error) =>
      error instanceof Refusal
        ? error.message
        : (error as NodeJS.ErrnoException).code === "ENOENT"
          ? `there are no places: ${file} does not exist (docs/places.md)`
          : `${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? "failed"}`,
  })

class Refusal extends Error {}
