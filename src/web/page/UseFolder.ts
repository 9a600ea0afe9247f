/**
 * The rows of a folder, loaded where somebody looks, in pages.
 */
import { useEffect, useReducer, useRef } from "preact/hooks"
import * as Client from "./Client.ts"

/** What is asked for. */
export interface Wanted {
  readonly repository: string
  readonly path: string
  readonly sort: "name" | "size" | "time" | "kind"
  readonly descending: boolean
  readonly filter: string
  /** The folder that changes are told against. */
  readonly compare: string | undefined
}

export interface Folder {
  readonly state: "loading" | "ready" | "failed"
  readonly total: number
  /** Rows, those that are gone at the end. */
  readonly count: number
  readonly problem: string | undefined
  readonly error: Client.Refused | undefined
  /** `undefined` while it is loaded. */
  readonly row: (index: number) => Client.Json.RowJson | undefined
  /** Loads what is not there yet of a range. */
  readonly want: (first: number, last: number) => void
}

/** Rows of a page. */
const PAGE = 200

interface Loaded {
  readonly key: string
  readonly controller: AbortController
  readonly pages: Map<number, ReadonlyArray<Client.Json.RowJson> | "loading">
  gone: ReadonlyArray<Client.Json.RowJson>
  first: Client.Json.FolderJson | undefined
  error: Client.Refused | undefined
}

export const useFolder = (wanted: Wanted): Folder => {
  const [, redraw] = useReducer((count: number) => count + 1, 0)
  const loaded = useRef<Loaded>(undefined)
  const key = JSON.stringify(wanted)

  const load = (into: Loaded, page: number): void => {
    if (into.pages.has(page)) return
    into.pages.set(page, "loading")
    const { compare, descending, filter, path, repository, sort } = wanted
    const query = {
      path,
      sort,
      order: descending ? "descending" : undefined,
      filter: filter === "" ? undefined : filter,
      compare,
      start: page * PAGE,
      limit: PAGE,
    }
    Client.folder(repository, query, into.controller.signal).then(
      (answer) => {
        const rows = answer.rows.filter(({ change }) => change !== "gone")
        if (page === 0) into.gone = answer.rows.filter(({ change }) => change === "gone")
        into.pages.set(page, rows)
        into.first ??= answer
        if (loaded.current === into) redraw(0)
      },
      (error: unknown) => {
        if (into.controller.signal.aborted) return
        into.pages.delete(page)
        into.error = error instanceof Client.Refused ? error : new Client.Refused(0, "", String(error))
        if (loaded.current === into) redraw(0)
      },
    )
  }

  useEffect(() => {
    const into: Loaded = {
      key,
      controller: new AbortController(),
      pages: new Map(),
      gone: [],
      first: undefined,
      error: undefined,
    }
    loaded.current = into
    load(into, 0)
    redraw(0)
    return () => into.controller.abort()
  }, [key])

  const current = loaded.current?.key === key ? loaded.current : undefined
  const matching = current?.first?.matching ?? 0
  return {
    state: current?.error !== undefined ? "failed" : current?.first === undefined ? "loading" : "ready",
    total: current?.first?.total ?? 0,
    count: matching + (current?.gone.length ?? 0),
    problem: current?.first?.problem,
    error: current?.error,
    row: (index) => {
      if (index >= matching) return current?.gone[index - matching]
      const page = current?.pages.get(Math.floor(index / PAGE))
      return page === undefined || page === "loading" ? undefined : page[index % PAGE]
    },
    want: (first, last) => {
      if (current === undefined || current.first === undefined) return
      const end = Math.min(last, matching - 1)
      for (let page = Math.floor(first / PAGE); page <= Math.floor(end / PAGE); page++) load(current, page)
    },
  }
}
