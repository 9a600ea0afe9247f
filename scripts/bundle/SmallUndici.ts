/**
 * undici without what this program never loads: its cache, its fetch, its mocks, and a second parser of HTTP/1 that is an
 * experiment of undici's. Of 720 kB 330 are left, and loading it takes less time.
 */
import { fileURLToPath } from "node:url"
import type { Plugin } from "rolldown"

const PARTS = "pxar-fuse:undici"

/** What `undici` exports that is used here. Its `index.js` gives all that send their methods in the same way. */
const parts = `
import EnvHttpProxyAgent from "undici/lib/dispatcher/env-http-proxy-agent.js"
import Dispatcher from "undici/lib/dispatcher/dispatcher.js"
import api from "undici/lib/api/index.js"
Object.assign(Dispatcher.prototype, api)
export { EnvHttpProxyAgent }
`

export const plugin: Plugin = {
  name: "small undici",
  resolveId: (id, importer) =>
    id === "undici" ? PARTS : importer === PARTS ? fileURLToPath(import.meta.resolve(id)) : undefined,
  load: (id) => (id === PARTS ? { code: parts, moduleType: "js" } : undefined),
}

/** Node itself bundles undici with this variable, which leaves that parser out. */
export const define = { "typeof esbuildDetection": JSON.stringify("boolean") }
