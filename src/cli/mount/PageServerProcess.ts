/**
 * A process that serves a mount in the background, and a page beside it. Apart from `ServerProcess`, which starts faster
 * without.
 */
import * as BesideMount from "../serve/BesideMount.ts"
import type { Parent } from "./Parent.ts"
import * as ServerProcess from "./ServerProcess.ts"

export const run = (parent: Parent): void => ServerProcess.run(parent, BesideMount.start)
