/**
 * Runs the command in this process, and writes V8's code caches of the files that it has loaded: `warm.cjs FOLDER WORD…`,
 * where FOLDER has the command. See `CodeCache.ts`.
 */
const fs = require("node:fs")
const path = require("node:path")
const v8 = require("node:v8")
const vm = require("node:vm")

const [, , folder, ...words] = process.argv
const scripts = new Map()
let isRecording = true

vm.Script = class extends vm.Script {
  constructor(source, options) {
    // A cache has the name of its file in it: where that is to stand nobody knows yet.
    super(source, { ...options, filename: path.basename(options.filename) })
    if (isRecording) scripts.set(options.filename, this)
  }
}
// A cache is good for the flags that V8 has when it is made, and those of the start are what it is loaded with. So these stay,
// and what is loaded after the program wanted others has none.
v8.setFlagsFromString = () => {
  isRecording = false
}

process.on("exit", () => {
  for (const [file, script] of scripts) {
    const { mtimeMs, size } = fs.statSync(file)
    const cache = path.join(folder, "cache", `${path.basename(file)}.${size}.${Math.floor(mtimeMs / 1000)}`)
    if (!fs.existsSync(cache)) fs.writeFileSync(cache, script.createCachedData())
  }
})

const main = path.join(folder, "main.js")
process.argv = [process.execPath, main, ...words]
require(main)
