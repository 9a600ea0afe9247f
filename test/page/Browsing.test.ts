/** Looking around: folders of any size, time, versions, previews, search. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as MemoryArchive from "../../src/testing/MemoryArchive.ts"
import * as Datastores from "../support/Datastores.ts"
import * as Processes from "../support/Processes.ts"
import { need } from "../support/Requirements.ts"
import { golden } from "../web/harness.ts"
import * as browser from "./browser.ts"
import * as Film from "./Film.ts"

beforeEach(need({ tools: ["chromium"] }))

/** An archive file of a test's own. */
const archive = Effect.fnUntraced(function* (tree: MemoryArchive.Tree) {
  const file = path.join(yield* Processes.temporaryFolder, "test.pxar")
  fs.writeFileSync(file, yield* MemoryArchive.bytes(tree))
  return file
})

const GROUP = "#/datastore-plain/host/alpha"
const ROOT = `${GROUP}/2024-02-01T03:00:00Z/root.pxar`

/** A page at a place of a datastore, with the keys going to the table. */
const atPlace = Effect.fnUntraced(function* (place: string) {
  const served = yield* browser.serve(Datastores.store("datastore-plain"))
  const page = yield* browser.open(yield* browser.launch, served.link)
  yield* browser.go(page, served, place)
  yield* Effect.promise(() => page.getByRole("grid").focus())
  return { page, served }
})

describe("a folder of 200,000 entries", () => {
  it.live(
    "scrolls without long frames, is sorted and filtered as one types, and reaches its end by a key",
    () =>
      Effect.gen(function* () {
        const many = Object.fromEntries(
          Array.from({ length: 200_000 }, (_, i) => [`file ${String(i).padStart(6, "0")}`, ""]),
        )
        const served = yield* browser.serve(yield* archive({ many }))
        const page = yield* browser.open(yield* browser.launch, served.link)
        yield* browser.go(page, served, "#/test.pxar/many")
        yield* Effect.promise(async () => {
          await page.getByText("200,000 entries").waitFor()
          assert.isBelow(await browser.rows(page).count(), 100)
          const { long, times } = await page.evaluate(async () => {
            const grid = document.querySelector("[role=grid]")!
            const times: Array<number> = []
            let long = 0
            const observer = new PerformanceObserver((list) => void (long += list.getEntries().length))
            observer.observe({ type: "longtask" })
            let before = performance.now()
            for (let step = 0; step < 120; step++) {
              grid.scrollTop += 400
              await new Promise(requestAnimationFrame)
              const now = performance.now()
              times.push(now - before)
              before = now
            }
            long += observer.takeRecords().length
            return { times: times.toSorted((a, b) => a - b), long }
          })
          console.log(
            `frames: median ${times[60]!.toFixed(1)} ms, 95 % ${times[114]!.toFixed(1)} ms, longest ${times[119]!.toFixed(1)} ms; tasks above 50 ms: ${long}`,
          )
          await page.getByRole("grid").focus()
          // The row that is meant is never behind the head or the end of the table.
          for (const key of ["PageDown", "PageDown", "ArrowDown", "PageUp", "ArrowUp"]) {
            await page.keyboard.press(key)
            await page.evaluate(() => new Promise(requestAnimationFrame))
            const [row, head, grid] = await Promise.all(
              [".row.current", ".row.head", "[role=grid]"].map((of) => page.locator(of).boundingBox()),
            )
            assert.isAtLeast(row!.y, head!.y + head!.height - 1, key)
            assert.isAtMost(row!.y + row!.height, grid!.y + grid!.height + 1, key)
          }
          await page.keyboard.press("End")
          await page.getByText("file 199999").waitFor()
          await page.keyboard.press("/")
          await page.keyboard.type("99998")
          await page.getByText("2 of 200,000").waitFor()
          assert.deepStrictEqual(await browser.rows(page).allTextContents(), ["file 099998", "file 199998"])
          await page.keyboard.press("Escape")
          await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click()
          await page.getByRole("row", { name: "file 199999" }).waitFor()
        })
      }),
    120_000,
  )
})

describe("time", () => {
  it.live(
    "is moved through by keys, in the same folder; what changed is marked; versions are compared",
    () =>
      Effect.gen(function* () {
        const { page, served } = yield* atPlace(`${ROOT}/sizes`)
        yield* Effect.promise(async () => {
          await page.getByText("2 of 5").waitFor()
          await page.keyboard.press("[")
          await page.getByText("1 of 5").waitFor()
          assert.include(page.url(), "2024-01-01T00:00:00Z/root.pxar/sizes")
          await page.keyboard.press("]")
          await page.getByText("2 of 5").waitFor()
          await page.keyboard.press("]")
          await page.getByRole("heading", { name: "Not in this backup" }).waitFor()
          await page.keyboard.press("]")
          await page.getByText("4 of 5").waitFor()
          await page.getByLabel("Mark changes").check()
          await page.locator(".mark.new").first().waitFor()
        })
        yield* browser.picture(page, "web-time")
        yield* browser.go(page, served, `${ROOT}/zz-root-link`)
        yield* Effect.promise(async () => {
          await page.getByRole("tab", { name: "Versions" }).click()
          await page.getByRole("button", { name: "Compare" }).first().click()
          await page.getByText("The texts are the same.").waitFor()
        })
        yield* browser.picture(page, "web-versions")
        assert.deepStrictEqual(yield* browser.violations(page), [])
      }),
    60_000,
  )
})

describe("a group", () => {
  it.live(
    "shows how its backups grow, as a picture and as figures",
    () =>
      Effect.gen(function* () {
        const { page } = yield* atPlace(GROUP)
        yield* Effect.promise(async () => {
          await page.keyboard.press("t")
          const picture = page.getByRole("img", { name: /^4 backups of .* together, kept in / })
          await picture.waitFor()
          assert.strictEqual(await picture.locator("rect.added").count(), 4)
          await page.getByText("As figures").click()
          assert.strictEqual(await page.getByRole("row", { name: /2024, / }).count(), 4)
        })
        yield* browser.picture(page, "web-growth")
        assert.deepStrictEqual(yield* browser.violations(page), [])
        yield* Effect.promise(async () => {
          await page.getByRole("button", { name: "Hide" }).click()
          await page.getByRole("button", { name: "Sizes over time" }).waitFor()
        })
      }),
    60_000,
  )
})

describe("a preview", () => {
  it.live(
    "shows text, hex and images, and plays sound from the middle; what is in files never runs",
    () =>
      Effect.gen(function* () {
        const png = Buffer.from(
          "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
          "base64",
        )
        const served = yield* browser.serve(
          yield* archive({
            "a.txt": "words of a letter",
            "evil.html": "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">",
            "evil.svg": "<svg xmlns='http://www.w3.org/2000/svg' onload=\"document.title='owned'\"/>",
            "pixel.png": png,
            "sound.wav": wav(20),
            "<img src=x onerror=alert(1)>": "a name",
            script: MemoryArchive.symlink("javascript:document.title='owned'"),
            elsewhere: MemoryArchive.symlink("//evil.example/x"),
            "bytes.bin": new Uint8Array(5000).fill(0xab),
          }),
        )
        const page = yield* browser.open(yield* browser.launch, served.link)
        const look = (name: string) => browser.go(page, served, `#/test.pxar/${encodeURIComponent(name)}`)
        yield* look("a.txt")
        yield* Effect.promise(() => page.getByText("words of a letter").waitFor())
        yield* browser.picture(page, "web-preview")
        yield* look("evil.html")
        yield* Effect.promise(() => page.locator("pre").getByText("<script>document.title").waitFor())
        yield* look("pixel.png")
        yield* Effect.promise(async () => {
          const image = page.getByRole("img", { name: "Preview of pixel.png" })
          await image.waitFor()
          assert.strictEqual(
            await image.evaluate((image: HTMLImageElement) => image.decode().then(() => image.naturalWidth)),
            1,
          )
        })
        yield* look("bytes.bin")
        yield* Effect.promise(async () => {
          await page.getByText("00000000  ab ab").waitFor()
          await page.getByRole("button", { name: "Last" }).click()
          await page.getByText("00001000  ab ab").waitFor()
        })
        yield* look("sound.wav")
        yield* Effect.promise(async () => {
          const ranges: Array<string | undefined> = []
          page.on("request", (request) => ranges.push(request.headers()["range"]))
          const audio = page.locator("audio")
          await audio.waitFor()
          await audio.evaluate((audio: HTMLAudioElement) => {
            audio.currentTime = 15
          })
          const at = await audio.evaluate(
            (audio: HTMLAudioElement) =>
              new Promise<number>((resolve) => {
                if (!audio.seeking) resolve(audio.currentTime)
                audio.addEventListener("seeked", () => resolve(audio.currentTime))
              }),
          )
          assert.closeTo(at, 15, 0.1)
        })
        // A link leads to a place of the page, whatever it looks like.
        for (const [name, target] of [
          ["script", "javascript:document.title='owned'"],
          ["elsewhere", "//evil.example/x"],
        ] as const) {
          yield* look(name)
          yield* Effect.promise(async () => {
            const link = page.getByRole("tabpanel").getByRole("link", { name: target })
            assert.match((await link.getAttribute("href"))!, /^#\/test\.pxar\//)
            await link.click()
            await page
              .getByText(/Not there|not there|nothing/)
              .first()
              .waitFor()
            assert.notMatch(await page.title(), /^owned/)
            assert.include(page.url(), served.url)
          })
        }
        // Opened by itself, a content is saved or shown without scripts.
        for (const name of ["evil.html", "evil.svg"]) {
          yield* Effect.promise(async () => {
            const link = `${served.url}api/v1/repositories/test.pxar/content?inline=true&path=/${name}`
            await page.goto(link)
            assert.notInclude(await page.title(), "owned")
          })
        }
        yield* look("<img src=x onerror=alert(1)>")
        yield* Effect.promise(() =>
          page.getByRole("heading", { name: "<img src=x onerror=alert(1)>" }).first().waitFor(),
        )
      }),
    90_000,
  )
})

describe("a film", () => {
  it.live(
    "is seeked in by ranges: what is between is not fetched",
    () =>
      Effect.gen(function* () {
        const chromium = yield* browser.launch
        const gap = 32 * 1024 * 1024
        const film = yield* Film.make(chromium, { seconds: 10, gap })
        const served = yield* browser.serve(yield* archive({ "film.webm": film }))
        const page = yield* browser.open(chromium, served.link)
        const ranges: Array<number> = []
        page.on("request", (request) => {
          const [, start] = /^bytes=(\d+)-/.exec(request.headers()["range"] ?? "") ?? []
          if (start !== undefined) ranges.push(Number(start))
        })
        yield* browser.go(page, served, "#/test.pxar/film.webm")
        const shown = yield* Effect.promise(async () => {
          const video = page.locator("video")
          await video.waitFor()
          return video.evaluate(
            (video: HTMLVideoElement) =>
              new Promise<{ readonly at: number; readonly duration: number; readonly grey: number }>(
                (resolve, reject) => {
                  video.addEventListener("error", () => reject(new Error(video.error?.message)))
                  video.addEventListener("seeked", () => {
                    const context = new OffscreenCanvas(1, 1).getContext("2d")!
                    context.drawImage(video, 0, 0, 1, 1)
                    const [grey = 0] = context.getImageData(0, 0, 1, 1).data
                    resolve({ at: video.currentTime, duration: video.duration, grey })
                  })
                  const seek = (): void => void (video.currentTime = 8.5)
                  if (video.readyState > 0) seek()
                  else video.addEventListener("loadedmetadata", seek)
                },
              ),
          )
        })
        assert.closeTo(shown.at, 8.5, 0.01)
        assert.closeTo(shown.duration, 10, 0.01)
        // Each second has a grey of its own.
        assert.closeTo(shown.grey, Film.greyOf(8), 6)
        assert.isTrue(
          ranges.some((start) => start > gap / 2),
          String(ranges),
        )
        assert.deepStrictEqual(yield* browser.violations(page), [])
      }),
    60_000,
  )
})

/** Silence of so many seconds. */
const wav = (seconds: number): Uint8Array => {
  const rate = 8000
  const bytes = Buffer.alloc(44 + rate * seconds, 128)
  bytes.write("RIFF", 0)
  bytes.writeUInt32LE(36 + rate * seconds, 4)
  bytes.write("WAVEfmt ", 8)
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(rate, 24)
  bytes.writeUInt32LE(rate, 28)
  bytes.writeUInt16LE(1, 32)
  bytes.writeUInt16LE(8, 34)
  bytes.write("data", 36)
  bytes.writeUInt32LE(rate * seconds, 40)
  return bytes
}

describe("a search", () => {
  it.live(
    "finds names in all backups below, and leads there",
    () =>
      Effect.gen(function* () {
        const { page } = yield* atPlace(GROUP)
        yield* Effect.promise(async () => {
          await page.keyboard.press("s")
          await page.keyboard.type("root-link")
          await page.keyboard.press("Enter")
          await page.getByText(/looked at/).waitFor()
          await page.getByText(/[1-9]\d* names found/).waitFor()
        })
        yield* browser.picture(page, "web-search")
        assert.deepStrictEqual(yield* browser.violations(page), [])
        yield* Effect.promise(async () => {
          await page
            .getByRole("link", { name: /zz-root-link/ })
            .first()
            .click()
          await page.getByRole("complementary", { name: "About zz-root-link" }).waitFor()
        })
      }),
    60_000,
  )
})

describe("a desk, dark", () => {
  it.live(
    "has the groups of a datastore, and all attributes of a file with its ACL",
    () =>
      Effect.gen(function* () {
        const served = yield* browser.serve(Datastores.store("datastore-plain"))
        const page = yield* browser.open(yield* browser.launch, served.link, { colorScheme: "dark" })
        yield* Effect.promise(() =>
          page
            .getByRole("link", { name: /Host\s*alpha/ })
            .first()
            .waitFor(),
        )
        yield* browser.picture(page, "web-backups")
        yield* browser.go(page, served, `${ROOT}/acl/masked`)
        yield* Effect.promise(async () => {
          await page.getByRole("tab", { name: "Details" }).click()
          await page.getByText("user:1000:rwx").waitFor()
          await page.getByText("1 byte", { exact: true }).waitFor()
        })
        yield* browser.picture(page, "web-details")
        assert.deepStrictEqual(yield* browser.violations(page), [])
      }),
    60_000,
  )
})

describe("screens", () => {
  it.live.each([
    ["a telephone, dark", { viewport: { width: 320, height: 640 }, colorScheme: "dark" }],
    ["a wall, light", { viewport: { width: 3840, height: 2160 }, colorScheme: "light" }],
    ["a desk at 200 %, dark", { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2, colorScheme: "dark" }],
  ] as const)(
    "of %s have room for it, and nothing that axe finds",
    ([, options]) =>
      Effect.gen(function* () {
        const served = yield* browser.serve(golden("tree-v1.pxar"), Datastores.store("datastore-plain"))
        const page = yield* browser.open(yield* browser.launch, served.link, options)
        for (const place of ["#/datastore-plain/", ROOT, `${ROOT}/zz-root-link`, "#/tree-v1.pxar/caps"]) {
          yield* browser.go(page, served, place)
          yield* Effect.promise(() => page.locator(".group, [role=row]").first().waitFor())
          const width = yield* Effect.promise(() => page.evaluate(() => document.documentElement.scrollWidth))
          assert.isAtMost(width, options.viewport.width, place)
          // What is beside a folder covers it where there is no room for both.
          if (place.endsWith("zz-root-link") && options.viewport.width <= 960) {
            const panel = yield* Effect.promise(() => page.locator(".panel").boundingBox())
            assert.deepStrictEqual([panel?.x, panel?.width], [0, options.viewport.width])
          }
          assert.deepStrictEqual(yield* browser.violations(page), [], place)
        }
      }),
    90_000,
  )
})
