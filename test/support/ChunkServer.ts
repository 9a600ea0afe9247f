/** `pxar-fuse serve --chunks`: a datastore over HTTP, as another of us gives it out. */
import { Effect, type Scope } from "effect"
import * as Command from "./Command.ts"
import * as Processes from "./Processes.ts"

export interface ChunkServer {
  /** Ends with a slash. */
  readonly url: string
  readonly port: number
  readonly token: string
}

/** Serves the datastore in a folder until the scope closes. */
export const start = Effect.fnUntraced(function* (folder: string): Effect.fn.Return<ChunkServer, never, Scope.Scope> {
  const program = yield* Command.start(["serve", "--chunks", folder, "--listen", "127.0.0.1:0"])
  const link = yield* Processes.eventually(
    "its link",
    Effect.sync(() => /http:\S+#token=\S+/.exec(program.stdout().toString())?.[0] ?? ""),
    (text) => text !== "",
  )
  const [url = "", token = ""] = link.split("#token=")
  return { url, port: Number(new URL(url).port), token }
})
