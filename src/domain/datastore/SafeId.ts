/**
 * Names that a datastore gives to namespaces, groups and archives: no path can be hidden in one (datastore §0).
 */

/** Whether a text is such a name. */
export const isSafeId = (text: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(text)
