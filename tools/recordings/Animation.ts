/**
 * Screens of a terminal as one animated picture: an SVG without scripts, which a page shows as any other picture. The same
 * screens make the same bytes.
 *
 * It knows what tmux prints for a screen (`capture-pane -e`): bold, dim, underlined, reversed, and the sixteen colours of text.
 * Every character is one column wide.
 */

export interface Frame {
  /** What was pressed to come here; stands below the screen. */
  readonly caption: string
  /** Lines with the codes of a terminal for their style. */
  readonly lines: ReadonlyArray<string>
}

interface Style {
  readonly weight: "bold" | "dim" | undefined
  readonly isReversed: boolean
  readonly isUnderlined: boolean
  readonly colour: string
}

const COLUMN = 8.4
const LINE = 18
const MARGIN = 12
const PAPER = "#1d2027"
const INK = "#d8dbe2"
const COLOURS = ["#5c6370", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d8dbe2"]
const NORMAL: Style = { weight: undefined, isReversed: false, isUnderlined: false, colour: INK }

/** What a code changes. Codes that are not known change nothing. */
const changed = (style: Style, code: number): Style => {
  if (code === 0) return NORMAL
  if (code === 1 || code === 2) return { ...style, weight: code === 1 ? "bold" : "dim" }
  if (code === 22) return { ...style, weight: undefined }
  if (code === 4 || code === 24) return { ...style, isUnderlined: code === 4 }
  if (code === 7 || code === 27) return { ...style, isReversed: code === 7 }
  if (code === 39) return { ...style, colour: INK }
  const colour = COLOURS[code >= 90 ? code - 90 : code - 30]
  return colour === undefined ? style : { ...style, colour }
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const round = (length: number): string => String(Math.round(length * 10) / 10)

/** A piece of a line in one style, `column` columns from the left. */
const piece = (text: string, column: number, row: number, style: Style): string => {
  const [x, width] = [MARGIN + column * COLUMN, text.length * COLUMN]
  const y = MARGIN + row * LINE
  const behind = style.isReversed
    ? `<rect x="${round(x)}" y="${y}" width="${round(width)}" height="${LINE}" fill="${style.colour}"/>`
    : ""
  if (text.trim() === "") return behind
  const ink = style.isReversed ? PAPER : style.colour
  const attributes = [
    `x="${round(x)}" y="${y + 13}" textLength="${round(width)}"`,
    ...(ink === INK ? [] : [`style="fill: ${ink}"`]),
    ...(style.weight === "bold" ? ['font-weight="bold"'] : style.weight === "dim" ? ['opacity="0.65"'] : []),
    ...(style.isUnderlined ? ['text-decoration="underline"'] : []),
  ]
  return `${behind}<text ${attributes.join(" ")}>${escaped(text)}</text>`
}

/** A line, from the style in which the one before it ended. */
const lineOf = (line: string, row: number, before: Style): { readonly shown: string; readonly style: Style } => {
  let style = before
  let column = 0
  let shown = ""
  // oxlint-disable-next-line no-control-regex
  for (const [part, codes] of line.matchAll(/\u001B\[([\d;]*)m|[^\u001B]+/g)) {
    if (codes === undefined) {
      shown += piece(part, column, row, style)
      column += part.length
    } else for (const code of codes.split(";")) style = changed(style, Number(code))
  }
  return { shown, style }
}

const screenOf = (lines: ReadonlyArray<string>): string => {
  let style = NORMAL
  return lines
    .map((line, row) => {
      const next = lineOf(line, row, style)
      style = next.style
      return next.shown
    })
    .filter((shown) => shown !== "")
    .join("\n")
}

/** The picture: every frame for `seconds`, and from the first again. Who wants no motion sees the last. */
export const make = (frames: ReadonlyArray<Frame>, columns: number, rows: number, seconds: number): string => {
  const width = Math.round(columns * COLUMN + 2 * MARGIN)
  const screen = rows * LINE + 2 * MARGIN
  const height = screen + LINE + MARGIN
  const shown = frames.map(
    ({ caption, lines }, index) => `<g style="animation-delay:${round(index * seconds)}s">
${screenOf(lines)}
<text class="caption" x="${width / 2}" y="${screen + LINE - 4}" text-anchor="middle">${escaped(caption)}</text>
</g>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<style>
text { fill: ${INK}; font: 14px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }
.caption { font: 14px system-ui, sans-serif; fill: #8b92a0 }
g { visibility: hidden; animation: turn ${round(frames.length * seconds)}s step-end infinite }
@keyframes turn { 0% { visibility: visible } ${round(100 / frames.length)}% { visibility: hidden } }
@media (prefers-reduced-motion) { g { animation: none } g:last-of-type { visibility: visible } }
</style>
<rect width="${width}" height="${height}" rx="8" fill="${PAPER}"/>
${shown.join("\n")}
</svg>
`
}
