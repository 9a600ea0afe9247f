/**
 * `pxar-fuse verify ARCHIVE`: checks all of an archive. One line a finding, then the verdict, which is also the exit code.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { handlers } from "../fast/Handlers.ts"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"

const parseShard = (text: string): Option.Option<{ readonly index: number; readonly count: number }> => {
  const [, index, count] = /^(\d{1,5})\/(\d{1,5})$/.exec(text)?.map(Number) ?? []
  return index === undefined || count === undefined || index < 1 || index > count || count > 65_536
    ? Option.none()
    : Option.some({ index, count })
}

const parameters = {
  archive: Parameters.archive,
  payload: Parameters.payload,
  ...RepositoryFlags.flags,
  filters: Argument.String("filter").pipe(
    Argument.withDescription("Of a datastore: only these backups, as for snapshots"),
    Argument.variadic(),
  ),
  jobs: Flag.Int("jobs").pipe(
    Flag.withDescription("Of a datastore: chunks checked at once (default: 4, 16 of what is far away)"),
    Flag.withMetavar("NUMBER"),
    Flag.filterMap(
      (jobs) => (jobs >= 1 && jobs <= 64 ? Option.some(jobs) : Option.none()),
      () => "a number from 1 to 64",
    ),
    Parameters.optional,
  ),
  shard: Flag.String("shard").pipe(
    Flag.withDescription("Of a datastore: the part 3/16 of its chunks; what is in no chunk is in the first part"),
    Flag.withMetavar("N/COUNT"),
    Flag.filterMap(parseShard, () => "a part like 3/16"),
    Parameters.optional,
  ),
  state: Flag.String("state").pipe(
    Flag.withDescription("Of a datastore: remember good chunks in this file, and leave out those in it"),
    Flag.withMetavar("FILE"),
    Parameters.optional,
  ),
  data: Parameters.flag("data", "Read the contents of all files too"),
  json: Parameters.json,
  ...Parameters.reporting,
}

export const command = Command.make("verify", parameters, Lazy.handler(handlers.verify)).pipe(
  Command.withDescription("Check an archive from one end to the other, or a datastore"),
  Command.withExamples([
    { command: "pxar-fuse verify root.pxar", description: "Check structure and metadata" },
    { command: "pxar-fuse verify --data root.mpxar", description: "Read all contents too" },
    { command: "pxar-fuse verify /mnt/datastore", description: "Check every chunk once" },
  ]),
)
