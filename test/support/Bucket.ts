/**
 * A bucket in memory, over HTTP: objects by ranges, listings with delimiter, escaped keys and pages, and signatures, which
 * are checked with another implementation than the one under test.
 */
import * as crypto from "node:crypto"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { SignatureV4 } from "@smithy/signature-v4"
import { Effect, type Scope } from "effect"

export const ACCOUNT = { accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" } as const
export const REGION = "eu-west-9"
export const NAME = "bucket"

export interface Bucket {
  readonly port: number
  readonly objects: Map<string, Uint8Array>
  /** Method and URL of the requests, in order. */
  readonly requests: Array<string>
}

/** Names on a page. */
const PAGE = 1000

class Sha256 {
  readonly #hash: crypto.Hmac | crypto.Hash
  constructor(secret?: crypto.BinaryLike) {
    this.#hash = secret === undefined ? crypto.createHash("sha256") : crypto.createHmac("sha256", secret)
  }
  update(data: crypto.BinaryLike): void {
    this.#hash.update(data)
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
  reset(): void {}
}

/** Whether the signature of a request is right, and of the session. */
const isSigned = async (request: http.IncomingMessage, url: URL, sessionToken: string | undefined) => {
  const [, names = ""] = /SignedHeaders=([^,]+)/.exec(request.headers.authorization ?? "") ?? []
  const [, date = ""] = /^(\d{8}T\d{6}Z)$/.exec(String(request.headers["x-amz-date"])) ?? []
  if (names === "" || date === "") return false
  const signer = new SignatureV4({
    credentials: {
      accessKeyId: ACCOUNT.accessKey,
      secretAccessKey: ACCOUNT.secretKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
    region: REGION,
    service: "s3",
    sha256: Sha256 as never,
    uriEscapePath: false,
    applyChecksum: true,
  })
  const headers = Object.fromEntries(names.split(";").map((name) => [name, String(request.headers[name])]))
  const query: Record<string, string> = Object.fromEntries(url.searchParams)
  const signed = await signer.sign(
    { method: request.method!, protocol: "http:", hostname: url.hostname, path: url.pathname, query, headers },
    { signingDate: new Date(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z")) },
  )
  const signatureOf = (text: string | undefined) => /Signature=([0-9a-f]{64})/.exec(text ?? "")?.[1]
  return signatureOf(signed.headers["authorization"]) === signatureOf(request.headers.authorization)
}

const xml = (name: string, inner: string) => `<?xml version="1.0" encoding="UTF-8"?>\n<${name}>${inner}</${name}>`
const error = (code: string) => xml("Error", `<Code>${code}</Code><Message>No.</Message>`)

const list = (objects: ReadonlyMap<string, unknown>, query: URLSearchParams): string => {
  const prefix = query.get("prefix") ?? ""
  const delimiter = query.get("delimiter")
  const after = Buffer.from(query.get("continuation-token") ?? "", "base64").toString()
  const most = Math.min(PAGE, Number(query.get("max-keys") ?? PAGE))
  const found = new Map<string, boolean>()
  for (const key of [...objects.keys()].toSorted()) {
    if (!key.startsWith(prefix)) continue
    const end = delimiter === null ? -1 : key.indexOf(delimiter, prefix.length)
    found.set(end < 0 ? key : key.slice(0, end + 1), end >= 0)
  }
  const rest = [...found].filter(([name]) => name > after)
  const page = rest.slice(0, most)
  const escape = (name: string) => encodeURIComponent(name).replaceAll("%20", "+")
  return xml(
    "ListBucketResult",
    [
      `<IsTruncated>${rest.length > most}</IsTruncated><EncodingType>url</EncodingType>`,
      ...(rest.length > most
        ? [`<NextContinuationToken>${Buffer.from(page.at(-1)![0]).toString("base64")}</NextContinuationToken>`]
        : []),
      ...page.map(([name, isFolder]) =>
        isFolder
          ? `<CommonPrefixes><Prefix>${escape(name)}</Prefix></CommonPrefixes>`
          : `<Contents><Key>${escape(name)}</Key></Contents>`,
      ),
    ].join(""),
  )
}

/** Starts the bucket; it ends with the scope. */
export const make = ({ sessionToken }: { readonly sessionToken?: string } = {}): Effect.Effect<
  Bucket,
  never,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const objects = new Map<string, Uint8Array>()
    const requests: Array<string> = []
    const answer = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
      requests.push(`${request.method} ${request.url}`)
      const url = new URL(request.url!, `http://${request.headers.host}`)
      const fail = (status: number, code: string) => void response.writeHead(status).end(error(code))
      if (request.headers["x-amz-security-token"] !== sessionToken) return fail(400, "InvalidToken")
      if (!(await isSigned(request, url, sessionToken))) return fail(403, "SignatureDoesNotMatch")
      const [, bucket, ...rest] = url.pathname.split("/")
      if (bucket !== NAME) return fail(404, "NoSuchBucket")
      const key = decodeURIComponent(rest.join("/"))
      if (key === "") return void response.writeHead(200).end(list(objects, url.searchParams))
      const bytes = objects.get(key)
      if (bytes === undefined) return fail(404, "NoSuchKey")
      const etag = `"${crypto.createHash("md5").update(bytes).digest("hex")}"`
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? []
      const condition = request.headers["if-range"]
      if (from === undefined || (condition !== undefined && condition !== etag)) {
        return void response.writeHead(200, { etag, "content-length": bytes.length }).end(bytes)
      }
      if (Number(from) >= bytes.length) {
        return void response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end()
      }
      const end = Math.min(bytes.length, Number(to) + 1)
      response.writeHead(206, {
        etag,
        "content-length": end - Number(from),
        "content-range": `bytes ${from}-${end - 1}/${bytes.length}`,
      })
      response.end(bytes.subarray(Number(from), end))
    }
    const server = yield* Effect.acquireRelease(
      Effect.callback<http.Server>((resume) => {
        const server = http.createServer((request, response) => void answer(request, response))
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)).closeAllConnections()),
    )
    return { port: (server.address() as AddressInfo).port, objects, requests }
  })
