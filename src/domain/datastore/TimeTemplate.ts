/**
 * Names of backups made of their times: for file systems and programs that do not take a colon, or as people like them.
 */
import * as SnapshotId from "./SnapshotId.ts"

/** Text with `%Y`, `%m`, `%d`, `%H`, `%M`, `%S` and `%s` (seconds since the epoch) for parts of the time, which is UTC. */
export type TimeTemplate = string

/** As on disk, without the colons. */
export const PLAIN: TimeTemplate = "%Y-%m-%dT%H%M%SZ"

/** Whether a text is a template that gives names. */
export const isTemplate = (text: string): boolean =>
  /%[YmdHMSs]/.test(text) && !/%(?![YmdHMSs])/.test(text) && !text.includes("/") && text.length <= 100

/** The name of a time. */
export const format = (template: TimeTemplate, time: string): string => {
  const [year, month, day, hour, minute, second] = time.split(/[-T:Z]/) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  const parts: Readonly<Record<string, string>> = {
    Y: year,
    m: month,
    d: day,
    H: hour,
    M: minute,
    S: second,
    s: String(SnapshotId.toEpoch(time)),
  }
  return template.replaceAll(/%([YmdHMSs])/g, (_, part: string) => parts[part] as string)
}

/** The names of backups; where a template gives one name twice the later ones are called as on disk. */
export const names = (
  template: TimeTemplate | undefined,
  ids: ReadonlyArray<SnapshotId.SnapshotId>,
): ReadonlyArray<{ readonly id: SnapshotId.SnapshotId; readonly name: string }> => {
  const taken = new Set<string>()
  return ids.map((id) => {
    const wished = template === undefined ? id.time : format(template, id.time)
    const name = taken.has(wished) ? id.time : wished
    taken.add(name)
    return { id, name }
  })
}
