/**
 * `npm run walk`: walks, and writes `docs/walk.md`. With `--check` it compares, and ends with 1 where a command says something
 * else than the page. Root only; build the command first.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Datastores from "../../test/support/Datastores.ts"
import * as Terminal from "./Terminal.ts"
import { parts, ready } from "./Walk.ts"

const root = path.join(import.meta.dirname, "../..")
const page = path.join(root, "docs/walk.md")
const MINUTE = 60

const steps = Terminal.run(
  path.join(root, "dist/cli/main.js"),
  (machine) =>
    ready(
      `${machine}${Datastores.realStore()}`,
      `${machine}${path.dirname(Datastores.realKeyFile("enc-none.json"))}`,
      `${machine}${path.join(root, "fixtures/golden")}`,
    ),
  parts.flatMap(({ commands }) => commands),
)

let text = `# A first walk

What somebody sees who has never used pxar-fuse, has only the README, and makes some mistakes. All of it was really run: \`npm run walk\`
made this page, and a test compares it with what the commands say today. Every part takes less than a minute.
`
let at = 0
for (const { commands, text: said, title } of parts) {
  const own = steps.slice(at, (at += commands.length))
  const seconds = own.reduce((sum, step) => sum + step.seconds, 0)
  process.stderr.write(`${title}: ${seconds.toFixed(1)} s\n`)
  if (seconds > MINUTE) throw new Error(`${title}: takes more than a minute`)
  const shown = own.map(({ command, seen }) => `$ ${command}\n${seen === "" ? "" : `${seen}\n`}`).join("")
  text += `\n## ${title}\n\n${said}\n\n\`\`\`console\n${shown}\`\`\`\n`
}

if (!process.argv.includes("--check")) fs.writeFileSync(page, text)
else if (fs.readFileSync(page, "utf8") !== text) {
  process.stderr.write(`docs/walk.md is not what the commands say; npm run walk makes it anew:\n${text}`)
  process.exitCode = 1
}
