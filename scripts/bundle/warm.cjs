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
    // A cache has the name of its file in it: where that is to stand nobody knows yet. The name is copied, as V8 keeps a part of
    // a string as a view of the whole, and would write that down.
    super(source, { ...options, filename: Buffer.from(path.basename(options.filename)).toString() })
    if (isRecording) scripts.set(options.filename, this)
  }
}
// A cache is good for the flags that V8 has when it is made, and those of the start are what it is loaded with. So these stay,
// and what is loaded after the program wanted others has none.
const setFlags = v8.setFlagsFromString
v8.setFlagsFromString = () => {
  isRecording = false
}
// V8's first compiler works beside the program, and caches tell which functions it had under way.
setFlags("--no-sparkplug")

// No time passes: what is slow on a busy machine may not run other functions.
const now = Date.now()
Date.now = () => now
performance.now = () => 0
process.hrtime = Object.assign(() => [0, 0], { bigint: () => 0n })

process.on("exit", () => {
  setFlags("--sparkplug")
  for (const [file, script] of scripts) {
    const { mtimeMs, size } = fs.statSync(file)
    const cache = path.join(folder, "cache", `${path.basename(file)}.${size}.${Math.floor(mtimeMs / 1000)}`)
    if (!fs.existsSync(cache)) fs.writeFileSync(cache, script.createCachedData())
  }
})

const main = path.join(folder, "main.js")
process.argv = [process.execPath, main, ...words]
require(main)
