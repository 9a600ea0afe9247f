/** Metadata and names for the entries of tests that write archives. */
import { noAttributes } from "../../../src/domain/pxar/Entry.ts"
import type { Metadata } from "../../../src/domain/pxar/EntryEncoder.ts"

export const head = (mode: number): Metadata => ({
  mode,
  flags: 0n,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0n,
  mtimeNanos: 0,
  attributes: noAttributes,
})
export const folderHead = head(0o40755)
export const fileHead = head(0o100644)
export const name = (text: string): Uint8Array => Buffer.from(text)
