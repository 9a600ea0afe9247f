/**
 * Paths of WebDAV: those of URLs, in which each name is percent-encoded. Pure.
 *
 * Names that clients can be expected to show go as they are, in UTF-8. In all others (not UTF-8, or with control
 * characters) each byte that cannot be shown is `\xHH` and a backslash `\\`, as everywhere in this program (see
 * `PathText`): clients choke on such bytes, or turn them into other names. Asked for they are understood both ways.
 */
import * as Bytes from "../../domain/Bytes.ts"
import * as PathText from "../../domain/PathText.ts"

/** The name of an entry in a URL. */
export const encode = (name: Uint8Array): string => encodeURIComponent(PathText.print(name))

/** The names in the path of a request, behind `/dav`; `undefined` if it is none. */
export const decode = (path: string): ReadonlyArray<Uint8Array> | undefined => {
  const names: Array<Uint8Array> = []
  for (const part of path.split("/")) {
    if (part === "") continue
    const bytes = decodePercent(part)
    if (bytes === undefined || bytes.includes(0x2f) || bytes.includes(0)) return undefined
    const text = Bytes.toText(bytes)
    // What is no text is the name itself.
    names.push(text.isWellFormed() ? PathText.parse(text) : bytes)
  }
  return names
}

const decodePercent = (text: string): Uint8Array | undefined => {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined
  return Buffer.from(
    Buffer.from(text, "utf8")
      .toString("latin1")
      .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  )
}
