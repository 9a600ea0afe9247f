/**
 * What is used of undici: loaded by the first connection. The command has it as one file of its own, which its parts share.
 */
export { EnvHttpProxyAgent } from "undici"
