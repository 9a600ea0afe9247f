/**
 * `pxar-fuse doctor [ADDRESS]`: what of this machine, or of a place with backups, keeps this program from working.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Option from "effect/Option"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"

const parameters = {
  address: Argument.String("archive").pipe(
    Argument.withDescription("An archive or a datastore to look at too"),
    Argument.optional,
    Argument.map(Option.getOrUndefined),
  ),
  json: Parameters.json,
  ...RepositoryFlags.flags,
  ...Parameters.messages,
}

export const command = Command.make(
  "doctor",
  parameters,
  Lazy.handler(() => import("./DoctorHandler.ts")),
).pipe(
  Command.withDescription("Look for what keeps this program from working here, and say what to do"),
  Command.withExamples([
    { command: "pxar-fuse doctor", description: "Can this machine mount archives?" },
    { command: "pxar-fuse doctor /mnt/datastore", description: "Can these backups be opened?" },
  ]),
)
