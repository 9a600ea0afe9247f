/**
 * The page. The token of the link is traded for a session at once, and taken out of the address, so that it stays in no
 * history and on no screenshot.
 */
import { type JSX, render } from "preact"
import { useEffect, useState } from "preact/hooks"
import { Browser } from "./Browser.tsx"
import * as Client from "./Client.ts"
import { Login } from "./Login.tsx"
import * as Route from "./Route.ts"

/** The token of the link. */
let token: string | undefined

/** Takes it out of the address, if it is there. */
const takeToken = (): boolean => {
  const [, found] = /^#token=([\w-]+)$/.exec(location.hash) ?? []
  if (found === undefined) return false
  token = found
  history.replaceState(null, "", location.pathname)
  return true
}

// Before anything else is done.
takeToken()

/** What is known of the server; `"login"` if it wants to know who asks. */
type Known = Client.Json.ServerJson | "login" | Error | undefined

const begin = async (): Promise<Known> => {
  if (token !== undefined) {
    const given = token
    token = undefined
    await Client.login(given).catch(() => undefined)
  }
  try {
    const server = await Client.server()
    const [first] = server.repositories
    const route = Route.parse(location.hash)
    const isKnown = server.repositories.some(({ id }) => id === route.repository)
    if (!isKnown && first !== undefined) Route.go({ repository: first.id, path: "/" }, true)
    return server
  } catch (error) {
    if (error instanceof Client.Refused && error.status === 401) return "login"
    return error instanceof Error ? error : new Error(String(error))
  }
}

const Page = (): JSX.Element => {
  const [known, setKnown] = useState<Known>()
  const start = (): void => void begin().then(setKnown)
  useEffect(() => {
    start()
    // A link that is opened where the page is already changes the address, and nothing else.
    const follow = (): void => void (takeToken() && start())
    addEventListener("hashchange", follow)
    return () => removeEventListener("hashchange", follow)
  }, [])
  if (known === undefined) return <p class="starting">…</p>
  if (known === "login") return <Login onDone={start} />
  if (known instanceof Error) {
    return (
      <main class="login">
        <section role="alert">
          <h1>pxar-fuse</h1>
          <p>{known.message}</p>
          <button type="button" class="primary" onClick={start}>
            Try again
          </button>
        </section>
      </main>
    )
  }
  return (
    <Browser server={known} onServer={start} onLeave={() => void Client.logout().finally(() => setKnown("login"))} />
  )
}

const root = document.getElementById("page")
if (root !== null) render(<Page />, root)
