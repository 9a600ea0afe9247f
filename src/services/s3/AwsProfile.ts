/**
 * The files of Amazon's tools, `~/.aws/credentials` and `~/.aws/config`: settings by profile.
 */

/** Settings of a profile, by names in lower case. */
export type Profile = Readonly<Record<string, string>>

/** The settings of a profile; none if there is no such section. Settings before any section are of every profile. */
export const parse = (text: string, profile: string): Profile => {
  const settings: Record<string, string> = {}
  let isWanted = true
  for (const line of text.split(/\r?\n/)) {
    const section = /^\s*\[\s*(?:profile\s+)?([^\]]*?)\s*\]/.exec(line)
    if (section !== null) {
      isWanted = section[1]?.replaceAll(/^["']|["']$/g, "") === profile
      continue
    }
    // What is indented belongs to the setting before it: nothing that is wanted here.
    const setting = /^([A-Za-z0-9_]+)\s*=\s*(.*?)\s*$/.exec(line)
    if (isWanted && setting?.[1] !== undefined) settings[setting[1].toLowerCase()] = setting[2] ?? ""
  }
  return settings
}
