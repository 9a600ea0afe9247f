/**
 * A step of `extract --dry-run --json` as a line.
 */
import * as ExtractStepJson from "../../domain/json/ExtractStepJson.ts"
import * as JsonText from "../../domain/json/JsonText.ts"

export const toJson = (step: ExtractStepJson.Step): string => JsonText.line(ExtractStepJson.make(step))
