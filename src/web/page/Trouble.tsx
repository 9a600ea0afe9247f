/**
 * What cannot be shown, in its place, with what can be done.
 */
import type { JSX } from "preact"
import { type Json, Refused } from "./Client.ts"

interface Props {
  readonly error: Error
  readonly isInTime: boolean
  readonly keys: Json.ServerJson["keys"]
  readonly onUnlock: () => void
  readonly onUp: () => void
}

export const Trouble = ({ error, isInTime, keys, onUnlock, onUp }: Props): JSX.Element => {
  const { id, status } = error instanceof Refused ? error : { id: "", status: 0 }
  const wantsKey = /\bkey\b|encrypted/.test(error.message) || keys.some(({ locked }) => locked)
  return (
    <section class="trouble" role="alert">
      <h2>
        {status === 404
          ? isInTime
            ? "Not in this backup"
            : "Not there"
          : wantsKey
            ? "This needs a key"
            : "This cannot be read"}
      </h2>
      {wantsKey && status !== 404 ? (
        <p>It is encrypted, and no key that is at hand opens it. Give the passphrase of the key, or the key itself.</p>
      ) : null}
      <p class={wantsKey && status !== 404 ? "id" : ""}>{error.message}</p>
      {status === 404 && isInTime ? <p>Move through time above: it may be in another one.</p> : null}
      {id === "" ? null : <p class="id">{id}</p>}
      <div class="actions">
        {wantsKey && status !== 404 ? (
          <button type="button" class="primary" onClick={onUnlock}>
            Unlock a key…
          </button>
        ) : null}
        <button type="button" onClick={onUp}>
          To the folder above
        </button>
      </div>
    </section>
  )
}
