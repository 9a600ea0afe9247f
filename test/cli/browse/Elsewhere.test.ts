/** `pxar-fuse browse` of what is elsewhere: a bucket, a web server, a backup server, folders of archives. */
import * as path from "node:path"
import { beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Datastores from "../../support/Datastores.ts"
import * as Nginx from "../../support/Nginx.ts"
import { need } from "../../support/Requirements.ts"
import * as S3Server from "../../support/S3Server.ts"
import * as TerminalScreen from "../../support/TerminalScreen.ts"
import { serve } from "../server/server.ts"

const golden = path.join(import.meta.dirname, "../../../fixtures/golden")

/** Goes from the top into the first archive of the first backup of `host/alpha`. */
const walk = Effect.fnUntraced(function* (screen: TerminalScreen.TerminalScreen) {
  yield* screen.shows("> host/", "  ns/")
  yield* screen.press("Right")
  yield* screen.shows("> alpha/", "  beta/")
  yield* screen.press("l")
  yield* screen.shows("> 2024-01-01T00:00:00Z/")
  yield* screen.press("l")
  yield* screen.shows("root.pxar/")
  yield* screen.press("l")
  yield* screen.shows("/host/alpha/2024-01-01T00:00:00Z/root.pxar")
})

describe("browse in a terminal", () => {
  beforeEach(need({ tools: ["tmux", "nginx"] }))

  it.live("of a bucket", () =>
    Effect.gen(function* () {
      const server = yield* S3Server.make(["bucket"])
      yield* S3Server.putFolder(server, "bucket", "tank/", Datastores.store("datastore-plain"))
      yield* walk(yield* TerminalScreen.start(["browse", "--no-cache", "s3://bucket/tank"], { env: server.env }))
    }),
  )

  it.live("of a web server", () =>
    Effect.gen(function* () {
      const { port } = yield* Nginx.make(Datastores.store("datastore-plain"))
      yield* walk(yield* TerminalScreen.start(["browse", "--no-cache", `http://127.0.0.1:${port}/`]))
    }),
  )

  it.live("of a backup server", () =>
    Effect.gen(function* () {
      const { address, env } = yield* serve(Datastores.store("datastore-plain"))
      yield* walk(yield* TerminalScreen.start(["browse", "--no-cache", address()], { env }))
    }),
  )

  it.live("of a folder of archives", () =>
    Effect.gen(function* () {
      const { port } = yield* Nginx.make(golden)
      const screen = yield* TerminalScreen.start(["browse", `http://127.0.0.1:${port}/`])
      yield* screen.shows("> collisions-v1.pxar/", "  tree-v2.mpxar/")
      yield* screen.press("l")
      yield* screen.shows(": /collisions-v1.pxar")
    }),
  )
})
