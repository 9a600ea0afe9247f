/** What is said where a datastore was wanted and there is none. */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import { datastoreBelow } from "../../services/disk/DatastoreBelow.ts"
import * as ExitCode from "../ExitCode.ts"

/** Fails, with what is there instead. The address leads to this machine's files, or to a file on the web. */
export const noDatastore = Effect.fnUntraced(function* (address: string): Effect.fn.Return<never, ExitCode.Usage> {
  const [folder = ""] = address.split("::")
  if (/^https?:/i.test(folder)) {
    return yield* new ExitCode.Usage({ detail: `${folder}: the address of a datastore on the web ends with a slash` })
  }
  if (!fs.existsSync(folder)) return yield* new ExitCode.Usage({ detail: `${folder}: there is no such folder` })
  const below = yield* datastoreBelow(folder)
  const hint = below === undefined ? "" : `; ${below} has one`
  return yield* new ExitCode.Usage({ detail: `${address}: is no datastore: it has no folder .chunks${hint}` })
})
