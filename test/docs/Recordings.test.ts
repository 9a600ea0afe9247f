/** Screens of a terminal become pictures that show what stood there. */
import { assert, describe, it } from "@effect/vitest"
import * as Animation from "../../tools/recordings/Animation.ts"
import { toMarkdown } from "../../tools/api/manual.ts"

const texts = (picture: string) => [...picture.matchAll(/<text (?!class)[^>]*>([^<]*)</g)].map(([, text]) => text)

describe("a recording", () => {
  it("has every piece of text in its place and style", () => {
    const lines = ["a \u001B[1mbold\u001B[0m & <b>", "\u001B[7m bar \u001B[0m\u001B[31mred\u001B[39m"]
    const picture = Animation.make([{ caption: "↓", lines }], 20, 2, 2)
    assert.deepStrictEqual(texts(picture), ["a ", "bold", " &amp; &lt;b&gt;", " bar ", "red"])
    assert.include(picture, 'font-weight="bold">bold<')
    assert.match(picture, /<rect x="12" y="30" width="42" height="18" fill="#d8dbe2"\/>/)
    assert.match(picture, /style="fill: #e06c75">red</)
  })

  it("keeps a style to the next line, and shows one frame at a time", () => {
    const picture = Animation.make(
      ["one", "two"].map((caption) => ({ caption, lines: ["\u001B[1mx", "y"] })),
      5,
      2,
      3,
    )
    assert.lengthOf(picture.match(/font-weight="bold">y</g) ?? [], 2)
    assert.include(picture, "animation: turn 6s step-end infinite")
    assert.include(picture, '<g style="animation-delay:3s">')
    assert.include(picture, "50% { visibility: hidden }")
  })
})

describe("the manual page of the site", () => {
  it("has headings, lists and fonts, with what is special in Markdown escaped", () => {
    const page = String.raw`.TH X 1
.SH FLAGS
.TP
\fB\-\-sub\fR \fIa|b\fR
one *
.B two
.P
See
.BR mount (8),
.SS last`
    assert.strictEqual(
      toMarkdown(page),
      "## FLAGS\n\n\n- `--sub` _a\\|b_: one \\* `two`\n\nSee `mount`(8),\n\n### last\n",
    )
  })

  it("refuses what it does not know", () => {
    assert.throws(() => toMarkdown(".XX"), ".XX is not known")
  })
})
