/**
 * The command line of the benchmark.
 */
import * as path from "node:path"
import { parseArgs } from "node:util"

export interface Options {
  /** Smaller trees, fewer rounds: about five minutes. */
  readonly quick: boolean
  /** Where to write the results for programs. */
  readonly json: string | undefined
  /** Run only the workloads whose name contains one of these. */
  readonly only: ReadonlyArray<string>
  /** Folder for trees, archives and mount points; trees and archives are kept there. */
  readonly directory: string
  readonly rounds: number
  /** Leave out the section in which the processes may use all cores. */
  readonly pinnedOnly: boolean
  /** `dist/cli/main.js` of another build, measured beside this one. */
  readonly against: string | undefined
}

export const usage = `npm run bench -- [OPTIONS]

  --quick         smaller trees and 3 rounds: about five minutes
  --only NAME     only workloads whose name contains NAME; can be repeated
                  (--only datastore: a datastore on this disk, beside a serial reader and the bare archive)
                  (--only far: a datastore far away, over lines of several round trips and bandwidths)
                  (--only slow: tar of such a mount with 64 MiB for chunks, over 50 ms and 100 MB/s)
                  (--only shards: verify of a datastore far away by one process, and by four)
                  (--only history: questions over many backups: a thousand of 100,000 files each)
                  (--only small-files: commands that mount nothing, beside tar, bsdtar and squashfs-tools)
                  (--only web: tar, zip and the page over HTTP, beside cat of the same files on a mount)
                  (--only start: CPU of starting, beside a Node that does nothing)
  --rounds N      rounds of every workload (default 5, with --quick 3)
  --pinned        only with everything on one core, not also free on all of them
  --json FILE     write all figures to FILE
  --dir DIR       keep trees and archives in DIR (default /var/tmp/pxar-fuse-bench; up to 15 GB)
  --against FILE  measure another build beside this one: its dist/cli/main.js
`

/** Reads the arguments; a string is what is wrong with them. */
export const parse = (args: ReadonlyArray<string>): Options | "help" | { readonly mistake: string } => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean", default: false },
        pinned: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
        json: { type: "string" },
        only: { type: "string", multiple: true, default: [] },
        dir: { type: "string", default: "/var/tmp/pxar-fuse-bench" },
        rounds: { type: "string" },
        against: { type: "string" },
      },
    })
    if (values.help) return "help"
    const rounds = Number(values.rounds ?? (values.quick ? 3 : 5))
    if (!Number.isInteger(rounds) || rounds < 1) return { mistake: "--rounds wants a whole number, 1 or more" }
    return {
      quick: values.quick,
      json: values.json,
      only: values.only,
      directory: path.resolve(values.dir),
      rounds,
      pinnedOnly: values.pinned,
      against: values.against === undefined ? undefined : path.resolve(values.against),
    }
  } catch (error) {
    return { mistake: (error as Error).message }
  }
}
