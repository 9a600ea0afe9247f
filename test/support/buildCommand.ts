/**
 * Builds the command once before all tests: they run it as users do, compiled.
 */
import { execFileSync } from "node:child_process"
import * as path from "node:path"

export default (): void => {
  // Some tests run the command as another user, whatever whoever runs them lets others read.
  process.umask(0o022)
  // Then it is the package that is tested, packed from what was built before.
  if (process.env["PXAR_FUSE_EXAMPLES"] !== undefined) return
  execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", "scripts/build.ts"], {
    cwd: path.join(import.meta.dirname, "../.."),
  })
}
