/**
 * When V8's optimizing compiler takes up what a mount runs.
 */
import * as v8 from "node:v8"

/**
 * Lets functions run ten times as often as usual before the most expensive compiler optimizes them. In a mount's first
 * requests it takes as much time as all they do, and what it makes of them is little faster: a request is system calls
 * for the most part (`docs/performance.md`).
 */
export const optimizeLate = (): void => v8.setFlagsFromString("--invocation-count-for-turbofan=30000")
