/**
 * A look into a file. Nothing of it is run: text is text, images and films are shown by the browser under types that the
 * server chooses, and everything can be looked at in hex.
 */
import type { JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import * as Client from "./Client.ts"
import * as Format from "./Format.ts"
import * as Route from "./Route.ts"

interface Props {
  readonly repository: string
  readonly path: string
  readonly details: Client.Json.DetailsJson
}

/** Bytes of a text that are shown at first, and more on request. */
const TEXT = 128 * 1024

/** Bytes of a page in hex. */
const PAGE = 2048

export const Preview = ({ details, path, repository }: Props): JSX.Element => {
  const [isHex, setHex] = useState(false)
  useEffect(() => setHex(false), [path])
  if (details.kind === "symlink") {
    const target = details.target ?? ""
    return (
      <p>
        Leads to <a href={Route.format({ repository, path: Route.resolve(Route.parent(path), target) })}>{target}</a>.
        An absolute target is looked for from the top.
      </p>
    )
  }
  if (details.kind === "directory") return <p class="waiting">A folder. Enter opens it.</p>
  if (details.kind !== "file")
    return <p class="waiting">There is nothing in it to show: a {Format.kind(details.kind)}.</p>
  if (details.size === 0) return <p class="waiting">The file is empty.</p>
  const { preview = "none" } = details
  return (
    <>
      {preview === "none" ? null : (
        <label class="switch">
          <input type="checkbox" checked={isHex} onChange={({ currentTarget }) => setHex(currentTarget.checked)} />
          Hex
        </label>
      )}
      {isHex || preview === "none" ? (
        <Hex key={path} repository={repository} path={path} size={details.size} />
      ) : (
        <Content key={path} repository={repository} path={path} kind={preview} size={details.size} />
      )}
    </>
  )
}

interface ContentProps {
  readonly repository: string
  readonly path: string
  readonly kind: "text" | "image" | "audio" | "video"
  readonly size: number
}

const Content = ({ kind, path, repository, size }: ContentProps): JSX.Element => {
  const [failed, setFailed] = useState(false)
  const source = Client.contentUrl(repository, path, true)
  const onError = (): void => setFailed(true)
  if (failed) return <p class="problem">The browser cannot show this. Hex and the download show what is there.</p>
  switch (kind) {
    case "image":
      return <img class="media" src={source} alt={`Preview of ${Route.lastName(path)}`} onError={onError} />
    case "audio":
      return <audio class="media" controls preload="metadata" src={source} onError={onError} />
    case "video":
      return <video class="media" controls preload="metadata" src={source} onError={onError} />
    case "text":
      return <Text repository={repository} path={path} size={size} />
  }
}

/** What can be had of a range of a file, and why there is no more. */
const useBytes = (repository: string, path: string, start: number, length: number) => {
  const [bytes, setBytes] = useState<Uint8Array>()
  const [error, setError] = useState<Error>()
  useEffect(() => {
    const controller = new AbortController()
    setError(undefined)
    Client.bytes(repository, path, start, length, controller.signal).then(setBytes, (error: Error) => {
      if (!controller.signal.aborted) setError(error)
    })
    return () => controller.abort()
  }, [repository, path, start, length])
  return { bytes, error }
}

const Lost = ({ error }: { readonly error: Error }): JSX.Element => (
  <div class="problems">
    <p>This part cannot be read.</p>
    <p class="id">{error.message}</p>
    <p>Other parts of the file may be whole. A download has zeros in place of what is lost, and says so.</p>
  </div>
)

const Text = ({ path, repository, size }: Omit<ContentProps, "kind">): JSX.Element => {
  const [length, setLength] = useState(Math.min(size, TEXT))
  const { bytes, error } = useBytes(repository, path, 0, length)
  if (error !== undefined) return <Lost error={error} />
  if (bytes === undefined) return <p class="waiting">Reading…</p>
  return (
    <>
      <pre class="text" tabIndex={0} aria-label="Text">
        {new TextDecoder().decode(bytes)}
      </pre>
      {length < size ? (
        <p>
          The first {Format.size(length)} of {Format.size(size)}.{" "}
          <button type="button" onClick={() => setLength(Math.min(size, length * 4, 8 * 1024 * 1024))}>
            Show more
          </button>
        </p>
      ) : null}
    </>
  )
}

const Hex = ({ path, repository, size }: Omit<ContentProps, "kind">): JSX.Element => {
  const [start, setStart] = useState(0)
  const { bytes, error } = useBytes(repository, path, start, PAGE)
  const last = Math.floor((size - 1) / PAGE) * PAGE
  const move = (to: number) => (): void => setStart(Math.max(0, Math.min(to, last)))
  return (
    <>
      {error !== undefined ? (
        <Lost error={error} />
      ) : bytes === undefined ? (
        <p class="waiting">Reading…</p>
      ) : (
        <pre class="hex" tabIndex={0} aria-label={`Bytes from ${start} on, in hex`}>
          {hexLines(bytes, start)}
        </pre>
      )}
      {size > PAGE ? (
        <div class="pager">
          <button type="button" disabled={start === 0} onClick={move(0)}>
            First
          </button>
          <button type="button" disabled={start === 0} onClick={move(start - PAGE)}>
            Before
          </button>
          <button type="button" disabled={start >= last} onClick={move(start + PAGE)}>
            After
          </button>
          <button type="button" disabled={start >= last} onClick={move(last)}>
            Last
          </button>
        </div>
      ) : null}
    </>
  )
}

const WIDTH = 8

const hexLines = (bytes: Uint8Array, start: number): string => {
  const lines: Array<string> = []
  for (let at = 0; at < bytes.length; at += WIDTH) {
    const part = bytes.subarray(at, at + WIDTH)
    const hex = Array.from(part, (byte) => byte.toString(16).padStart(2, "0")).join(" ")
    const text = Array.from(part, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("")
    lines.push(`${(start + at).toString(16).padStart(8, "0")}  ${hex.padEnd(3 * WIDTH - 1)}  ${text}`)
  }
  return lines.join("\n")
}
