/**
 * `node lineMain.ts PORT MILLISECONDS BYTES-A-SECOND`: a line to a server on this machine, on a port that it prints. No
 * bandwidth (0) is an unlimited one.
 */
import * as SlowLine from "../../test/support/SlowLine.ts"

const [port = 0, roundTrip = 0, bytesPerSecond = 0] = process.argv.slice(2).map(Number)
const line = await SlowLine.open(port, { roundTrip, bytesPerSecond: bytesPerSecond === 0 ? undefined : bytesPerSecond })
process.stdout.write(`${line.port}\n`)
