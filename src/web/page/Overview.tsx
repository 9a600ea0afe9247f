/**
 * The groups of a datastore: whose backups there are, since when, and how they grow.
 */
import type { JSX } from "preact"
import type { Json } from "./Client.ts"
import * as Format from "./Format.ts"
import { Icon } from "./Icons.tsx"
import * as Route from "./Route.ts"
import { Bars } from "./Timeline.tsx"

interface Props {
  readonly repository: string
  readonly backups: ReadonlyArray<Json.BackupJson>
}

/** Backups by group, in the order in which they come. */
export const groupsOf = (
  backups: ReadonlyArray<Json.BackupJson>,
): ReadonlyMap<string, ReadonlyArray<Json.BackupJson>> => Map.groupBy(backups, ({ group }) => group)

const kinds: Readonly<Record<string, string>> = { host: "Host", ct: "Container", vm: "Virtual machine" }

export const Overview = ({ backups, repository }: Props): JSX.Element => (
  <main class="overview">
    <h1>Backups</h1>
    {backups.length === 0 ? (
      <p class="empty">There are no backups here yet.</p>
    ) : (
      <ul class="groups">
        {[...groupsOf(backups)].map(([group, members]) => (
          <li key={group}>
            <Group repository={repository} group={group} backups={members} />
          </li>
        ))}
      </ul>
    )}
  </main>
)

const Group = ({
  backups,
  group,
  repository,
}: {
  readonly repository: string
  readonly group: string
  readonly backups: ReadonlyArray<Json.BackupJson>
}): JSX.Element => {
  const finished = backups.filter(({ details }) => details?.state !== "unfinished")
  const newest = finished.at(-1) ?? backups.at(-1)
  const details = newest?.details
  const namespace = details?.namespace ?? ""
  const badges = [
    details?.state === "unreadable" ? (["damaged", "unreadable"] as const) : undefined,
    details?.files?.some(({ crypt_mode }) => crypt_mode === "encrypt") === true
      ? (["quiet", "encrypted"] as const)
      : undefined,
    details?.verified === "failed" ? (["damaged", "verification failed"] as const) : undefined,
    details?.verified === "ok" ? (["good", "verified"] as const) : undefined,
    details?.protected === true ? (["quiet", "protected"] as const) : undefined,
  ].filter((badge) => badge !== undefined)
  return (
    <a class="group" href={Route.format({ repository, path: newest?.path ?? group })}>
      <span class="group-kind">
        {kinds[details?.type ?? ""] ?? "Group"}
        {namespace === "" ? "" : ` in ${namespace}`}
      </span>
      <span class="group-name">
        <Icon name="archive" /> {details?.id ?? Route.lastName(group)}
      </span>
      <Bars backups={backups} />
      <span class="group-facts">
        {Format.counted(backups.length, "backup", "backups")}, the newest{" "}
        {newest === undefined ? "" : Format.ago(newest.time)}
        {details?.size === undefined ? "" : `, ${Format.size(details.size)}`}
      </span>
      <span class="group-badges">
        {badges.map(([tone, text]) => (
          <span key={text} class={`mark ${tone}`}>
            {text}
          </span>
        ))}
        {details?.owner === undefined ? null : <span class="owner">{details.owner}</span>}
      </span>
      {details?.notes === undefined ? null : <span class="group-notes">{details.notes.split("\n")[0]}</span>}
    </a>
  )
}
