/**
 * The backups of a repository, and where in time a path is.
 */
import { useEffect, useMemo, useState } from "preact/hooks"
import * as Client from "./Client.ts"

export interface Time {
  /** All of the repository. */
  readonly backups: ReadonlyArray<Client.Json.BackupJson>
  /** Those of the group that the path is in, the oldest first; none if it is in no backup. */
  readonly members: ReadonlyArray<Client.Json.BackupJson>
  /** Number of the one that the path is in; -1 if it is in none. */
  readonly current: number
  /** The same path in another backup of the group. */
  readonly moved: (to: Client.Json.BackupJson) => string
}

export const useBackups = (repository: string, isDatastore: boolean, path: string, turn: number): Time => {
  const [backups, setBackups] = useState<ReadonlyArray<Client.Json.BackupJson>>([])
  useEffect(() => {
    let isWanted = true
    setBackups([])
    if (!isDatastore) return
    // Names come first: manifests take as long as there are backups.
    void (async () => {
      for (const details of [false, true]) {
        const found = await Client.backups(repository, details)
        if (isWanted) setBackups(found)
      }
    })().catch(() => {})
    return () => {
      isWanted = false
    }
  }, [repository, isDatastore, turn])
  return useMemo(() => {
    const own = backups.find((backup) => path === backup.path || path.startsWith(`${backup.path}/`))
    const members = own === undefined ? [] : backups.filter(({ group }) => group === own.group)
    return {
      backups,
      members,
      current: own === undefined ? -1 : members.indexOf(own),
      moved: (to) => (own === undefined ? path : to.path + path.slice(own.path.length)),
    }
  }, [backups, path])
}
