/**
 * What a `PROPFIND` asks for (RFC 4918 §14.20). No body asks for all.
 */
import * as Xml from "effect/encoding/Xml"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Asked, DAV } from "./Multistatus.ts"

/** Bytes of a request. */
export const MAX_SIZE = 64 * 1024

/** Properties that are asked for by name. */
const MAX_NAMES = 256

/** Reads a body. Fails if it is no such request. */
export const parse = (body: Uint8Array): Effect.Effect<Asked, Xml.XmlError | "no propfind"> => {
  if (body.length === 0) return Effect.succeed({ _tag: "All" })
  return Stream.make(body).pipe(
    Stream.pipeThroughChannel(Xml.decode({ maxDepth: 8 })),
    Stream.runCollect,
    Effect.flatMap(read),
  )
}

const read = (events: Iterable<Xml.Event>): Effect.Effect<Asked, "no propfind"> => {
  const names: Array<readonly [string, string]> = []
  /** Namespaces by prefix, of the elements that one is in. */
  const scopes: Array<ReadonlyMap<string, string>> = [new Map([["", ""]])]
  const open: Array<string> = []
  let asked: Asked | undefined
  for (const event of events) {
    if (event._tag === "EndElement") {
      scopes.pop()
      open.pop()
    }
    if (event._tag !== "StartElement") continue
    const scope = new Map(scopes.at(-1))
    for (const [name, value] of Object.entries(event.attributes)) {
      if (name === "xmlns") scope.set("", value)
      else if (name.startsWith("xmlns:")) scope.set(name.slice(6), value)
    }
    const colon = event.name.indexOf(":")
    const namespace = scope.get(colon < 0 ? "" : event.name.slice(0, colon)) ?? ""
    const local = event.name.slice(colon + 1)
    const where = open.join(" ")
    if (where === "" && (namespace !== DAV || local !== "propfind")) return Effect.fail("no propfind")
    if (where === "propfind" && namespace === DAV) {
      if (local === "allprop") asked = { _tag: "All" }
      if (local === "propname") asked = { _tag: "Names" }
      if (local === "prop") asked = { _tag: "Some", names }
    }
    if (where === "propfind prop" && names.length < MAX_NAMES) names.push([namespace, local])
    scopes.push(scope)
    open.push(local)
  }
  return asked === undefined ? Effect.fail("no propfind") : Effect.succeed(asked)
}
