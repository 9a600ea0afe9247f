/** Stores of blobs that are asked over sockets, at ports of this machine. */
import { Effect, Redacted, Result, type Scope } from "effect"
import type { HttpError } from "../../../src/services/http/HttpError.ts"
import * as HttpClient from "../../../src/services/http/HttpClient.ts"
import type { BlobStore } from "../../../src/services/blobs/BlobStore.ts"
import * as HttpBlobStore from "../../../src/services/blobs/HttpBlobStore.ts"
import * as S3BlobStore from "../../../src/services/blobs/S3BlobStore.ts"
import * as S3Client from "../../../src/services/s3/S3Client.ts"
import * as S3Place from "../../../src/services/s3/S3Place.ts"
import type * as S3Server from "../../support/S3Server.ts"

/** Opens the store behind a port. */
export type Store = (port: number) => Effect.Effect<BlobStore, never, Scope.Scope>

/** Patient enough for a machine that has much to do. */
const http = Effect.orDie(HttpClient.make({ timeout: 60_000 }))

interface Session extends S3Server.Account {
  readonly sessionToken?: string | undefined
}

/** A client of what is below a prefix. */
export const client =
  ({ accessKey, secretKey, sessionToken }: Session, bucket: string, prefix: string, region = "us-east-1") =>
  (port: number): Effect.Effect<S3Client.S3Client, HttpError, Scope.Scope> =>
    Effect.map(http, (http) => {
      const endpoint = `http://127.0.0.1:${port}`
      const place = Result.getOrThrow(S3Place.parse(`s3://${bucket}/${prefix}`, { endpoint, region }))
      return S3Client.make(http, place, {
        accessKey,
        secretKey: Redacted.make(secretKey),
        ...(sessionToken === undefined ? {} : { sessionToken: Redacted.make(sessionToken) }),
      })
    })

/** What is below a prefix. */
export const inBucket =
  (account: S3Server.Account, bucket: string, prefix: string): Store =>
  (port) =>
    Effect.orDie(Effect.flatMap(client(account, bucket, prefix)(port), S3BlobStore.open))

/** What a web server has below its root, or in a folder there; it is told these headers. */
export const onWeb = (
  port: number,
  folder = "",
  headers: Readonly<Record<string, string>> = {},
): Effect.Effect<BlobStore, never, Scope.Scope> =>
  Effect.map(http, (client) =>
    HttpBlobStore.make(
      { request: (request) => client.request({ ...request, headers: { ...request.headers, ...headers } }) },
      `http://127.0.0.1:${port}/${folder === "" ? "" : `${folder}/`}`,
    ),
  )
