/** What the page does besides showing: downloads, restores, keys, and what it says of damage. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Page } from "playwright-core"
import * as MemoryArchive from "../../src/testing/MemoryArchive.ts"
import * as Datastores from "../support/Datastores.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"
import * as browser from "./browser.ts"

beforeEach(need({ tools: ["chromium", "unzip"] }))

const archive = Effect.fnUntraced(function* (tree: MemoryArchive.Tree) {
  const file = path.join(yield* Processes.temporaryFolder, "test.pxar")
  fs.writeFileSync(file, yield* MemoryArchive.bytes(tree))
  return file
})

/** Saves what an action downloads. */
const saved = async (page: Page, act: () => Promise<unknown>, folder: string): Promise<string> => {
  const [download] = await Promise.all([page.waitForEvent("download"), act()])
  const file = path.join(folder, download.suggestedFilename())
  await download.saveAs(file)
  return file
}

describe("a download", () => {
  it.live(
    "of a file and of a selection is what is in the archive, byte for byte",
    () =>
      Effect.gen(function* () {
        const bytes = Uint8Array.from({ length: 400_000 }, (_, i) => (i * 7919) % 251)
        const served = yield* browser.serve(
          yield* archive({ a: bytes, "Grüße 日本.txt": "hello", folder: { deep: { b: bytes } }, other: "z" }),
        )
        const folder = yield* Processes.temporaryFolder
        const page = yield* browser.open(yield* browser.launch, served.link)
        yield* Effect.promise(async () => {
          await browser.rows(page).first().waitFor()
          await page.keyboard.press("ArrowDown")
          const file = await saved(page, () => page.keyboard.press("d"), folder)
          assert.strictEqual(path.basename(file), "a")
          assert.isTrue(fs.readFileSync(file).equals(bytes))
          await page.keyboard.press("Home")
          await page.keyboard.press(" ")
          await page.keyboard.press("ArrowDown")
          await page.keyboard.press(" ")
          await page.getByText("2 selected").waitFor()
          const zip = await saved(page, () => page.getByRole("button", { name: "zip" }).click(), folder)
          spawnSync("unzip", ["-q", zip, "-d", path.join(folder, "out")])
          assert.deepStrictEqual(fs.readdirSync(path.join(folder, "out")).toSorted(), ["Grüße 日本.txt", "folder"])
          assert.isTrue(fs.readFileSync(path.join(folder, "out/folder/deep/b")).equals(bytes))
          await page.getByText("downloaded:").waitFor()
          await page.getByText("What is not as in the backup").click()
          await page.getByText(/not in the zip: owners/).waitFor()
        })
        assert.deepStrictEqual(yield* browser.violations(page), [])
      }),
    60_000,
  )
})

describe("a restore", () => {
  it.live(
    "is tried, done, and cancelled",
    () =>
      Effect.gen(function* () {
        const allowed = fs.realpathSync(yield* Processes.temporaryFolder)
        const many = Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`file ${i}`, "x"]))
        const served = yield* browser.serve("--allow-restore", allowed, yield* archive({ docs: { a: "one" }, many }))
        const page = yield* browser.open(yield* browser.launch, served.link)
        yield* Effect.promise(async () => {
          await browser.rows(page).first().waitFor()
          await page.keyboard.press("r")
          await page.getByLabel("Into this folder").fill("here")
          await page.getByRole("button", { name: "Try it first" }).click()
          await page.getByText("This would be done").waitFor()
          await page.getByText("create docs/a").waitFor()
          assert.deepStrictEqual(fs.readdirSync(allowed), [])
        })
        yield* browser.picture(page, "web-restore")
        assert.deepStrictEqual(yield* browser.violations(page), [])
        yield* Effect.promise(async () => {
          await page.getByRole("button", { name: "Restore", exact: true }).click()
          await page.getByText("Done").waitFor()
          assert.strictEqual(fs.readFileSync(path.join(allowed, "here/docs/a"), "utf8"), "one")
          await page.keyboard.press("Escape")
          await page.keyboard.press("ArrowDown")
          await page.keyboard.press("r")
          await page.getByLabel("Into this folder").fill("other")
          // The server stands still from when it has begun until it is to end: it cannot be faster than the page.
          const begun = page.waitForResponse((response) => response.url().endsWith("/restores"))
          await page.getByRole("button", { name: "Restore", exact: true }).dispatchEvent("click")
          await begun
          process.kill(served.process.pid, "SIGSTOP")
          const cancelling = page.waitForRequest((request) => request.method() === "DELETE")
          await page.getByRole("button", { name: "Cancel" }).click()
          await cancelling
          process.kill(served.process.pid, "SIGCONT")
          await page.getByText("Cancelled").waitFor()
          const many = path.join(allowed, "other/many")
          assert.isBelow(fs.existsSync(many) ? fs.readdirSync(many).length : 0, 60_000)
        })
      }),
    60_000,
  )
})

describe("a store", () => {
  it.live(
    "that is encrypted is unlocked from the page, once",
    () =>
      Effect.gen(function* () {
        const key = Datastores.keyFile("key1-scrypt-small.json")
        const served = yield* browser.serve("--key-file", key, Datastores.store("datastore-encrypted"))
        const page = yield* browser.open(yield* browser.launch, served.link)
        yield* browser.go(page, served, "#/datastore-encrypted/host/alpha/2024-01-01T00:00:00Z/root.pxar")
        yield* Effect.promise(() => page.getByRole("heading", { name: "This needs a key" }).waitFor())
        yield* browser.picture(page, "web-locked")
        yield* Effect.promise(async () => {
          await page.getByRole("button", { name: "Unlock a key…" }).click()
          await page.getByLabel("Passphrase").fill("wrong")
          await page.keyboard.press("Enter")
          // What is behind the dialog asks for the passphrase, too.
          await page
            .getByRole("dialog")
            .getByRole("alert")
            .filter({ hasText: /passphrase/i })
            .waitFor()
        })
        assert.deepStrictEqual(yield* browser.violations(page), [])
        yield* Effect.promise(async () => {
          await page.getByLabel("Passphrase").fill("small cost")
          await page.keyboard.press("Enter")
          await browser.rows(page).getByText("sizes").waitFor()
        })
      }),
    60_000,
  )

  it.live(
    "is unlocked once also where the address is an encrypted backup or archive itself",
    () =>
      Effect.gen(function* () {
        const key = Datastores.keyFile("key1-scrypt-small.json")
        const backup = `${Datastores.store("datastore-encrypted")}::host/alpha/2024-01-01T00:00:00Z`
        const served = yield* browser.serve("--key-file", key, backup, `${backup}/root.pxar`)
        const page = yield* browser.open(yield* browser.launch, served.link)
        yield* Effect.promise(async () => {
          await page.getByRole("heading", { name: "This needs a key" }).waitFor()
          await page.getByRole("button", { name: "Unlock a key…" }).click()
          await page.getByLabel("Passphrase").fill("small cost")
          await page.keyboard.press("Enter")
          // The backup has one archive, which is shown at once.
          await browser.rows(page).getByText("sizes").waitFor()
          await page.getByLabel("What to look at").selectOption("root.pxar")
          await browser.rows(page).getByText("sizes").waitFor()
        })
        assert.deepStrictEqual(yield* browser.violations(page), [])
      }),
    60_000,
  )

  it.live(
    "that is damaged shows what is whole, and says what is lost",
    () =>
      Effect.gen(function* () {
        const served = yield* browser.serve(Datastores.store("datastore-damaged"))
        const page = yield* browser.open(yield* browser.launch, served.link)
        const root = "#/datastore-damaged/host/chunk-missing/2024-07-01T00:00:00Z"
        yield* browser.go(page, served, root)
        const archive = yield* Effect.promise(() =>
          browser.rows(page).filter({ hasText: ".pxar" }).first().textContent(),
        )
        yield* browser.go(page, served, `${root}/${archive}/files/size-131072`)
        yield* Effect.promise(async () => {
          const lost = page.getByText("This part cannot be read")
          for (let turn = 0; turn < 64 && !(await lost.isVisible()); turn++) {
            await page.getByRole("button", { name: "After" }).click()
            await lost.or(page.locator("pre.hex")).first().waitFor()
          }
          await lost.waitFor()
        })
        yield* browser.picture(page, "web-damaged")
        assert.deepStrictEqual(yield* browser.violations(page), [])
        yield* browser.go(page, served, `${root}/${archive}/files/size-4096`)
        yield* Effect.promise(() => page.getByText(/^00000000 {2}/).waitFor())
      }),
    60_000,
  )
})

describe("somebody without the link", () => {
  it.live(
    "is asked for the token, and sees then what was linked to",
    () =>
      Effect.gen(function* () {
        const served = yield* browser.serve(Datastores.store("datastore-plain"))
        const page = yield* browser.open(yield* browser.launch, `${served.url}#/datastore-plain/host/beta`)
        yield* Effect.promise(async () => {
          await page.getByLabel("Token or password").fill("wrong")
          await page.keyboard.press("Enter")
          await page.getByText("that is not the token or password").waitFor()
        })
        assert.deepStrictEqual(yield* browser.violations(page), [])
        yield* Effect.promise(async () => {
          await page.getByLabel("Token or password").fill(served.token)
          await page.keyboard.press("Enter")
          await browser.rows(page).getByText("2024-01-15T12:30:45Z").waitFor()
          await page.getByRole("button", { name: "Sign out" }).click()
          await page.getByLabel("Token or password").waitFor()
          // The link, in the same tab.
          await page.goto(served.link)
          await browser.rows(page).or(page.locator(".group")).first().waitFor()
          assert.notInclude(page.url(), served.token)
        })
      }),
    60_000,
  )
})
