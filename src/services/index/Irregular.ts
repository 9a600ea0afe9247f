/**
 * That an archive, or its bytes, are not what a scan can take for sound. Nothing is wrong with the index then: such an
 * archive is looked into by those who know what to make of it.
 */
import * as Data from "effect/Data"

/** Thrown within a scan. */
export class Irregular extends Data.TaggedError("Irregular")<{
  readonly detail: string
  /** Whether another try may end otherwise: bytes could not be had. */
  readonly isTransient: boolean
}> {}

/** The archive does not look as the scan expects it. */
export const irregular = (position: number, detail: string): Irregular =>
  new Irregular({ detail: `${detail} at ${position}`, isTransient: false })
