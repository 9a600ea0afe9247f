/** Stores that are asked over sockets pass the suite of all stores, also where every twentieth request fails. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as S3BlobStore from "../../../src/services/blobs/S3BlobStore.ts"
import { CONTENT, ODD, suite } from "../../support/BlobStoreSuite.ts"
import * as Bucket from "../../support/Bucket.ts"
import * as HttpFaults from "../../support/HttpFaults.ts"
import * as Nginx from "../../support/Nginx.ts"
import * as Processes from "../../support/Processes.ts"
import * as S3Server from "../../support/S3Server.ts"
import * as remote from "./remote.ts"

const ALL = { ...CONTENT, ...ODD }
const PREFIX = "some/prefix"

const inRver = remote.inBucket(S3Server.ACCOUNT, Bucket.NAME, PREFIX)
const client = (port: number, sessionToken?: string) =>
  remote.client({ ...Bucket.ACCOUNT, sessionToken }, Bucket.NAME, PREFIX, Bucket.REGION)(port)
const inBucket = (port: number) => Effect.orDie(Effect.flatMap(client(port), S3BlobStore.open))

const rver = Effect.gen(function* () {
  const server = yield* S3Server.make([Bucket.NAME])
  for (const [name, bytes] of Object.entries(ALL)) yield* server.put(Bucket.NAME, `${PREFIX}/${name}`, bytes)
  return server
})

const bucket = Effect.tap(Bucket.make(), ({ objects }) =>
  Effect.sync(() => {
    for (const [name, bytes] of Object.entries(ALL)) objects.set(`${PREFIX}/${name}`, bytes)
  }),
)

const nginx = Effect.gen(function* () {
  const folder = yield* Processes.temporaryFolder
  for (const [name, bytes] of Object.entries(ALL)) {
    fs.mkdirSync(path.dirname(path.join(folder, "web", name)), { recursive: true })
    fs.writeFileSync(path.join(folder, "web", name), bytes)
  }
  return yield* Nginx.make(path.join(folder, "web"))
})

/** Of twenty requests one meets a fault. */
const faulty =
  (store: remote.Store) =>
  ({ port }: { readonly port: number }) =>
    Effect.flatMap(HttpFaults.oneOfTwenty(port), (line) => store(line.port))

const at =
  (store: remote.Store) =>
  ({ port }: { readonly port: number }) =>
    store(port)

suite("s3rver", Effect.flatMap(rver, at(inRver)))
suite("s3rver behind faults", Effect.flatMap(rver, faulty(inRver)))
suite("a bucket", Effect.flatMap(bucket, at(inBucket)), { odd: true })
suite("a bucket behind faults", Effect.flatMap(bucket, faulty(inBucket)), { odd: true })
suite("nginx", Effect.flatMap(nginx, at(remote.onWeb)), { odd: true })
suite("nginx behind faults", Effect.flatMap(nginx, faulty(remote.onWeb)), { odd: true })

describe("a bucket", () => {
  it.live("is listed page by page", () =>
    Effect.gen(function* () {
      const { objects, port, requests } = yield* Bucket.make()
      const names = Array.from({ length: 2345 }, (_, index) => `n ${String(index).padStart(4, "0")}`)
      for (const [index, name] of names.entries()) {
        objects.set(`${PREFIX}/many/${name}${index % 2 === 0 ? "" : "/below"}`, Uint8Array.of(1))
      }
      const store = yield* inBucket(port)
      requests.length = 0
      const listed = yield* store.list("many")
      assert.sameMembers(
        listed.map(({ kind, name }) => `${kind} ${name}`),
        names.map((name, index) => `${index % 2 === 0 ? "blob" : "folder"} ${name}`),
      )
      assert.strictEqual(requests.length, 3)
    }),
  )

  it.live("is asked with a session token where there is one", () =>
    Effect.gen(function* () {
      const { objects, port } = yield* Bucket.make({ sessionToken: "session token/+=" })
      objects.set(`${PREFIX}/top`, Uint8Array.of(7))
      const store = yield* Effect.flatMap(client(port, "session token/+="), S3BlobStore.open)
      assert.deepStrictEqual([...(yield* store.read("top", 9))], [7])
      const wrong = yield* Effect.flip(Effect.flatMap(client(port), S3BlobStore.open))
      assert.deepStrictEqual([wrong.reason, wrong.detail], ["Denied", "the session token is not valid"])
    }),
  )

  it.live("in which a server has a datastore is shown as a folder has it; its lock is left alone", () =>
    Effect.gen(function* () {
      const { objects, port, requests } = yield* Bucket.make()
      const bytes = Uint8Array.of(1)
      for (const key of [".in-use", ".chunks/0000/a", ".cnt/host/elsa/owner", ".cnt/ns/a/.namespace"])
        objects.set(`${PREFIX}/${key}`, bytes)
      const store = yield* inBucket(port)
      const names = (folder: string) => Effect.map(store.list(folder), (items) => items.map(({ name }) => name))
      assert.sameMembers(yield* names(""), [".chunks", "host", "ns"])
      assert.sameMembers(yield* names("ns"), ["a"])
      assert.deepStrictEqual([...(yield* store.read("host/elsa/owner", 9))], [1])
      assert.deepStrictEqual([...(yield* store.read(".chunks/0000/a", 9))], [1])
      assert.strictEqual((yield* Effect.flip(store.read("host/elsa/notes", 9))).blob, "host/elsa/notes")
      assert.isFalse(requests.some((request) => /in-use/.test(request)))
      assert.isTrue(requests.every((request) => request.startsWith("GET ")))
    }),
  )

  it.live("says what is denied, and what there is to do; no failed request is taken for a missing blob", () =>
    Effect.gen(function* () {
      const { port } = yield* bucket
      const answer = (status: number, body: string) =>
        Effect.gen(function* () {
          const line = yield* HttpFaults.make(port, (request) =>
            (request.url ?? "").includes("list-type") ? undefined : { status, body },
          )
          return yield* Effect.flip((yield* inBucket(line.port)).read("top", 9))
        })
      const coded = (code: string, more = "") => `<Error><Code>${code}</Code><Message>said</Message>${more}</Error>`
      for (const [status, body, reason, said] of [
        [403, coded("AccessDenied"), "Denied", "s3:ListBucket"],
        [403, coded("RequestTimeTooSkewed"), "Denied", "clock"],
        [403, coded("InvalidObjectState"), "Denied", "restore it"],
        [404, coded("NoSuchBucket"), "Failed", "no such bucket"],
        [404, coded("NoSuchKey"), "NotFound", "is not there"],
        [400, coded("AuthorizationHeaderMalformed", "<Region>eu-1</Region>"), "Failed", "--s3-region eu-1"],
        [418, coded("Teapot"), "Failed", "418 Teapot: said"],
        [404, "<html>", "NotFound", "is not there"],
      ] as const) {
        const error = yield* answer(status, body)
        assert.strictEqual(error.reason, reason, body)
        assert.include(error.detail, said)
        assert.isFalse(error.isTransient)
      }
    }),
  )
})
