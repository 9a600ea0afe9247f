/**
 * The browser without a terminal: keys in, a screen out, with an archive in memory.
 */
import { stripVTControlCharacters } from "node:util"
import { Effect } from "effect"
import * as BrowseLoad from "../../../src/cli/browse/BrowseLoad.ts"
import * as BrowseState from "../../../src/cli/browse/BrowseState.ts"
import * as BrowseUpdate from "../../../src/cli/browse/BrowseUpdate.ts"
import * as BrowseView from "../../../src/cli/browse/BrowseView.ts"
import type { Key } from "../../../src/cli/browse/Keys.ts"
import * as Wants from "../../../src/cli/browse/Wants.ts"
import * as Archive from "../../../src/services/tree/Archive.ts"
import * as Tree from "../../support/Tree.ts"

export const SIZE = { columns: 100, rows: 8 }
/** Rows of the list. */
export const HEIGHT = SIZE.rows - 2

/** A key by its id; single characters type themselves. */
export const key = (id: string): Key => ({ id, text: [...id].length === 1 ? id : "" })

export interface Browser {
  readonly state: () => BrowseState.State
  /** Presses keys; each time everything that is wanted is loaded. */
  readonly press: (...ids: ReadonlyArray<string>) => Effect.Effect<void>
  readonly send: (event: BrowseUpdate.Event) => Effect.Effect<void>
  /** The screen, without styles and blanks at the ends of lines. */
  readonly screen: () => ReadonlyArray<string>
  /** What has been loaded so far. */
  readonly loaded: ReadonlyArray<Wants.Want>
}

/** Browses the archive in `bytes`. */
export const browse = Effect.fnUntraced(function* (bytes: Uint8Array, payload?: Uint8Array, size = SIZE) {
  const archive = Archive.fromReader(yield* Tree.openBytes(bytes, payload))
  let state = BrowseState.make("test.pxar", yield* archive.root, size)
  const loaded: Array<Wants.Want> = []
  const settle = Effect.gen(function* () {
    let answered: string | undefined
    for (let want = Wants.wanted(state); want !== undefined; want = Wants.wanted(state)) {
      if (answered === want.key) throw new Error(`wanted again: ${want.key}`)
      answered = want.key
      loaded.push(want)
      state = BrowseUpdate.update(state, yield* BrowseLoad.answer(archive, want))
    }
  })
  const send = (event: BrowseUpdate.Event) =>
    Effect.suspend(() => {
      state = BrowseUpdate.update(state, event)
      return settle
    })
  yield* settle
  const browser: Browser = {
    state: () => state,
    press: (...ids) => Effect.forEach(ids, (id) => send({ _tag: "Key", key: key(id) }), { discard: true }),
    send,
    screen: () => BrowseView.frame(state).lines.map((line) => stripVTControlCharacters(line).trimEnd()),
    loaded,
  }
  return browser
})
