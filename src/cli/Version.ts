/**
 * The version of the command: that of package.json.
 */
export const version = "0.1.0"
