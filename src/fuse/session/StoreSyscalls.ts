/**
 * Many messages written to a descriptor with one system call, on a thread: `io_submit(2)`, which writes them one after the
 * other before it returns. By numbers, because no libc has it by name.
 *
 * The caller owns the messages; they are used until `done` is called.
 */
import * as Libc from "../../services/posix/Libc.ts"
import { MAX_MESSAGES, type Stores } from "../wire/Stores.ts"

/** Numbers of system calls; architectures newer than x86 share theirs. */
interface Numbers {
  readonly setup: number
  readonly destroy: number
  readonly events: number
  readonly submit: number
}

const shared: Numbers = { setup: 0, destroy: 1, events: 4, submit: 2 }
const numbers: Readonly<Record<string, Numbers>> = {
  x64: { setup: 206, destroy: 207, events: 208, submit: 209 },
  arm64: shared,
  riscv64: shared,
  loong64: shared,
}

/** `struct iocb` */
const IOCB = { opcode: 16, fd: 20, buffer: 24, length: 32, size: 64 } as const
const IOCB_CMD_PWRITE = 1
/** `struct io_event` */
const EVENT = { result: 16, size: 32 } as const

/** Writes all messages; `done` gets the result of each that was begun, a count or a negative errno. None were, if it is empty. */
export interface Writer {
  readonly write: (stores: Stores, done: (results: Int32Array) => void) => void
  /** Not while it writes. */
  readonly close: () => void
}

/** `undefined` where the kernel has no such calls, or does not let this process use them. */
export const open = (fd: number): Writer | undefined => {
  const call = numbers[process.arch]
  const context = new Uint8Array(8)
  if (call === undefined || Libc.ioSetup(call.setup, MAX_MESSAGES, context) < 0) return undefined
  const id = new DataView(context.buffer).getBigUint64(0, true)
  const memory = new Uint8Array(MAX_MESSAGES * (IOCB.size + 8))
  const view = new DataView(memory.buffer)
  const pointers = memory.subarray(MAX_MESSAGES * IOCB.size)
  const address = Libc.koffi().address(memory)
  for (let index = 0; index < MAX_MESSAGES; index++) {
    const at = index * IOCB.size
    view.setUint16(at + IOCB.opcode, IOCB_CMD_PWRITE, true)
    view.setUint32(at + IOCB.fd, fd, true)
    view.setBigUint64(MAX_MESSAGES * IOCB.size + index * 8, address + BigInt(at), true)
  }
  const events = new Uint8Array(MAX_MESSAGES * EVENT.size)
  const eventView = new DataView(events.buffer)
  const results = new Int32Array(MAX_MESSAGES)

  const collect = (begun: number): Int32Array => {
    const count = begun <= 0 ? 0 : Math.max(0, Libc.ioEvents(call.events, id, begun, events))
    for (let index = 0; index < count; index++) {
      results[index] = eventView.getInt32(index * EVENT.size + EVENT.result, true)
    }
    return results.subarray(0, count)
  }

  return {
    write: ({ count, lengths, memory, starts }, done) => {
      const base = Libc.koffi().address(memory)
      for (let index = 0; index < count; index++) {
        const at = index * IOCB.size
        view.setBigUint64(at + IOCB.buffer, base + BigInt(starts[index] as number), true)
        view.setUint32(at + IOCB.length, lengths[index] as number, true)
      }
      Libc.ioSubmit(call.submit, id, count, pointers, (_, begun) => done(collect(begun)))
    },
    close: () => void Libc.ioDestroy(call.destroy, id),
  }
}
