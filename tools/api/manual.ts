/**
 * The manual page as Markdown: as much of man(7) as `docs/pxar-fuse.1.in` and `scripts/manPage.ts` use. Fails on any other
 * macro, so that nothing is left out in silence.
 */

/** What is bold in man(7) is typed as it stands: code here. */
type Font = "B" | "I" | "R"

const plain = (text: string): string =>
  text
    .replaceAll(String.raw`\-`, "-")
    .replaceAll(String.raw`\&`, "")
    .replaceAll(String.raw`\e`, "\\")

const marked = (font: Font, text: string): string => {
  const shown = plain(text)
  if (shown.trim() === "") return shown
  if (font === "B") return `\`${shown}\``
  const escaped = shown.replaceAll(/[\\`*_[\]<>#|]/g, String.raw`\$&`)
  return font === "I" ? `_${escaped}_` : escaped
}

/** A line of text, in which `\fB`, `\fI` and `\fR` change the font. */
const inline = (line: string): string =>
  line
    .split(/\\f(?=[BIR])/)
    .map((part, index) => (index === 0 ? marked("R", part) : marked(part.charAt(0) as Font, part.slice(1))))
    .join("")

/** The words after a macro; quotes hold several together. */
const words = (rest: string): ReadonlyArray<string> =>
  [...rest.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "")

/** `.B some words`, or `.BR one two three` with the fonts in turn. */
const fonts = (macro: string, rest: string): string =>
  macro.length === 1
    ? marked(macro as Font, words(rest).join(" "))
    : words(rest)
        .map((word, index) => marked(macro.charAt(index % 2) as Font, word))
        .join("")

/** Markdown of a page in man(7), without its title. */
export const toMarkdown = (source: string): string => {
  let out = ""
  let isTerm = false
  let isCode = false
  const text = (shown: string): void => {
    if (isTerm) out += `\n- ${shown}:`
    else out += /\s$/.test(out) ? shown : ` ${shown}`
    isTerm = false
  }
  for (const line of source.split("\n")) {
    const [, macro = "", rest = ""] = /^\.(\w+|\\")\s*(.*)$/.exec(line) ?? []
    if (isCode && macro !== "fi") out += `${plain(line)}\n`
    else if (macro === "") {
      if (line !== "") text(inline(line))
    } else if (/^(?:B|I|R)[BIR]?$/.test(macro)) text(fonts(macro, rest))
    else if (macro === "SH") out += `\n\n## ${plain(rest)}\n\n`
    else if (macro === "SS") out += `\n\n### ${plain(rest)}\n\n`
    else if (macro === "P") out += "\n\n"
    else if (macro === "br") out += "  \n"
    else if (macro === "TP") isTerm = true
    else if (macro === "nf" || macro === "fi") {
      out += macro === "nf" ? "\n```text\n" : "```\n"
      isCode = macro === "nf"
    } else if (!["TH", "RS", "RE", String.raw`\"`].includes(macro))
      throw new Error(`manual page: .${macro} is not known`)
  }
  return `${out.trim()}\n`
}
