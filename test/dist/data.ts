/**
 * `npm run walk:data -- FOLDER`: makes the folder that `walk.sh` walks through, with an archive and a datastore in it.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Datastores from "../support/Datastores.ts"

/** Makes it; its parent must be there. */
export const make = (folder: string): void => {
  fs.mkdirSync(folder)
  const archive = path.join(import.meta.dirname, "../../fixtures/golden/tree-v1.pxar")
  fs.copyFileSync(archive, path.join(folder, "tree-v1.pxar"))
  fs.cpSync(Datastores.store("datastore-plain"), path.join(folder, "store"), { recursive: true })
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2)
  if (folder === undefined) throw new Error("which folder?")
  make(folder)
}
