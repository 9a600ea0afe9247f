/** What each refusal that was recorded from a real server means to whoever asked (server §4.4, §6.1, §6.3). */
import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ServerError from "../../../src/services/server/ServerError.ts"
import * as TunnelBlobs from "../../../src/services/server/TunnelBlobs.ts"

interface Answer {
  readonly label: string
  readonly status: number
  /** Of REST and upgrades, and of what is asked in a tunnel. */
  readonly body?: unknown
  readonly text?: string
}

const folder = new URL("../../../fixtures/datastore/real/rest/", import.meta.url)
const recorded = (file: string): unknown => JSON.parse(fs.readFileSync(new URL(file, folder), "utf8"))
const rest = recorded("listing.json") as ReadonlyArray<Answer>
const reader = recorded("reader.json") as ReadonlyArray<Answer>

/** The recorded answer of a label. */
const answer = (answers: ReadonlyArray<Answer>, label: string) => {
  const found = answers.find((each) => each.label === label)
  if (found === undefined) throw new Error(`nothing was recorded as ${label}`)
  return { status: found.status, text: String(found.text ?? found.body) }
}

describe("fromAnswer", () => {
  it.each([
    [rest, "no auth", "Login"],
    [rest, "wrong secret", "Login"],
    [rest, "groups?ns=nope", "NotFound"],
    [rest, "files?backup-type=host&backup-id=legacy&backup-time=1", "NotFound"],
    [rest, "unknown datastore snapshots", "Permission"],
    [rest, "v token snapshots real (no own acl)", "Permission"],
    [rest, "unknown path", "Refused"],
    [rest, "bad param", "Refused"],
    [reader, "no auth", "Login"],
    [reader, "v@pbs!tok no permission", "Permission"],
    [reader, "v@pbs (DatastoreBackup, not owner)", "Permission"],
    [reader, "store unknown", "Permission"],
    [reader, "snapshot unknown", "NotFound"],
    [reader, "ns unknown", "NotFound"],
    [reader, "bad type", "Refused"],
  ] as const)("%# %s: %s", (answers, label, reason) => {
    const { status, text } = answer(answers, label)
    const error = ServerError.fromAnswer("server", status, text)
    assert.strictEqual(error.reason, reason)
    assert.isFalse(error.isTransient)
  })

  it.each([
    ["datastore 'x' is unavailable: offline maintenance mode: moved", "Unavailable"],
    ["no such datastore 'nope'", "NotFound"],
  ] as const)("%s", (text, reason) => {
    assert.strictEqual(ServerError.fromAnswer("server", 400, text).reason, reason)
  })
})

describe("a chunk that a server does not give", () => {
  const DIGEST = "0".repeat(64)
  const read = ({ status, text }: { readonly status: number; readonly text: string }) =>
    TunnelBlobs.make("server", {
      ready: Effect.void,
      download: () => Effect.die("not asked"),
      chunk: () => Effect.succeed({ status, body: Buffer.from(text) }),
    }).read(`.chunks/0000/${DIGEST}`, 100)

  it.effect.each([
    [answer(reader, "chunk file missing"), "NotFound"],
    [answer(reader, "chunk file unreadable"), "Denied"],
    [answer(reader, "chunk before index"), "Failed"],
    // Of a server whose datastore is in a bucket.
    [{ status: 400, text: `could not fetch object with key ${DIGEST}` }, "NotFound"],
  ] as const)("%j: %s", ([recordedAnswer, reason]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read(recordedAnswer))
      assert.deepStrictEqual([error.reason, error.isTransient], [reason, false])
    }),
  )

  it.effect("is empty where its file is: that is for whoever decodes it", () =>
    Effect.map(read({ status: 200, text: "" }), (body) => assert.lengthOf(body, 0)),
  )
})
