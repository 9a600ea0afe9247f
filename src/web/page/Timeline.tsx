/**
 * The backups of a group in the order of time, each as high as it is large: one stays in the folder and moves through time.
 */
import type { JSX } from "preact"
import type { Json } from "./Client.ts"
import * as Format from "./Format.ts"
import { Icon } from "./Icons.tsx"

interface Props {
  /** The oldest first. */
  readonly backups: ReadonlyArray<Json.BackupJson>
  readonly current: number
  readonly marksChanges: boolean
  readonly onMove: (index: number) => void
  readonly onMarkChanges: (on: boolean) => void
}

/** Most bars that are drawn: more than a screen has room for. */
const MAX_BARS = 400

export const Timeline = ({ backups, current, marksChanges, onMarkChanges, onMove }: Props): JSX.Element => {
  const backup = backups[current]
  const last = backups.length - 1
  return (
    <section class="timeline" aria-label="Time">
      <button
        type="button"
        class="quiet"
        disabled={current === 0}
        aria-label="The backup before"
        title="The backup before  ["
        onClick={() => onMove(current - 1)}
      >
        <Icon name="earlier" />
      </button>
      <div class="track">
        <Bars backups={backups} current={current} />
        <input
          type="range"
          min={0}
          max={last}
          value={current}
          aria-label="Backup"
          aria-valuetext={backup === undefined ? "" : Format.backupTime(backup.time)}
          onInput={({ currentTarget }) => onMove(Number(currentTarget.value))}
        />
      </div>
      <button
        type="button"
        class="quiet"
        disabled={current === last}
        aria-label="The backup after"
        title="The backup after  ]"
        onClick={() => onMove(current + 1)}
      >
        <Icon name="later" />
      </button>
      <div class="when">
        <strong>{backup === undefined ? "" : Format.backupTime(backup.time)}</strong>
        <span>
          {current + 1} of {backups.length}
        </span>
      </div>
      <label class="switch">
        <input
          type="checkbox"
          checked={marksChanges}
          disabled={current === 0}
          onChange={({ currentTarget }) => onMarkChanges(currentTarget.checked)}
        />
        Mark changes
      </label>
    </section>
  )
}

/**
 * Sizes as a picture. `current`: they are spread over a slider, each above its place there, and that one stands out.
 */
export const Bars = ({
  backups,
  current,
}: {
  readonly backups: ReadonlyArray<Json.BackupJson>
  readonly current?: number
}): JSX.Element => {
  const step = Math.max(1, Math.ceil(backups.length / MAX_BARS))
  const largest = Math.max(1, ...backups.map(({ details }) => details?.size ?? 0))
  return (
    <div class={`bars${current === undefined ? "" : " spread"}`} aria-hidden="true">
      {backups.map((backup, index) => {
        const isCurrent = index === current
        if (index % step !== 0 && !isCurrent) return null
        const state = backup.details?.state ?? "finished"
        const height = `${12 + (88 * (backup.details?.size ?? 0)) / largest}%`
        const left = current === undefined ? undefined : `${(100 * index) / Math.max(1, backups.length - 1)}%`
        return (
          <i
            key={backup.path}
            class={`${isCurrent ? "current " : ""}${state}`}
            style={left === undefined ? { height } : { height, left }}
          />
        )
      })}
    </div>
  )
}
