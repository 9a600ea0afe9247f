/**
 * Variables for the programs that are started: those of this process but for its secrets, which are nobody else's.
 */

type Variables = Readonly<Record<string, string | undefined>>

/** Variables that hold a secret: the reference client's (server §2), and those of Amazon's tools. */
const secrets = new Set(["PBS_PASSWORD", "PBS_ENCRYPTION_PASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])

/** Says that a variable holds a secret, too. */
export const withhold = (name: string): void => void secrets.add(name)

/** The variables without the secrets; those of this process unless given. */
export const withoutSecrets = (variables: Variables = process.env): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => !secrets.has(name)))

/** The secrets among the variables of this process: for another process of this program, which is told them otherwise. */
export const secretsOf = (variables: Variables = process.env): Record<string, string> =>
  Object.fromEntries(
    [...secrets].flatMap((name) => {
      const value = variables[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
