/**
 * Reads pieces of files of a mount at random and compares them with the archive's own bytes. A program for
 * `Posix.test.ts` and the soak, which start several at once.
 *
 * Arguments: what to read as JSON, see `Job`. Prints the number of pieces that were right; ends with 1 at the first
 * that is not.
 */
import * as fs from "node:fs"
import * as Random from "./Random.ts"

export interface Job {
  readonly seed: number
  readonly reads: number
  /** A file, where its bytes stand in another, and how many there are. */
  readonly files: ReadonlyArray<{
    readonly file: string
    readonly of: string
    readonly at: number
    readonly size: number
  }>
}

const { files, reads, seed } = JSON.parse(process.argv[2] ?? "{}") as Job
const random = Random.make(seed)
const opened = files.map(({ at, file, of, size }) => ({
  at,
  size,
  file,
  descriptor: fs.openSync(file, "r"),
  oracle: fs.openSync(of, "r"),
}))

for (let count = 0; count < reads; count++) {
  const { at, descriptor, file, oracle, size } = random.pick(opened)
  const offset = random.below(size + 10)
  const length = 1 + random.below(random.once(4) ? 300_000 : 5000)
  const [seen, expected] = [Buffer.alloc(length), Buffer.alloc(Math.max(0, Math.min(length, size - offset)))]
  const got = fs.readSync(descriptor, seen, 0, length, offset)
  if (expected.length > 0) fs.readSync(oracle, expected, 0, expected.length, at + offset)
  if (got !== expected.length || !seen.subarray(0, got).equals(expected)) {
    process.stderr.write(`${file}: ${length} bytes at ${offset}: ${got} bytes, not those of the archive\n`)
    process.exitCode = 1
    break
  }
}
if (process.exitCode === undefined) process.stdout.write(String(reads))
