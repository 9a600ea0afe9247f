/**
 * Memory of commands that open an archive, which most of them walk through, and of mounts, whose users do.
 */
import * as v8 from "node:v8"

/**
 * Keeps V8's young generation at the size it has. All that a walk makes is short-lived; V8 takes what happens to be alive
 * for a reason to grow, up to 100 MB, and is no faster for it.
 */
export const keepYoungGenerationSmall = (): void => v8.setFlagsFromString("--semi-space-growth-factor=1")
