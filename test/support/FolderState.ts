/** What is in a folder, to be compared: paths with kind, mode, owner, and contents by their SHA-256. */
import * as crypto from "node:crypto"
import * as fs from "node:fs"

/** One line a path, without times; paths as Latin-1 text of their bytes. */
export const read = (root: string): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  const visit = (below: string): void => {
    const names = fs.readdirSync(Buffer.from(`${root}/${below}`, "latin1"), { encoding: "latin1" })
    for (const name of names.toSorted()) {
      const at = below === "" ? name : `${below}/${name}`
      const file = Buffer.from(`${root}/${at}`, "latin1")
      const status = fs.lstatSync(file)
      const content = status.isFile()
        ? crypto.createHash("sha256").update(fs.readFileSync(file)).digest("hex")
        : String(status.mode & fs.constants.S_IFMT)
      found.set(at, `${(status.mode & 0o7777).toString(8)} ${status.uid}:${status.gid} ${content}`)
      if (status.isDirectory()) visit(at)
    }
  }
  visit("")
  return found
}
