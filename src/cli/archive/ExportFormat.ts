/**
 * The formats in which an archive goes to stdout as one stream.
 */
export const formats = ["tar", "zip"] as const

export type Format = (typeof formats)[number]
