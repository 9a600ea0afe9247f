/**
 * Asks the server. Whatever it refuses is a `Refused`, with a sentence for people.
 */
import type * as Json from "../../domain/json/WebJson.ts"

export type { Json }

/** Why there is no result. */
export class Refused extends Error {
  readonly status: number
  readonly id: string
  constructor(status: number, id: string, message: string) {
    super(message)
    this.status = status
    this.id = id
  }
}

const API = "/api/v1"

const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
  let response: Response
  try {
    response = await fetch(API + path, { ...init, credentials: "same-origin" })
  } catch (error) {
    if (init.signal?.aborted === true) throw error
    throw new Refused(0, "", "The server does not answer. Is pxar-fuse serve still running?")
  }
  if (response.ok) return response
  let told: { readonly id?: unknown; readonly message?: unknown } = {}
  try {
    told = (await response.json()) as typeof told
  } catch {
    // Without words of the server its status is all there is.
  }
  throw new Refused(
    response.status,
    typeof told.id === "string" ? told.id : "",
    typeof told.message === "string" ? told.message : `The server answers ${response.status}.`,
  )
}

const get = async <A>(path: string, signal?: AbortSignal): Promise<A> =>
  (await (await ask(path, signal === undefined ? {} : { signal })).json()) as A

const post = (path: string, body: unknown): Promise<Response> =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })

type Query = Readonly<Record<string, string | number | undefined>>

const within = (repository: string, what: string, query: Query = {}): string => {
  const given = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]))
  const text = new URLSearchParams(given).toString()
  return `/repositories/${encodeURIComponent(repository)}/${what}${text === "" ? "" : `?${text}`}`
}

export const login = (secret: string): Promise<Response> => post("/session", { secret })

export const logout = (): Promise<Response> => ask("/session", { method: "DELETE" })

export const server = (): Promise<Json.ServerJson> => get("/server")

export const backups = (repository: string, details: boolean): Promise<ReadonlyArray<Json.BackupJson>> =>
  get(within(repository, "backups", { details: String(details) }))

export const stats = (repository: string, group: string, signal: AbortSignal): Promise<Json.GroupStatsJson> =>
  get(within(repository, "stats", { group }), signal)

export const folder = (repository: string, query: Query, signal: AbortSignal): Promise<Json.FolderJson> =>
  get(within(repository, "folder", query), signal)

export const entry = (repository: string, path: string, signal?: AbortSignal): Promise<Json.DetailsJson> =>
  get(within(repository, "entry", { path }), signal)

export const versions = (
  repository: string,
  path: string,
  signal: AbortSignal,
): Promise<ReadonlyArray<Json.VersionJson>> => get(within(repository, "versions", { path }), signal)

export const diff = (repository: string, older: string, newer: string): Promise<Json.TextDiffJson> =>
  get(within(repository, "diff", { old: older, new: newer }))

/** Where a file can be shown from, or saved. */
export const contentUrl = (repository: string, path: string, inline: boolean): string =>
  API + within(repository, "content", { path, inline: inline ? "true" : undefined })

/** Bytes of a file; fewer at its end. */
export const bytes = async (
  repository: string,
  path: string,
  start: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> => {
  const headers = { range: `bytes=${start}-${start + length - 1}` }
  const response = await ask(within(repository, "content", { path, inline: "true" }), { headers, signal })
  return new Uint8Array(await response.arrayBuffer())
}

/** What a search finds, as it goes. */
export const search = async (
  repository: string,
  path: string,
  text: string,
  signal: AbortSignal,
  onStep: (step: Json.SearchJson) => void,
): Promise<void> => {
  const response = await ask(within(repository, "search", { path, text }), { signal })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ""
  for (;;) {
    const part = await reader?.read()
    if (part === undefined || part.done) return
    const lines = (rest + part.value).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) if (line !== "") onStep(JSON.parse(line) as Json.SearchJson)
  }
}

export const unlock = async (passphrase: string, keyFile: string | undefined): Promise<number> => {
  const body = keyFile === undefined ? { passphrase } : { passphrase, key_file: keyFile }
  return ((await (await post("/keys", body)).json()) as { readonly unlocked: number }).unlocked
}

export const startExport = async (repository: string, request: Json.ExportRequest): Promise<Json.JobJson> =>
  (await (await post(within(repository, "exports"), request)).json()) as Json.JobJson

export const startRestore = async (repository: string, request: Json.RestoreRequest): Promise<Json.JobJson> =>
  (await (await post(within(repository, "restores"), request)).json()) as Json.JobJson

export const downloadUrl = (job: string): string => `${API}/jobs/${job}/content`

export const cancel = (job: string): Promise<Response> => ask(`/jobs/${job}`, { method: "DELETE" })

export const hasEnded = ({ state }: Json.JobJson): boolean => state !== "running" && state !== "waiting"

/** Tells how a job goes until it has ended; the result ends the telling. */
export const watch = (job: string, onState: (state: Json.JobJson) => void): (() => void) => {
  const events = new EventSource(`${API}/jobs/${job}/events`)
  events.addEventListener("message", ({ data }) => {
    const state = JSON.parse(data as string) as Json.JobJson
    onState(state)
    if (hasEnded(state)) events.close()
  })
  return () => events.close()
}
