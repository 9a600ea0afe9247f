/**
 * How the backups of a group grow, as a picture: each as high as it is large, what is new in it apart from what was there
 * before. The same as a table, for those who want figures or hear the page.
 */
import type { JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import * as Client from "./Client.ts"
import * as Format from "./Format.ts"
import * as Route from "./Route.ts"

interface Props {
  readonly repository: string
  /** The folder of the group. */
  readonly group: string
  readonly onClose: () => void
}

export const Growth = ({ group, onClose, repository }: Props): JSX.Element => {
  const [stats, setStats] = useState<Client.Json.GroupStatsJson>()
  const [error, setError] = useState<Error>()
  useEffect(() => {
    const controller = new AbortController()
    setStats(undefined)
    setError(undefined)
    Client.stats(repository, group, controller.signal).then(setStats, (error: Error) => {
      if (!controller.signal.aborted) setError(error)
    })
    return () => controller.abort()
  }, [repository, group])
  return (
    <section class="growth" aria-label="Sizes over time">
      <header>
        <h2>Sizes over time</h2>
        <button type="button" class="quiet" onClick={onClose}>
          Hide
        </button>
      </header>
      {error !== undefined ? (
        <p class="problem">{error.message}</p>
      ) : stats === undefined ? (
        <p class="waiting" role="status">
          Reading the indexes of all backups…
        </p>
      ) : (
        <Figures repository={repository} stats={stats} />
      )}
    </section>
  )
}

const summary = ({ backups, distinct, size, unreadable }: Client.Json.GroupStatsJson): string => {
  const saved =
    size === 0 ? "" : `: what is the same is kept once, which saves ${Math.round(100 - (100 * distinct) / size)} %`
  const lost = unreadable === 0 ? "" : `. ${Format.counted(unreadable, "backup", "backups")} cannot be read`
  return `${Format.counted(backups.length, "backup", "backups")} of ${Format.size(size)} together, kept in ${Format.size(distinct)}${saved}${lost}.`
}

const Figures = ({
  repository,
  stats,
}: {
  readonly repository: string
  readonly stats: Client.Json.GroupStatsJson
}): JSX.Element => (
  <>
    <p role="status">{summary(stats)}</p>
    <Picture backups={stats.backups} label={summary(stats)} />
    <ul class="legend" aria-hidden="true">
      <li class="shared">there before</li>
      <li class="added">new in this backup</li>
    </ul>
    <details>
      <summary>As figures</summary>
      <div class="table" tabIndex={0} role="group" aria-label="Figures">
        <table>
          <thead>
            <tr>
              <th scope="col">Backup</th>
              <th scope="col">Size</th>
              <th scope="col">New</th>
              <th scope="col">Only there</th>
            </tr>
          </thead>
          <tbody>
            {stats.backups.toReversed().map(({ added, only, path, size, time }) => (
              <tr key={path}>
                <th scope="row">
                  <a href={Route.format({ repository, path })}>{Format.backupTime(time)}</a>
                </th>
                <td>{Format.size(size)}</td>
                <td>{Format.size(added)}</td>
                <td>{Format.size(only)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p>“Only there” is what would become free if that backup were removed. Sizes are before compression.</p>
    </details>
  </>
)

/** Height of the picture, in units of its own. */
const HEIGHT = 100

/** Most bars: each stands for several backups where there are more. */
const MAX_BARS = 300

const Picture = ({
  backups,
  label,
}: {
  readonly backups: Client.Json.GroupStatsJson["backups"]
  readonly label: string
}): JSX.Element => {
  const step = Math.ceil(backups.length / MAX_BARS)
  const shown = backups.filter((_, index) => (backups.length - 1 - index) % step === 0)
  const largest = Math.max(1, ...shown.map(({ size }) => size))
  const high = (bytes: number): number => (HEIGHT * bytes) / largest
  return (
    <figure style={{ maxWidth: `${Math.max(24, shown.length * 4)}rem` }}>
      <svg role="img" aria-label={label} viewBox={`0 0 ${shown.length} ${HEIGHT}`} preserveAspectRatio="none">
        {shown.map(({ added, path, size }, index) => (
          <g key={path}>
            <rect class="shared" x={index + 0.1} width="0.8" y={HEIGHT - high(size)} height={high(size)} />
            <rect
              class="added"
              x={index + 0.1}
              width="0.8"
              y={HEIGHT - high(size)}
              height={high(Math.min(added, size))}
            />
          </g>
        ))}
      </svg>
      <figcaption>
        <span>{Format.backupTime(shown[0]?.time ?? "")}</span>
        {shown.length > 1 ? <span>{Format.backupTime(shown.at(-1)?.time ?? "")}</span> : null}
      </figcaption>
    </figure>
  )
}
