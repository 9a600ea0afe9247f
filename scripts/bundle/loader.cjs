/**
 * The first lines of the command. Where V8's code caches stand beside its files (`scripts/bundle/CodeCache.ts` makes them)
 * it loads the files with them; otherwise Node does.
 *
 * A cache is of one file by its size and its time, which are in its name, as Python has it in `.pyc`. V8 itself refuses one of
 * another version of V8, or of other flags. What is refused or missing costs time, and nothing else.
 */
{
  const fs = process.getBuiltinModule("fs")
  const vm = process.getBuiltinModule("vm")
  const CACHES = `${__dirname}/cache`
  const HEAD = "(function (exports, require, module, __filename, __dirname) { "

  const cacheOf = (file) => {
    try {
      const { mtimeMs, size } = fs.statSync(`${__dirname}/${file}`)
      return fs.readFileSync(`${CACHES}/${file}.${size}.${Math.floor(mtimeMs / 1000)}`)
    } catch {
      return undefined
    }
  }

  const node = module.require.bind(module)
  const modules = new Map()
  const load = (id) => {
    if (!id.startsWith("./")) return node(id)
    const known = modules.get(id)
    if (known !== undefined) return known.exports
    const module = { exports: {}, require: load }
    modules.set(id, module)
    const file = id.slice("./".length)
    const filename = `${__dirname}/${file}`
    const source = `${HEAD}${fs.readFileSync(filename, "latin1")}\n})`
    const script = new vm.Script(source, { filename, cachedData: cacheOf(file) })
    script.runInThisContext()(module.exports, load, module, filename, __dirname)
    return module.exports
  }
  if (fs.existsSync(CACHES)) module.require = load
}
