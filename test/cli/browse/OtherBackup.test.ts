/**
 * `[` and `]` in the browser: the same folder in the backup before and after.
 */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as B from "../../support/ArchiveBuilder.ts"
import { need } from "../../support/Requirements.ts"
import * as TerminalScreen from "../../support/TerminalScreen.ts"
import { plain } from "../repository/stores.ts"
import { browse } from "./browsing.ts"

const backup = (time: string, ...etc: ReadonlyArray<string>) =>
  B.folder(`2024-0${time}-01T00:00:00Z`, [
    B.folder(
      "root.pxar",
      etc.length === 0
        ? []
        : [
            B.folder(
              "etc",
              etc.map((name) => B.file(name, name)),
            ),
          ],
    ),
  ])

// Three backups; the first has no folder etc. The link is none of them.
const repository = B.build({
  children: [
    B.folder("host", [
      B.folder("elsa", [
        backup("1"),
        backup("2", "old"),
        backup("3", "kept", "new"),
        B.folder("versions", [
          B.folder("root.pxar", [B.folder("etc", [B.folder("kept", [B.file("2024-03-01T00:00:00Z", "what it was")])])]),
        ]),
        B.raw("latest", B.entry({ mode: 0o120777 }), B.symlink("2024-03-01T00:00:00Z")),
      ]),
    ]),
  ],
})

const into = (...steps: ReadonlyArray<string>) => ["right", "right", ...steps, "right", "right", "right"]

describe("[ and ]", () => {
  it.effect("go to the same folder in the backup before and after", () =>
    Effect.gen(function* () {
      const browser = yield* browse(repository.bytes)
      yield* browser.press(...into("down", "down"))
      assert.match(browser.screen()[0]!, /\/host\/elsa\/2024-03-01T00:00:00Z\/root\.pxar\/etc/)
      yield* browser.press("[")
      assert.match(browser.screen()[0]!, /\/host\/elsa\/2024-02-01T00:00:00Z\/root\.pxar\/etc/)
      assert.match(browser.screen()[1]!, /> old/)
      yield* browser.press("]")
      assert.match(browser.screen()[1]!, /> kept/)
      // Out of the folder is out of it in that backup.
      yield* browser.press("left", "left", "left")
      assert.match(browser.screen()[0]!, /\/host\/elsa +/)
    }),
  )

  it.effect("enter as much of the path as is there, and say what is not", () =>
    Effect.gen(function* () {
      const browser = yield* browse(repository.bytes)
      yield* browser.press(...into("down"), "[")
      assert.match(browser.screen()[0]!, /\/host\/elsa\/2024-01-01T00:00:00Z\/root\.pxar +/)
      assert.match(browser.screen().at(-1)!, /2024-01-01T00:00:00Z: .*etc: no such file or folder/)
    }),
  )

  it.effect("stay at the oldest and the newest, and where there is no backup", () =>
    Effect.gen(function* () {
      const browser = yield* browse(repository.bytes)
      yield* browser.press("]")
      assert.include(browser.screen().at(-1), "this is in no backup")
      yield* browser.press("right", "right", "right", "[")
      assert.include(browser.screen().at(-1), "this is the oldest backup")
      yield* browser.press("]", "]", "]")
      assert.include(browser.screen().at(-1), "this is the newest backup")
      assert.match(browser.screen()[0]!, /\/host\/elsa\/2024-03-01T00:00:00Z +/)
    }),
  )
})

describe("v", () => {
  it.effect("goes to the versions of the current entry", () =>
    Effect.gen(function* () {
      const browser = yield* browse(repository.bytes)
      yield* browser.press(...into("down", "down"), "v")
      assert.match(browser.screen()[0]!, /\/host\/elsa\/versions\/root\.pxar\/etc\/kept +/)
      assert.match(browser.screen()[1]!, /> 2024-03-01T00:00:00Z/)
      yield* browser.press("left")
      assert.match(browser.screen()[0]!, /\/host\/elsa\/versions\/root\.pxar\/etc +/)
    }),
  )

  it.effect("stays where there are none", () =>
    Effect.gen(function* () {
      const browser = yield* browse(repository.bytes)
      yield* browser.press("v")
      assert.include(browser.screen().at(-1), "this is in no backup")
      yield* browser.press("right", "right", "v")
      assert.include(browser.screen().at(-1), "this is a whole backup")
      assert.match(browser.screen()[0]!, /\/host\/elsa +/)
    }),
  )
})

describe("browse of a datastore in a terminal", () => {
  beforeEach(need({ tools: ["tmux"] }))

  it.live("begins with groups, goes into a backup and from that to the one before", () =>
    Effect.gen(function* () {
      const screen = yield* TerminalScreen.start(["browse", plain], {})
      yield* screen.shows("> host/", "  ns/")
      yield* screen.press("Right")
      yield* screen.shows("> alpha/", "  beta/")
      yield* screen.press("j", "l")
      yield* screen.shows("> 2024-01-15T12:30:45Z/", "  2024-01-16T12:30:45Z/", "latest")
      yield* screen.press("j", "l")
      yield* screen.shows("> synth.pxar/")
      yield* screen.press("l")
      yield* screen.shows("/host/beta/2024-01-16T12:30:45Z/synth.pxar")
      yield* screen.press("[")
      yield* screen.shows("/host/beta/2024-01-15T12:30:45Z/synth.pxar")
      yield* screen.press("[")
      yield* screen.shows("this is the oldest backup")
      yield* screen.press("v")
      yield* screen.shows("/host/beta/versions/synth.pxar/")
    }),
  )
})
