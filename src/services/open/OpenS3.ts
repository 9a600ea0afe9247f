/**
 * What is in a bucket: an archive, which is read by ranges, or below any other prefix a datastore, or a folder of archives.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Address from "../../domain/datastore/Address.ts"
import * as HttpSource from "../bytes/HttpSource.ts"
import * as HttpClient from "../http/HttpClient.ts"
import * as S3BlobStore from "../blobs/S3BlobStore.ts"
import * as S3Answers from "../s3/S3Answers.ts"
import * as S3Client from "../s3/S3Client.ts"
import * as S3Credentials from "../s3/S3Credentials.ts"
import * as S3Place from "../s3/S3Place.ts"
import type { Access, Failure, Located } from "./Location.ts"
import * as RemoteArchive from "./RemoteArchive.ts"

/** Looks at a place in a bucket. */
export const open = Effect.fnUntraced(function* (
  address: Address.Address,
  { env, network, s3 = {} }: Access,
): Effect.fn.Return<Located, Failure, Scope.Scope> {
  const { location, reference } = address as Extract<Address.Address, { _tag: "Remote" }>
  const wrong = (detail: string) => Effect.fail(new Address.AddressError({ text: location, part: "location", detail }))
  const found = yield* S3Credentials.find({ env, file: s3.credentialsFile })
  const place = S3Place.parse(location, {
    endpoint: s3.endpoint ?? found.endpoint,
    region: s3.region ?? found.region,
    pathStyle: s3.pathStyle,
  })
  if (Result.isFailure(place)) return yield* wrong(place.failure.detail)
  if (found.credentials === undefined && s3.anonymous !== true) {
    return yield* wrong(
      "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a file with --s3-credentials, or give --s3-anonymous for a public bucket",
    )
  }
  const client = S3Client.make(
    yield* HttpClient.make({ ...network, env }),
    place.success,
    s3.anonymous === true ? undefined : found.credentials,
  )
  const { bucket, prefix } = place.success
  const openFile = (file: string) => {
    const key = file.replace(`s3://${bucket}/`, "")
    return HttpSource.open({
      name: `s3://${bucket}/${key}`,
      request: (request) => client.request(key, request),
      failure: S3Answers.failure,
    })
  }
  const archive = (key: string) => RemoteArchive.make(key, openFile, (payload) => payload.startsWith(`s3://${bucket}/`))
  if (reference === undefined && RemoteArchive.isArchive(prefix)) return archive(prefix)
  return {
    _tag: "Datastore",
    store: yield* S3BlobStore.open(client),
    folder: undefined,
    archiveIn: (name) => archive(prefix === "" ? name : `${prefix}/${name}`),
  }
})
