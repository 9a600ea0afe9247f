/** The page in Chromium: that it opens, shows what there is, and looks into a file. `npm run test:page` is the whole. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Datastores from "../support/Datastores.ts"
import { need } from "../support/Requirements.ts"
import { golden } from "../web/harness.ts"
import * as browser from "./browser.ts"

beforeEach(need({ tools: ["chromium"] }))

describe("the page", () => {
  it.live(
    "opens by its link, keeps no token, shows a folder and a file, by keyboard alone",
    () =>
      Effect.gen(function* () {
        const served = yield* browser.serve(golden("tree-v1.pxar"), Datastores.store("datastore-plain"))
        const page = yield* browser.open(yield* browser.launch, served.link)
        yield* Effect.promise(async () => {
          await browser.rows(page).first().waitFor()
          assert.notInclude(page.url(), served.token)
          assert.include(await browser.rows(page).allTextContents(), "sizes")
          await page.keyboard.press("End")
          await page.keyboard.press("Enter")
          await page.getByRole("tabpanel").getByText("content-of-hardlink").or(page.locator("pre")).first().waitFor()
          await page.keyboard.press("Escape")
          await page.keyboard.press("?")
          await page.getByRole("dialog", { name: "Keys" }).waitFor()
          await page.keyboard.press("Escape")
        })
        assert.deepStrictEqual(yield* browser.violations(page), [])
        yield* browser.go(page, served, "#/datastore-plain/")
        yield* Effect.promise(() => page.getByRole("link", { name: /Host\s*beta/ }).waitFor())
        assert.deepStrictEqual(yield* browser.violations(page), [])
      }),
    60_000,
  )
})
