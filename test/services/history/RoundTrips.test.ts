/** How many round trips questions about many backups wait for, far away: requests made only after another was answered. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"
import * as BlobStore from "../../../src/services/blobs/BlobStore.ts"
import * as S3BlobStore from "../../../src/services/blobs/S3BlobStore.ts"
import * as ChunkCache from "../../../src/services/bytes/ChunkCache.ts"
import * as ChunkStore from "../../../src/services/chunks/ChunkStore.ts"
import * as HttpClient from "../../../src/services/http/HttpClient.ts"
import * as KeyRing from "../../../src/services/keys/KeyRing.ts"
import * as DatastoreRepository from "../../../src/services/repository/DatastoreRepository.ts"
import * as S3Client from "../../../src/services/s3/S3Client.ts"
import * as S3Place from "../../../src/services/s3/S3Place.ts"
import * as FarLine from "../../support/FarLine.ts"
import * as S3Server from "../../support/S3Server.ts"
import * as SlowLine from "../../support/SlowLine.ts"
import * as backups from "./backups.ts"
import * as questions from "./questions.ts"

/** A repository in a store that is far away. */
const repositoryIn = Effect.fnUntraced(function* (store: BlobStore.BlobStore) {
  const chunks = ChunkStore.make({ stores: [store], cache: yield* ChunkCache.make(undefined, { isFar: true }) })
  return yield* DatastoreRepository.open(store, { keys: KeyRing.empty, chunks })
})

const counted = <A, E, R>(line: FarLine.FarLine, question: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const before = line.rounds
    return Effect.map(question, (answer) => ({ answer, rounds: line.rounds - before }))
  })

describe("the round trips that one waits for", () => {
  it.live("are bounded for each question", () =>
    Effect.gen(function* () {
      for (const days of [2, 4, 8]) {
        const { blobs, payloadChunks } = yield* backups.make(2, { days, split: true })
        const line = FarLine.make({ roundTrip: "50 millis" })
        const repository = yield* repositoryIn(FarLine.store(line, BlobStore.fromMap(blobs)))
        const series = yield* questions.seriesOf(repository)
        const most = questions.mostRounds(days, series.editions.length)
        for (const [name, question] of Object.entries(questions.of(repository, series))) {
          const before = line.asked.length
          const { rounds } = yield* counted<unknown, { message: string }, never>(line, question)
          const payload = line.asked.slice(before).filter((asked) => payloadChunks.has(asked))
          if (name !== "drill") assert.deepStrictEqual(payload, [], `payload read by ${name}`)
          assert.isAtMost(rounds, most[name as keyof typeof most], `${name} of ${days} days`)
        }
      }
    }),
  )
})

describe("a bucket 50 ms away", () => {
  it.live("answers as a folder does, in bounded round trips", () =>
    Effect.gen(function* () {
      const days = 8
      const { blobs, repository: near } = yield* backups.make(2, { days, split: true })
      const server = yield* S3Server.make(["bucket"])
      for (const [name, bytes] of blobs) yield* server.put("bucket", `tank/${name}`, bytes)
      const slow = yield* SlowLine.make(server.port, { roundTrip: 50 })
      const line = FarLine.make()
      const http = yield* HttpClient.make({ timeout: 60_000 })
      const counting = {
        ...http,
        request: (request: HttpClient.Request) => line.carry(request.url, http.request(request), () => 0),
      }
      const place = Result.getOrThrow(
        S3Place.parse("s3://bucket/tank", { endpoint: `http://127.0.0.1:${slow.port}`, region: "us-east-1" }),
      )
      const { accessKey, secretKey } = server.account
      const client = S3Client.make(counting, place, { accessKey, secretKey: Redacted.make(secretKey) })
      const repository = yield* repositoryIn(yield* S3BlobStore.open(client))
      const series = yield* questions.seriesOf(repository)
      const expected = questions.of(near, yield* questions.seriesOf(near))
      const most = questions.mostRounds(days, series.editions.length)
      for (const [name, question] of Object.entries(questions.of(repository, series))) {
        const key = name as keyof typeof most
        const { answer, rounds } = yield* counted<unknown, { message: string }, never>(line, question)
        assert.deepStrictEqual(answer, yield* expected[key] as Effect.Effect<unknown>, name)
        assert.isAtMost(rounds, most[key], name)
        assert.isAbove(rounds, 0, name)
      }
    }),
  )
})
