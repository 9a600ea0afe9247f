/**
 * Where one is, as the fragment of the address: `#/REPOSITORY/path/of/a/folder`. It can be bookmarked and sent to somebody
 * who may look too; what is in a fragment is not sent to any server.
 */
import { useEffect, useState } from "preact/hooks"

export interface Route {
  /** Empty where nothing is chosen yet. */
  readonly repository: string
  /** With a slash before it, and none behind. */
  readonly path: string
}

/** Reads a fragment. */
export const parse = (fragment: string): Route => {
  const [repository = "", ...names] = fragment.replace(/^#\/?/, "").split("/").map(decode)
  return { repository, path: `/${names.filter((name) => name !== "").join("/")}` }
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The fragment of a place. */
export const format = ({ path, repository }: Route): string => `#/${[repository, ...names(path)].map(encode).join("/")}`

/** What needs no encoding in a fragment stays readable. */
const encode = (name: string): string => encodeURIComponent(name).replace(/%(?:3A|40|2C|2B|3D)/g, decodeURIComponent)

export const names = (path: string): ReadonlyArray<string> => path.split("/").filter((name) => name !== "")

export const join = (folder: string, name: string): string => (folder === "/" ? `/${name}` : `${folder}/${name}`)

export const parent = (path: string): string => path.slice(0, path.lastIndexOf("/")) || "/"

export const lastName = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

/** Where a link leads that stands in a folder. */
export const resolve = (folder: string, target: string): string => {
  const all: Array<string> = target.startsWith("/") ? [] : [...names(folder)]
  for (const name of target.split("/")) {
    if (name === "..") all.pop()
    else if (name !== "" && name !== ".") all.push(name)
  }
  return `/${all.join("/")}`
}

/** Goes there. */
export const go = (route: Route, replace = false): void => {
  const fragment = format(route)
  if (fragment === location.hash) return
  if (!replace) location.hash = fragment
  else {
    history.replaceState(null, "", fragment)
    dispatchEvent(new HashChangeEvent("hashchange"))
  }
}

/** Where one is. */
export const useRoute = (): Route => {
  const [route, setRoute] = useState(() => parse(location.hash))
  useEffect(() => {
    const follow = (): void => setRoute(parse(location.hash))
    addEventListener("hashchange", follow)
    // It may have changed before somebody listened.
    follow()
    return () => removeEventListener("hashchange", follow)
  }, [])
  return route
}
