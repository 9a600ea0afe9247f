/**
 * What the runner of the tests has inherited is not passed on to the programs that tests start: the command does more when
 * it has inherited something, and must be tested in the same way by whoever starts the tests.
 */
import * as ProcessSyscalls from "../../src/cli/internal/ProcessSyscalls.ts"

ProcessSyscalls.closeOnExec(3)
