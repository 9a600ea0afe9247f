/**
 * Asks for the passphrase of a key, once: the process keeps the key in its memory.
 */
import type { JSX } from "preact"
import { useState } from "preact/hooks"
import * as Client from "./Client.ts"
import { Dialog } from "./Dialog.tsx"

interface Props {
  readonly keys: Client.Json.ServerJson["keys"]
  readonly onDone: () => void
  readonly onClose: () => void
}

export const Unlock = ({ keys, onClose, onDone }: Props): JSX.Element => {
  const [passphrase, setPassphrase] = useState("")
  const [file, setFile] = useState<string>()
  const [message, setMessage] = useState("")
  const locked = keys.filter(({ locked }) => locked)
  const submit = (event: Event): void => {
    event.preventDefault()
    setMessage("")
    Client.unlock(passphrase, file).then(
      (count) => (count > 0 ? onDone() : setMessage("No key is locked here. Choose the key file of these backups.")),
      (error: Error) => setMessage(error.message),
    )
  }
  return (
    <Dialog title="Unlock a key" onClose={onClose}>
      <form onSubmit={submit}>
        <p>
          Encrypted backups can be read when their key is at hand. It stays in the memory of the process and is written
          nowhere.
        </p>
        {locked.map(({ hint, path }) => (
          <p key={path}>
            <code>{path}</code> is locked{hint === undefined ? "" : `. Hint: ${hint}`}
          </p>
        ))}
        <label for="passphrase">Passphrase</label>
        <input
          id="passphrase"
          type="password"
          autocomplete="off"
          autofocus
          value={passphrase}
          onInput={({ currentTarget }) => setPassphrase(currentTarget.value)}
        />
        <label for="key-file">Another key file</label>
        <input
          id="key-file"
          type="file"
          onChange={({ currentTarget }) => {
            const [chosen] = currentTarget.files ?? []
            if (chosen === undefined) setFile(undefined)
            else chosen.text().then(setFile, () => setMessage("The file cannot be read."))
          }}
        />
        <p class="problem" role="alert">
          {message}
        </p>
        <footer>
          <button type="submit" class="primary">
            Unlock
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
