/**
 * `Content-Disposition` (RFC 6266) for a name of a backup, which may hold anything. Pure.
 */

/** Tells a browser to save, under a name: in ASCII, and in full for all that know RFC 8187. */
export const attachment = (name: string): string => {
  const clean = name.replace(/[/\\]/g, "_") || "download"
  const plain = clean.replace(/[^ !#-$&+\-.0-9A-Z^_`a-z{}~]/g, "_")
  return `attachment; filename="${plain}"; filename*=UTF-8''${encode(clean)}`
}

const encode = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
