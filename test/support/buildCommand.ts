/**
 * Builds the command once before all tests: they run it as users do, compiled.
 */
import { execFileSync } from "node:child_process"
import * as path from "node:path"

export default (): void => {
  execFileSync(process.execPath, ["scripts/build.ts"], { cwd: path.join(import.meta.dirname, "../..") })
}
