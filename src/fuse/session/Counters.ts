/**
 * What a session has done, in numbers.
 */
import * as Operation from "../wire/Operation.ts"

/** A snapshot. */
export interface Counters {
  /** Requests by operation; `UNKNOWN` for opcodes that are not in the table. Only those above zero. */
  readonly requests: Readonly<Record<string, number>>
  /** Replies that the kernel took, and those it no longer waited for. */
  readonly delivered: number
  readonly abandoned: number
  /** Replies that carried an errno. */
  readonly errors: number
}

export class CounterSet {
  private readonly requests = new Map<number, number>()
  delivered = 0
  abandoned = 0
  errors = 0

  /** Counts a request. */
  request(opcode: number): void {
    this.requests.set(opcode, (this.requests.get(opcode) ?? 0) + 1)
  }

  snapshot(): Counters {
    const requests: Record<string, number> = {}
    for (const [opcode, count] of this.requests) {
      const name = Operation.fromOpcode(opcode)?.name ?? "UNKNOWN"
      requests[name] = (requests[name] ?? 0) + count
    }
    return { requests, delivered: this.delivered, abandoned: this.abandoned, errors: this.errors }
  }
}
