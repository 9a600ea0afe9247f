/** Kinds of words that `pxar-fuse complete-word` knows: mount points of archives, words of `-o`, addresses with a `::`. */
export const kinds = ["mounts", "options", "address"] as const

export type WordKind = (typeof kinds)[number]
