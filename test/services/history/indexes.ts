/** Indexes of repositories, in files of their own. */
import * as path from "node:path"
import { Effect, Stream } from "effect"
import * as BuildIndex from "../../../src/services/history/BuildIndex.ts"
import type * as Edition from "../../../src/services/history/Edition.ts"
import * as HistoryIndex from "../../../src/services/index/HistoryIndex.ts"
import type { Repository } from "../../../src/services/repository/Repository.ts"
import * as Processes from "../../support/Processes.ts"

/** An index of a repository, or of some of its backups. */
export const of = Effect.fnUntraced(function* (repository: Repository, options: Edition.Options = {}) {
  const index = yield* HistoryIndex.openForWriting(path.join(yield* Processes.temporaryFolder, "index", "test.sqlite"))
  yield* Stream.runDrain(BuildIndex.build(repository, index, { ...options, encrypted: false }))
  return index
})
