/**
 * A service for S3 on this machine: s3rver, which checks signatures. It has one account, and listens on 127.0.0.1 only.
 * Others are started elsewhere (`Swift`) and used in the same way.
 */
import * as fs from "node:fs"
import type { AddressInfo, Server } from "node:net"
import * as path from "node:path"
import { createRequire } from "node:module"
import { AwsClient } from "aws4fetch"
import { Effect, type Scope } from "effect"
import * as Processes from "./Processes.ts"

/** The key of an account, and its secret. */
export interface Account {
  readonly accessKey: string
  readonly secretKey: string
}

/** The account of s3rver. */
export const ACCOUNT: Account = { accessKey: "S3RVER", secretKey: "S3RVER" }

export interface S3Server {
  readonly port: number
  readonly endpoint: string
  readonly account: Account
  /** Variables that give a command the account. */
  readonly env: Readonly<Record<string, string>>
  /** Puts an object into a bucket; makes the bucket where the key is empty. */
  readonly put: (bucket: string, key: string, bytes: Uint8Array) => Effect.Effect<void>
}

interface Rver {
  readonly run: () => Promise<AddressInfo>
  readonly close: () => Promise<void>
  readonly httpServer: Server & { closeAllConnections: () => void }
}

const load = createRequire(import.meta.url)

/** Starts the service with empty buckets of these names; it ends with the scope. */
export const make = Effect.fnUntraced(function* (
  buckets: ReadonlyArray<string>,
): Effect.fn.Return<S3Server, never, Scope.Scope> {
  const directory = yield* Processes.temporaryFolder
  const S3rver = load("@20minutes/s3rver") as new (options: object) => Rver
  const rver = new S3rver({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    directory: path.join(directory, "buckets"),
    configureBuckets: buckets.map((name) => ({ name })),
  })
  const { port } = yield* Effect.acquireRelease(
    Effect.promise(() => rver.run()),
    () =>
      Effect.promise(() => {
        rver.httpServer.closeAllConnections()
        return rver.close()
      }),
  )
  return at(port, ACCOUNT)
})

/** A service that listens on a port. */
export const at = (port: number, account: Account): S3Server => {
  const endpoint = `http://127.0.0.1:${port}`
  const client = new AwsClient({
    accessKeyId: account.accessKey,
    secretAccessKey: account.secretKey,
    service: "s3",
    region: "us-east-1",
  })
  return {
    port,
    endpoint,
    account,
    env: {
      AWS_ACCESS_KEY_ID: account.accessKey,
      AWS_SECRET_ACCESS_KEY: account.secretKey,
      AWS_ENDPOINT_URL_S3: endpoint,
    },
    put: (bucket, key, bytes) =>
      Effect.promise(async () => {
        const path = [bucket, ...(key === "" ? [] : key.split("/"))].map(encodeURIComponent).join("/")
        const response = await client.fetch(`${endpoint}/${path}`, { method: "PUT", body: bytes.slice() })
        if (!response.ok) throw new Error(`PUT ${key}: ${response.status} ${await response.text()}`)
        // Its connection can be used again.
        await response.arrayBuffer()
      }),
  }
}

/** Puts the files of a folder into a bucket, below a prefix. */
export const putFolder = Effect.fnUntraced(function* (
  server: S3Server,
  bucket: string,
  prefix: string,
  folder: string,
) {
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  yield* Effect.forEach(
    files,
    (entry) => {
      const file = path.join(entry.parentPath, entry.name)
      return server.put(bucket, `${prefix}${path.relative(folder, file)}`, fs.readFileSync(file))
    },
    { concurrency: 8, discard: true },
  )
})
