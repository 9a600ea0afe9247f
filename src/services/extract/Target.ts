/**
 * What is to be extracted: an entry of the archive, its hard link followed.
 */
import type { Found } from "../archive/ArchiveTree.ts"

export type Target = Omit<Found, "_tag">
