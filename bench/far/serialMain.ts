/**
 * `node serialMain.ts URL COUNT FILE…`: reads COUNT chunks, or all that there are, of indexes of a datastore at a URL one
 * after the other, each checked before the next is asked for: how the reference client reads. Nothing is kept or written.
 */
import * as crypto from "node:crypto"
import * as http from "node:http"
import { Result } from "effect"
import * as DataBlob from "../../src/domain/datastore/DataBlob.ts"
import * as DynamicIndex from "../../src/domain/datastore/DynamicIndex.ts"

const [url = "", count, ...files] = process.argv.slice(2)
let left = Number(count)
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })

const get = (file: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    http
      .get(`${url}/${file}`, { agent }, (response) => {
        const parts: Array<Buffer> = []
        response.on("data", (part: Buffer) => parts.push(part))
        response.on("end", () => resolve(Buffer.concat(parts)))
        response.on("error", reject)
      })
      .on("error", reject)
  })

for (const file of files) {
  const index = Result.getOrThrow(DynamicIndex.parse(await get(file)))
  for (let chunk = 0; chunk < index.count && left > 0; chunk++, left--) {
    const digest = Buffer.from(index.digest(chunk))
    const hex = digest.toString("hex")
    const { body } = Result.getOrThrow(DataBlob.parse(await get(`.chunks/${hex.slice(0, 4)}/${hex}`)))
    if (!crypto.createHash("sha256").update(body).digest().equals(digest)) throw new Error(`${hex} is damaged`)
  }
}
agent.destroy()
