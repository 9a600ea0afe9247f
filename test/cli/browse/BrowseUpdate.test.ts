import { stripVTControlCharacters } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import stringWidth from "string-width"
import * as BrowseState from "../../../src/cli/browse/BrowseState.ts"
import * as BrowseView from "../../../src/cli/browse/BrowseView.ts"
import * as OpenFolder from "../../../src/cli/browse/OpenFolder.ts"
import * as ExitCode from "../../../src/cli/ExitCode.ts"
import * as ArchivePath from "../../../src/domain/pxar/ArchivePath.ts"
import * as PathText from "../../../src/domain/PathText.ts"
import * as ArchiveWriter from "../../../src/services/create/ArchiveWriter.ts"
import * as ByteSink from "../../../src/services/bytes/ByteSink.ts"
import * as B from "../../support/ArchiveBuilder.ts"
import * as Tree from "../../support/Tree.ts"
import * as TreeArbitrary from "../../support/TreeArbitrary.ts"
import { browse, type Browser, HEIGHT } from "./browsing.ts"

/** A person who knows the tree, and where keys lead. */
class Person {
  private readonly way: Array<{ at: number; readonly folder: Tree.Directory; text: string; origin: number }>
  readonly path: Array<string> = []
  readonly marks = new Set<string>()

  constructor(root: Tree.Directory) {
    this.way = [{ folder: root, at: 0, text: "", origin: 0 }]
  }

  private get here() {
    return this.way.at(-1)!
  }

  /** Children that are shown: their places in the folder. */
  shown(): ReadonlyArray<number> {
    const { folder, text } = this.here
    return folder.children.flatMap(({ name }, index) =>
      PathText.print(name).toLowerCase().includes(text.toLowerCase()) ? [index] : [],
    )
  }

  nameOf(index: number): Uint8Array {
    return this.here.folder.children[index]!.name
  }

  /** The child at the cursor, as it is in the folder; -1 if nothing is shown. */
  current(): number {
    return this.shown().length === 0 ? -1 : this.here.at
  }

  private pathOf(index: number): string {
    return `${this.path.map((name) => `${name}/`).join("")}${Tree.key(this.nameOf(index))}`
  }

  private step(by: number): void {
    const shown = this.shown()
    if (shown.length === 0) return
    const to = Math.max(0, Math.min(shown.length - 1, shown.indexOf(this.here.at) + by))
    this.here.at = shown[to]!
    this.here.origin = this.here.at
  }

  text(): string {
    return this.here.text
  }

  /** How far down the next folder is. */
  downToFolder(): number {
    const below = this.shown().filter((index) => index >= this.here.at)
    const folder = below.findIndex((index) => this.here.folder.children[index]!.tree._tag === "Directory")
    return Math.max(0, folder)
  }

  press(key: string): void {
    const { here } = this
    const current = this.current()
    switch (key) {
      case "up":
        return this.step(-1)
      case "down":
        return this.step(1)
      case "pageup":
        return this.step(-HEIGHT)
      case "pagedown":
        return this.step(HEIGHT)
      case "home":
        return this.step(-Infinity)
      case "end":
        return this.step(Infinity)
      case "right": {
        const child = here.folder.children[current]
        if (child?.tree._tag !== "Directory") return
        this.path.push(Tree.key(child.name))
        this.way.push({ folder: child.tree, at: 0, text: "", origin: 0 })
        return
      }
      case "left":
        if (this.way.length > 1) {
          this.way.pop()
          this.path.pop()
        }
        return
      case " ": {
        if (current < 0) return
        const path = this.pathOf(current)
        if (!this.marks.delete(path)) this.marks.add(path)
        return this.step(1)
      }
      case "u":
        return this.marks.clear()
    }
  }

  search(text: string): void {
    const { here } = this
    if (here.text === "") here.origin = here.at
    here.text = text
    const shown = this.shown()
    here.at = shown.find((index) => index >= here.origin) ?? shown.at(-1) ?? here.origin
  }

  endSearch(): void {
    this.here.text = ""
  }
}

const moves = ["up", "down", "pageup", "pagedown", "home", "end", "right", "left", " ", "u"] as const
const texts = ["a", "X", "4", "\\", "n", "zzz"] as const
const commands = Arbitrary.array(
  Arbitrary.schema(Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 0xffff })))),
  { maxLength: 60 },
)

/** Presses the keys that a number stands for, both on the browser and in the mind of the person. */
const act = Effect.fnUntraced(function* (browser: Browser, person: Person, word: number) {
  const move = Effect.fnUntraced(function* (...keys: ReadonlyArray<string>) {
    for (const key of keys) person.press(key)
    yield* browser.press(...keys)
    if (browser.state().mode._tag === "Reading") yield* browser.press("escape")
  })
  const choice = word >> 4
  switch (word % 5) {
    case 0:
      return yield* move(...Array.from({ length: person.downToFolder() }, () => "down"), "right")
    case 1: {
      // With what is there already, or from the beginning.
      const before = choice % 2 === 0 ? person.text() : ""
      if (before === "") {
        person.endSearch()
        yield* browser.press("escape")
      }
      yield* browser.press("/")
      for (const letter of texts[choice % texts.length] as string) {
        person.search(person.text() + letter)
        yield* browser.press(letter)
      }
      return yield* browser.press("return")
    }
    case 2:
      if (choice % 3 === 0) {
        person.endSearch()
        return yield* browser.press("escape")
      }
      return yield* move("left")
    default:
      return yield* move(moves[choice % moves.length] as string)
  }
})

const compare = (browser: Browser, person: Person): void => {
  const state = browser.state()
  const folder = BrowseState.folder(state)
  const expected = person.shown()
  const actual = OpenFolder.onScreen(folder, HEIGHT)
  const from = expected.indexOf(actual[0] ?? -1)
  assert.strictEqual(
    PathText.print(folder.found.path),
    PathText.print(Buffer.from(`/${person.path.join("/")}`, "latin1")),
  )
  // A full screen of what is shown, with the cursor on it.
  assert.deepStrictEqual(actual, from < 0 ? [] : expected.slice(from, from + HEIGHT))
  assert.strictEqual(actual.length, Math.min(HEIGHT, expected.length))
  if (expected.length > 0) assert.include(actual, person.current())
  assert.strictEqual(expected.length === 0 ? -1 : OpenFolder.numberAt(folder, folder.cursor), person.current())
  for (const number of actual) {
    const item = folder.items.get(number)!
    assert.strictEqual(Tree.key(ArchivePath.lastName(item.path)), Tree.key(person.nameOf(number)))
  }
  assert.sameMembers(
    [...state.marks.values()].map((path) => Buffer.from(path).toString("latin1").slice(1)),
    [...person.marks],
  )
}

/** Every line has the screen's width, and nothing but styles can act on a terminal. */
const checkScreen = (browser: Browser): void => {
  const { columns, rows } = browser.state().size
  const { lines } = BrowseView.frame(browser.state())
  assert.strictEqual(lines.length, rows)
  for (const line of lines) {
    // eslint-disable-next-line no-control-regex
    assert.notMatch(line.replace(/\u001b\[[\d;]*[mG]/g, ""), /\p{C}/u)
    assert.strictEqual(stringWidth(stripVTControlCharacters(line)), columns)
  }
}

const write = Effect.fnUntraced(function* (tree: Tree.Directory) {
  const archive = ByteSink.makeMemory()
  const writer = yield* ArchiveWriter.make({ archive })
  yield* Tree.write(writer, tree)
  return archive.bytes()
}, Effect.scoped)

it.effect.prop(
  "keys lead where they would in the plain tree, whatever the tree",
  [TreeArbitrary.trees, commands],
  ([tree, words]) =>
    Effect.gen(function* () {
      const browser = yield* browse(yield* write(tree))
      const person = new Person(tree)
      for (const word of words) {
        yield* act(browser, person, word)
        compare(browser, person)
      }
      checkScreen(browser)
    }),
  { arbitrary: { runs: 40, size: 600 } },
)

const many = B.build({
  children: [
    B.folder(
      "many",
      Array.from({ length: 5000 }, (_, i) => B.file(`f${String(i).padStart(4, "0")}`)),
    ),
  ],
}).bytes

describe("a large folder", () => {
  it.effect("costs the entries that are on the screen", () =>
    Effect.gen(function* () {
      const browser = yield* browse(many)
      yield* browser.press("right", "end", "pageup", "up")
      const entries = browser.loaded.flatMap((want) => (want._tag === "Items" ? want.slots : []))
      assert.isAtMost(entries.length, 1 + 4 * HEIGHT)
      assert.include(browser.screen().join("\n"), "> f4992")
      assert.include(browser.screen()[0], "4,993/5,000")
    }),
  )

  it.effect("is searched in parts, and shows what was found so far", () =>
    Effect.gen(function* () {
      const browser = yield* browse(many)
      yield* browser.press("right", "/", "9")
      const parts = browser.loaded.flatMap((want) => (want._tag === "Names" ? [want.slots.length] : []))
      assert.strictEqual(parts.length, 3)
      assert.strictEqual(
        parts.reduce((sum, part) => sum + part, 0),
        5000,
      )
      assert.include(browser.screen()[0], "/1,355")
    }),
  )

  it.effect("keeps no more entries than some screens", () =>
    Effect.gen(function* () {
      const browser = yield* browse(many)
      yield* browser.press("right", ...Array.from({ length: 400 }, () => "pagedown"))
      assert.isAtMost(BrowseState.folder(browser.state()).items.size, 1024 + HEIGHT)
    }),
  )
})

const small = B.build({ children: [B.file("a", "1"), B.folder("b", [B.file("c", "2")])] }).bytes

describe("an extraction", () => {
  it.effect("is asked for with the paths that are marked, or the current one", () =>
    Effect.gen(function* () {
      const browser = yield* browse(small)
      yield* browser.press("x", "backspace", "t", "return")
      assert.deepStrictEqual(browser.state().job, { target: "t", paths: [Buffer.from("/a")] })
      const marking = yield* browse(small)
      yield* marking.press(" ", " ", "x", "return")
      assert.deepStrictEqual(marking.state().job, { target: ".", paths: [Buffer.from("/a"), Buffer.from("/b")] })
      assert.strictEqual(marking.state().marks.size, 0)
    }),
  )

  it.effect("is not begun by Esc, nor without a target", () =>
    Effect.gen(function* () {
      const browser = yield* browse(small)
      yield* browser.press("x", "escape")
      assert.deepInclude(browser.state(), { mode: BrowseState.LOOKING, job: undefined })
      yield* browser.press("x", "ctrl-u", "return")
      assert.strictEqual(browser.state().mode._tag, "Asking")
    }),
  )

  it.effect("is stopped by Esc, and keeps q from quitting", () =>
    Effect.gen(function* () {
      const browser = yield* browse(small)
      yield* browser.press("x", "return", "q")
      assert.isUndefined(browser.state().ended)
      assert.include(browser.screen().at(-1), "still extracting")
      yield* browser.press("escape")
      assert.isUndefined(browser.state().job)
      yield* browser.press("q")
      assert.strictEqual(browser.state().ended, ExitCode.SUCCESS)
    }),
  )

  it.effect("that was stopped does not report any more", () =>
    Effect.gen(function* () {
      const browser = yield* browse(small)
      yield* browser.press("x", "return")
      const job = browser.state().job!
      yield* browser.press("escape")
      yield* browser.send({ _tag: "Extracted", job, message: "late", problems: ["late"] })
      assert.notInclude(browser.screen().join("\n"), "late")
    }),
  )

  it.effect("shows its problems on a page, but not in the middle of typing", () =>
    Effect.gen(function* () {
      const browser = yield* browse(small)
      yield* browser.press("x", "return")
      yield* browser.send({ _tag: "Extracted", job: browser.state().job!, message: "done", problems: ["no owner"] })
      assert.include(browser.screen()[1], "no owner")
      yield* browser.press("escape", "x", "return", "/")
      yield* browser.send({ _tag: "Extracted", job: browser.state().job!, message: "done", problems: ["no owner"] })
      assert.strictEqual(browser.state().mode._tag, "Searching")
    }),
  )
})

describe("answers that come late", () => {
  it.effect("change nothing if their folder was left", () =>
    Effect.gen(function* () {
      const browser = yield* browse(small)
      yield* browser.press("down", "right")
      const { found } = BrowseState.folder(browser.state())
      yield* browser.press("left")
      const before = browser.screen()
      yield* browser.send({ _tag: "Contents", folder: found, contents: { _tag: "Known", slots: new Uint32Array(9) } })
      assert.deepStrictEqual(browser.screen(), before)
    }),
  )

  it.effect("of a preview are not shown for another entry", () =>
    Effect.gen(function* () {
      const browser = yield* browse(small)
      yield* browser.press("down")
      const before = browser.screen()
      yield* browser.send({ _tag: "Preview", key: "preview 1", content: { _tag: "Lines", lines: ["other"] } })
      assert.deepStrictEqual(browser.screen(), before)
    }),
  )
})

it.effect("a page of text is scrolled to its end, and no further", () =>
  Effect.gen(function* () {
    const browser = yield* browse(small)
    yield* browser.press("?", "end")
    assert.include(browser.screen()[HEIGHT], "Ctrl-C")
    yield* browser.press("pagedown", "down")
    assert.include(browser.screen()[HEIGHT], "Ctrl-C")
    yield* browser.press("home")
    assert.include(browser.screen()[1], "up")
    yield* browser.press("q")
    assert.strictEqual(browser.state().mode._tag, "Looking")
    assert.isUndefined(browser.state().ended)
  }),
)

it.effect("a screen of any size is drawn", () =>
  Effect.gen(function* () {
    for (const size of [
      { columns: 1, rows: 1 },
      { columns: 3, rows: 2 },
      { columns: 29, rows: 4 },
      { columns: 60, rows: 3 },
      { columns: 300, rows: 50 },
    ]) {
      const browser = yield* browse(small, undefined, size)
      checkScreen(browser)
      yield* browser.press("/", "a")
      checkScreen(browser)
      yield* browser.press("return", "x")
      checkScreen(browser)
      yield* browser.press("escape", "i")
      checkScreen(browser)
    }
  }),
)
