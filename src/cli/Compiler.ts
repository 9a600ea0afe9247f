/**
 * When V8's optimizing compiler takes up what mounts, and commands that open an archive, run.
 */
import * as v8 from "node:v8"

/**
 * Lets functions run ten times as often as usual before the most expensive compiler optimizes them. Of a mount's first
 * ten thousand requests, or files, it would take a third of the time (`docs/decisions.md`); later it is worth it.
 */
export const optimizeLate = (): void => v8.setFlagsFromString("--invocation-count-for-turbofan=30000")
