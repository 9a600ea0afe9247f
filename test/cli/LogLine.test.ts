import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as LogLine from "../../src/cli/LogLine.ts"
import { LogJson } from "../../src/domain/json/LogJson.ts"

const message: LogLine.Message = { level: "Warn", text: "bad", time: new Date(2026, 10, 2, 3, 4, 5, 6) }

/** As seen from this time zone. */
const iso = message.time.toISOString()

describe("a line", () => {
  it("for stderr has the program and the level, but a command's last word none", () => {
    assert.strictEqual(LogLine.forStderr(message, "text"), "pxar-fuse: warning: bad\n")
    assert.strictEqual(LogLine.forStderr({ ...message, level: "Error" }, "text"), "pxar-fuse: error: bad\n")
    assert.strictEqual(LogLine.forStderr({ ...message, level: "Fatal" }, "text"), "pxar-fuse: bad\n")
    assert.strictEqual(LogLine.forStderr({ ...message, level: "Info" }, "text"), "pxar-fuse: bad\n")
  })

  it("for a file has the time and the process too", () => {
    assert.strictEqual(LogLine.forFile(message, "text"), `${iso} pxar-fuse[${process.pid}]: warning: bad\n`)
  })

  it("for syslog has a priority and the local time, with a space for a day's missing digit", () => {
    const process_ = `pxar-fuse[${process.pid}]`
    assert.strictEqual(LogLine.forSyslog(message, "text"), `<28>Nov  2 03:04:05 ${process_}: warning: bad`)
    const december = { ...message, level: "Debug", time: new Date(2026, 11, 31, 23, 59, 59) } as const
    assert.strictEqual(LogLine.forSyslog(december, "text"), `<31>Dec 31 23:59:59 ${process_}: bad`)
  })

  it("as JSON has what is said as members, in one line, wherever it goes", () => {
    const full = { ...message, text: "two\nlines", detail: "stack", members: { path: "/x" } }
    const expected: LogJson = { time: iso, level: "warning", message: "two\nlines", detail: "stack", path: "/x" }
    for (const line of [LogLine.forStderr(full, "json"), LogLine.forFile(full, "json")]) {
      assert.strictEqual(line.indexOf("\n"), line.length - 1)
      assert.deepStrictEqual(Schema.decodeUnknownSync(Schema.fromJsonString(LogJson))(line), expected)
    }
    const syslog = LogLine.forSyslog(full, "json")
    assert.deepStrictEqual(JSON.parse(syslog.slice(syslog.indexOf("{"))), expected)
  })
})
