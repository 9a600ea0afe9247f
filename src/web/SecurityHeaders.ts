/**
 * What browsers are told about each response. Contents of backups are somebody else's: on no account do they run on the
 * origin of the page.
 */

const always = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "x-frame-options": "DENY",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

/** For the page itself: its own files, nothing inline, nothing from elsewhere. */
export const page: Readonly<Record<string, string>> = {
  ...always,
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
}

/** For everything else: if it is shown at all, then without scripts, as a page of no origin. */
export const data: Readonly<Record<string, string>> = {
  ...always,
  "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
}
