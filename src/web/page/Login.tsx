/**
 * Asks for the token or password where the link had none.
 */
import type { JSX } from "preact"
import { useState } from "preact/hooks"
import * as Client from "./Client.ts"

export const Login = ({ onDone }: { readonly onDone: () => void }): JSX.Element => {
  const [secret, setSecret] = useState("")
  const [message, setMessage] = useState("")
  const submit = (event: Event): void => {
    event.preventDefault()
    Client.login(secret.trim()).then(onDone, (error: unknown) =>
      setMessage(error instanceof Error ? error.message : String(error)),
    )
  }
  return (
    <main class="login">
      <form onSubmit={submit}>
        <h1>pxar-fuse</h1>
        <p>
          These are somebody's backups. Open the link that <code>pxar-fuse serve</code> has printed, or give its token
          or password.
        </p>
        <label for="secret">Token or password</label>
        <input
          id="secret"
          type="password"
          autocomplete="current-password"
          autofocus
          required
          value={secret}
          onInput={({ currentTarget }) => setSecret(currentTarget.value)}
        />
        <p class="problem" role="alert">
          {message}
        </p>
        <button type="submit" class="primary">
          Look at the backups
        </button>
      </form>
    </main>
  )
}
