/**
 * What `PROPFIND` answers (RFC 4918 §9.1): the properties of a folder or file, and of what is in it, as XML that is written
 * while the folder is read. Pure.
 */
import type { Event } from "effect/encoding/Xml"

/** The properties that there are; whatever else is asked for is said not to be there. */
export const NAMES = [
  "resourcetype",
  "displayname",
  "getcontentlength",
  "getcontenttype",
  "getetag",
  "getlastmodified",
  "creationdate",
  "supportedlock",
  "lockdiscovery",
] as const

export type Name = (typeof NAMES)[number]

/** What is asked for. */
export type Asked =
  | { readonly _tag: "All" }
  /** Names without values. */
  | { readonly _tag: "Names" }
  /** Names, each with its namespace. */
  | { readonly _tag: "Some"; readonly names: ReadonlyArray<readonly [namespace: string, name: string]> }

/** A folder or a file. */
export interface Resource {
  /** Path of its URL. */
  readonly href: string
  readonly isFolder: boolean
  /** Values as text; what is not there is no property of it. */
  readonly values: Readonly<Partial<Record<Name, string>>>
}

export const DAV = "DAV:"

const start = (name: string, attributes: ReadonlyArray<readonly [string, string]> = []): Event => ({
  _tag: "StartElement",
  name,
  attributes: Object.fromEntries(attributes),
})
const end = (name: string): Event => ({ _tag: "EndElement", name })

const element = (name: string, ...children: ReadonlyArray<Event>): ReadonlyArray<Event> => [
  start(name),
  ...children,
  end(name),
]

const text = (value: string): ReadonlyArray<Event> => (value === "" ? [] : [{ _tag: "Text", text: value }])

/** Before the first resource. */
export const head: ReadonlyArray<Event> = [
  { _tag: "Declaration", version: "1.0", encoding: "utf-8" },
  start("D:multistatus", [["xmlns:D", DAV]]),
]

/** Behind the last. */
export const tail: ReadonlyArray<Event> = [end("D:multistatus")]

/** A resource. */
export const response = (resource: Resource, asked: Asked): ReadonlyArray<Event> => {
  const there = NAMES.filter((name) => resource.values[name] !== undefined)
  const wanted =
    asked._tag === "Some"
      ? there.filter((name) => asked.names.some(([namespace, other]) => namespace === DAV && other === name))
      : there
  const absent =
    asked._tag === "Some"
      ? asked.names.filter(([namespace, name]) => namespace !== DAV || !there.some((other) => other === name))
      : []
  return element(
    "D:response",
    ...element("D:href", ...text(resource.href)),
    ...(wanted.length === 0 && absent.length > 0
      ? []
      : status(
          "HTTP/1.1 200 OK",
          wanted.flatMap((name) => property(name, resource, asked)),
        )),
    ...(absent.length === 0 ? [] : status("HTTP/1.1 404 Not Found", absent.flatMap(missing))),
  )
}

const status = (line: string, properties: ReadonlyArray<Event>): ReadonlyArray<Event> =>
  element("D:propstat", ...element("D:prop", ...properties), ...element("D:status", ...text(line)))

const property = (name: Name, { isFolder, values }: Resource, asked: Asked): ReadonlyArray<Event> => {
  if (asked._tag === "Names") return element(`D:${name}`)
  if (name === "resourcetype") return element("D:resourcetype", ...(isFolder ? element("D:collection") : []))
  return element(`D:${name}`, ...text(values[name] ?? ""))
}

/** Of a namespace of somebody else's. */
const missing = ([namespace, name]: readonly [string, string]): ReadonlyArray<Event> =>
  namespace === DAV
    ? element(`D:${name}`)
    : namespace === ""
      ? element(name)
      : [start(`X:${name}`, [["xmlns:X", namespace]]), end(`X:${name}`)]
