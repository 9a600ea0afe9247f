/**
 * CPU time of other processes: user and system time of all their threads, in milliseconds.
 *
 * By the kernel's own clocks, which are exact and keep the time of threads that have ended. `/proc/PID/stat` has it in
 * steps of 10 ms, and what each thread's `schedstat` counts by the nanosecond is lost with the thread.
 */
import koffi from "koffi"

const RUSAGE_CHILDREN = -1

type GetClock = (pid: number, clock: Int32Array) => number
type GetTime = (clock: number, time: BigInt64Array) => number
type GetUsage = (who: number, usage: BigInt64Array) => number

const libc = koffi.load(null)
const clockOf = libc.func("int clock_getcpuclockid(int, int32_t *)") as unknown as GetClock
const timeOf = libc.func("int clock_gettime(int, int64_t *)") as unknown as GetTime
const usageOf = libc.func("int getrusage(int, int64_t *)") as unknown as GetUsage

/** Of a process until now; `undefined` once it has ended. */
export const ofProcess = (pid: number): number | undefined => {
  const clock = new Int32Array(1)
  const time = new BigInt64Array(2)
  if (clockOf(pid, clock) !== 0 || timeOf(clock[0] as number, time) !== 0) return undefined
  const [seconds = 0n, nanos = 0n] = time
  return Number(seconds) * 1e3 + Number(nanos) / 1e6
}

/** Of all children of this process that have ended, and of those that they have waited for. */
export const ofEndedChildren = (): number => {
  // `struct rusage`: the two times, and fourteen other numbers.
  const usage = new BigInt64Array(18)
  usageOf(RUSAGE_CHILDREN, usage)
  const [userSeconds = 0n, userMicros = 0n, systemSeconds = 0n, systemMicros = 0n] = usage
  return Number(userSeconds + systemSeconds) * 1e3 + Number(userMicros + systemMicros) / 1e3
}
