/**
 * As whom this program acts on files: what is asked of the process itself, so that a front or a test can say otherwise.
 */
import * as Context from "effect/Context"

/** A user, as far as it matters what it may do. */
export interface Caller {
  /** The user whose permissions count. */
  readonly euid: number
}

/** This process's own unless another is provided. */
export const Caller: Context.Reference<Caller> = Context.Reference<Caller>("pxar-fuse/services/posix/Caller", {
  defaultValue: () => ({ euid: process.geteuid?.() ?? 0 }),
})
