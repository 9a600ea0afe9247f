/**
 * The repository that the environment names, for addresses that begin with `::` (server §2): `PBS_REPOSITORY`, the same with
 * `_FD`, `_FILE` or `_CMD`, a credential of systemd, or its parts in variables of their own.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as RepositoryString from "../../domain/datastore/RepositoryString.ts"
import * as ExitCode from "../ExitCode.ts"
import * as Secret from "../Secret.ts"

type Variables = Readonly<Record<string, string | undefined>>

/** The variables, with the repository in `PBS_REPOSITORY` wherever it was. */
export const complete = (env: Variables): Effect.Effect<Variables, ExitCode.Usage> =>
  Effect.mapBoth(Secret.find({ variable: "PBS_REPOSITORY", credential: "proxmox-backup-client.repository" }), {
    onSuccess: (found) => ({
      ...env,
      PBS_REPOSITORY: found === undefined ? fromParts(env) : Redacted.value(found).trim(),
    }),
    onFailure: ({ detail, place }) => new ExitCode.Usage({ detail: `${place}: ${detail("repository")}` }),
  })

const fromParts = (env: Variables): string | undefined => {
  const datastore = env["PBS_DATASTORE"]
  if (datastore === undefined || datastore === "") return undefined
  const { authId, host, port } = RepositoryString.defaults
  return `${env["PBS_AUTH_ID"] || authId}@${env["PBS_SERVER"] || host}:${env["PBS_PORT"] || port}:${datastore}`
}
