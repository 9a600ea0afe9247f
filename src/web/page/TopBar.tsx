/**
 * Where one is: a path whose parts lead back, and that can be typed or pasted; and the search.
 */
import type { JSX } from "preact"
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"
import type { Json } from "./Client.ts"
import { Icon } from "./Icons.tsx"
import * as Route from "./Route.ts"

interface Props {
  readonly server: Json.ServerJson
  readonly route: Route.Route
  /** A number that rises when somebody wants to type a path, or to search. */
  readonly editing: number
  readonly searching: number
  readonly onSearch: (text: string) => void
  readonly onHelp: () => void
  readonly onLeave: () => void
}

export const TopBar = ({ editing, onHelp, onLeave, onSearch, route, searching, server }: Props): JSX.Element => {
  const search = useRef<HTMLInputElement>(null)
  // At once: what is typed next belongs to the field.
  useLayoutEffect(() => {
    if (searching > 0) search.current?.select()
  }, [searching])
  return (
    <header class="top">
      <a
        class="brand"
        href={Route.format({ repository: route.repository, path: "/" })}
        aria-label="pxar-fuse: to the top"
      >
        <Icon name="archive" />
      </a>
      {server.repositories.length > 1 ? (
        <select
          aria-label="What to look at"
          value={route.repository}
          onChange={({ currentTarget }) => Route.go({ repository: currentTarget.value, path: "/" })}
        >
          {server.repositories.map(({ id }) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
      ) : null}
      <Breadcrumb
        route={route}
        editing={editing}
        top={
          server.repositories.find(({ id }) => id === route.repository)?.kind === "datastore"
            ? "All backups"
            : route.repository
        }
      />
      <form
        class="search"
        role="search"
        onSubmit={(event) => {
          event.preventDefault()
          onSearch(search.current?.value ?? "")
        }}
      >
        <Icon name="search" />
        <input ref={search} type="search" aria-label="Search below this folder" placeholder="Search below  (s)" />
      </form>
      <button type="button" class="quiet" aria-label="Keys and help" title="Help  ?" onClick={onHelp}>
        <Icon name="help" />
      </button>
      <button type="button" class="quiet" aria-label="Sign out" title="Sign out" onClick={onLeave}>
        <Icon name="leave" />
      </button>
    </header>
  )
}

const Breadcrumb = ({
  editing,
  route,
  top,
}: Pick<Props, "route" | "editing"> & {
  /** What the top is called. */
  readonly top: string
}): JSX.Element => {
  const [isEdited, setEdited] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const nav = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    if (editing > 0) setEdited(true)
  }, [editing])
  useLayoutEffect(() => {
    if (isEdited) field.current?.select()
  }, [isEdited])
  useEffect(() => {
    setEdited(false)
    // The end of a long path is what matters.
    if (nav.current !== null) nav.current.scrollLeft = nav.current.scrollWidth
  }, [route.path])
  const { path, repository } = route
  if (isEdited) {
    return (
      <form
        class="path"
        onSubmit={(event) => {
          event.preventDefault()
          const typed = field.current?.value.trim() ?? ""
          setEdited(false)
          Route.go({ repository, path: Route.resolve("/", typed) })
        }}
      >
        <input
          ref={field}
          aria-label="Path"
          value={path}
          spellcheck={false}
          onBlur={() => setEdited(false)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setEdited(false)
          }}
        />
      </form>
    )
  }
  const names = Route.names(path)
  return (
    <nav class="path" aria-label="Path" ref={nav}>
      <ol>
        <li>
          <a href={Route.format({ repository, path: "/" })} aria-current={path === "/" ? "page" : undefined}>
            {top}
          </a>
        </li>
        {names.map((name, index) => {
          const at = `/${names.slice(0, index + 1).join("/")}`
          return (
            <li key={at}>
              <a
                href={Route.format({ repository, path: at })}
                aria-current={index === names.length - 1 ? "page" : undefined}
              >
                {name}
              </a>
            </li>
          )
        })}
      </ol>
      <button
        type="button"
        class="quiet edit"
        aria-label="Type or paste a path"
        title="Type or paste a path  g"
        onClick={() => setEdited(true)}
      >
        <Icon name="copy" />
      </button>
    </nav>
  )
}
