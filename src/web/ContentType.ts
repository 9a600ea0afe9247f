/**
 * What a file of a backup is said to be, by the end of its name. Pure.
 *
 * Only what a browser shows without running anything in it has a type of its own. All else is text or bytes: SVG and HTML
 * too, which can hold scripts.
 */

/** How a file can be shown. */
export type Preview = "text" | "image" | "audio" | "video" | "none"

const types: Readonly<Record<string, readonly [type: string, preview: Preview]>> = {
  png: ["image/png", "image"],
  jpg: ["image/jpeg", "image"],
  jpeg: ["image/jpeg", "image"],
  gif: ["image/gif", "image"],
  webp: ["image/webp", "image"],
  avif: ["image/avif", "image"],
  bmp: ["image/bmp", "image"],
  ico: ["image/x-icon", "image"],
  mp3: ["audio/mpeg", "audio"],
  m4a: ["audio/mp4", "audio"],
  ogg: ["audio/ogg", "audio"],
  oga: ["audio/ogg", "audio"],
  opus: ["audio/ogg", "audio"],
  flac: ["audio/flac", "audio"],
  wav: ["audio/wav", "audio"],
  mp4: ["video/mp4", "video"],
  m4v: ["video/mp4", "video"],
  webm: ["video/webm", "video"],
  ogv: ["video/ogg", "video"],
  mov: ["video/quicktime", "video"],
}

/** Bytes as they are. */
export const BYTES = "application/octet-stream"

/** Text of any kind. */
export const TEXT = "text/plain; charset=utf-8"

/** By the name of a file, as text. */
export const of = (name: string): { readonly type: string; readonly preview: Preview } => {
  const dot = name.lastIndexOf(".")
  const [type, preview] = types[dot < 0 ? "" : name.slice(dot + 1).toLowerCase()] ?? [BYTES, "none"]
  return { type, preview }
}
