/**
 * What a session has done, in numbers.
 */
import * as Errno from "../../domain/Errno.ts"
import * as Operation from "../wire/Operation.ts"

/** A snapshot. */
export interface Counters {
  /** Requests by operation; `UNKNOWN` for opcodes that are not in the table. Only those above zero. */
  readonly requests: Readonly<Record<string, number>>
  /** Replies that the kernel took, and those it no longer waited for. */
  readonly delivered: number
  readonly abandoned: number
  /** Replies that said that something is wrong (`isTrouble`): an answer such as "no such name" is none. */
  readonly errors: number
}

const TROUBLE: ReadonlySet<number> = new Set(
  [Errno.EIO, Errno.ELOOP, Errno.EPROTO, Errno.EILSEQ].map(({ code }) => code),
)

/**
 * Whether an errno, positive or 0, says that something is wrong with the archive, its source, the protocol or this program.
 * Others are answers: no such name or attribute, not carried out, not allowed, interrupted.
 */
const isTrouble = (errno: number): boolean => TROUBLE.has(errno)

export class CounterSet {
  private readonly requests = new Map<number, number>()
  delivered = 0
  abandoned = 0
  errors = 0

  /** Counts a request. */
  request(opcode: number): void {
    this.requests.set(opcode, (this.requests.get(opcode) ?? 0) + 1)
  }

  /** Counts a reply with this errno, positive or 0, as far as it tells of trouble. */
  reply(errno: number): void {
    if (isTrouble(errno)) this.errors++
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
