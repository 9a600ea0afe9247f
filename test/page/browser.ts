/** Chromium of the system, and the compiled command that serves to it. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { AxeBuilder } from "@axe-core/playwright"
import { assert } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import * as Command from "../support/Command.ts"
import * as Processes from "../support/Processes.ts"

/** Where Debian and others have it. */
const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((file) =>
  fs.existsSync(file),
)

/** A server with its link. */
export interface Served {
  readonly link: string
  /** Without the token. */
  readonly url: string
  readonly token: string
  readonly process: Processes.Process
}

/** Starts `pxar-fuse serve`, compiled. */
export const serve = Effect.fnUntraced(function* (
  ...args: ReadonlyArray<string>
): Effect.fn.Return<Served, never, Scope.Scope> {
  const address = args.at(-1) ?? ""
  // As somebody types it who stands beside it: pictures show the command line.
  const [cwd, typed] = fs.existsSync(address) ? [path.dirname(address), path.basename(address)] : [".", address]
  const process = yield* Command.start(["serve", "--listen", "127.0.0.1:0", ...args.slice(0, -1), typed], { cwd })
  const told = yield* Processes.eventually(
    "the link",
    Effect.sync(() => process.stdout().toString()),
    (text) => text.includes("\n"),
  )
  const link = told.trim()
  const [url = "", token = ""] = link.split("#token=")
  return { link, url, token, process }
})

/** A browser; the scope closes it. */
export const launch: Effect.Effect<Browser, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() =>
    chromium.launch({
      executablePath: CHROMIUM!,
      args: ["--no-sandbox", "--disable-gpu"],
      env: { ...process.env, HOME: os.tmpdir() },
    }),
  ),
  (browser) => Effect.promise(() => browser.close()),
)

/** A page of a fresh browser profile; whatever it complains of fails the test. */
export const open = Effect.fnUntraced(function* (
  browser: Browser,
  link: string,
  options: BrowserContextOptions = {},
): Effect.fn.Return<Page, never, Scope.Scope> {
  const context = yield* Effect.acquireRelease(
    Effect.promise(() => browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })),
    (context) => Effect.promise(() => context.close()),
  )
  const page = yield* Effect.promise(() => context.newPage())
  page.setDefaultTimeout(15_000)
  const complaints: Array<string> = []
  page.on("pageerror", (error) => complaints.push(error.message))
  page.on("console", (message) => {
    // Answers that say no are the page's to show.
    if (message.type() === "error" && !/status of [45]\d\d/.test(message.text())) complaints.push(message.text())
  })
  yield* Effect.addFinalizer(() => Effect.sync(() => assert.deepStrictEqual(complaints, [])))
  yield* Effect.promise(() => page.goto(link))
  return page
})

/** Goes to a place of the page. */
export const go = (page: Page, served: Served, place: string) =>
  Effect.promise(async () => {
    await page.goto(served.url + place)
    await page.waitForLoadState("networkidle")
  })

/** Rows of the folder that are on the screen, by name. */
export const rows = (page: Page) => page.locator("[role=grid] .rows [role=row] .name")

/** What a check for accessibility finds. */
export const violations = (page: Page) =>
  Effect.map(
    Effect.promise(() => new AxeBuilder({ page }).analyze()),
    ({ violations }) =>
      violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(" | ")}`,
      ),
  )

/** Saves a picture for docs, where that is asked for. */
export const picture = (page: Page, name: string) =>
  Effect.promise(async () => {
    const folder = process.env["PXAR_FUSE_PICTURES"]
    if (folder !== undefined) await page.screenshot({ path: path.join(folder, `${name}.png`) })
  })
