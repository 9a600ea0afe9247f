/**
 * The requests of a mount and its replies, in numbers and words.
 */
import type * as Mount from "../../fuse/Mount.ts"
import * as Progress from "../Progress.ts"

/** How many of each operation. */
type Requests = Mount.Counters["requests"]

export const total = (requests: Requests): number => Object.values(requests).reduce((sum, count) => sum + count, 0)

/** The operations, the most frequent first. */
export const operations = (requests: Requests): string =>
  Object.entries(requests)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ")

export const replies = ({
  abandoned,
  delivered,
  errors,
}: Pick<Mount.Counters, "abandoned" | "delivered" | "errors">): string =>
  `${Progress.formatCount(delivered, "reply", "replies")}, ${abandoned} not wanted any more, ${Progress.formatCount(errors, "error")}`
