/**
 * Where a server is to listen, as a flag says it.
 */
import * as Effect from "effect/Effect"
import * as ExitCode from "../ExitCode.ts"

export interface Listen {
  /** A name or an address, without brackets. */
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
}

/** `HOST:PORT`, `[IPv6]:PORT` or a port alone, on loopback then. */
export const parse = (flag: string, text: string): Effect.Effect<Listen, ExitCode.Usage> => {
  const [, bracketed, plain, port = ""] = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text) ?? []
  const isPort = port !== "" && Number(port) < 65_536
  return isPort
    ? Effect.succeed({ host: bracketed ?? plain ?? "127.0.0.1", port: Number(port) })
    : Effect.fail(
        new ExitCode.Usage({
          detail: `${flag} ${text}: HOST:PORT is needed, such as 127.0.0.1:8017 or [::1]:8017`,
        }),
      )
}
