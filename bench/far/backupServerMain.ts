/**
 * `node backupServerMain.ts FOLDER [HOST]`: the double of a backup server over the datastore in a folder, on a port that it
 * prints. Who may read it is in `BackupServer`.
 */
import { Effect } from "effect"
import * as BackupServer from "../../test/support/BackupServer.ts"

const [folder = ".", host] = process.argv.slice(2)

void Effect.runPromise(
  Effect.scoped(
    Effect.gen(function* () {
      const { port } = yield* BackupServer.make(folder, host === undefined ? {} : { host })
      process.stdout.write(`${port}\n`)
      return yield* Effect.never
    }),
  ),
)
