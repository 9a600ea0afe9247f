/** Bytes as the specification prints them: hexadecimal digits, spaces for the eye. */
export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"))
