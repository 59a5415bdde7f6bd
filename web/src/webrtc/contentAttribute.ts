// The one line of an offer that calls a picture a shared screen. Browsers have no word for it.

/** The offer with all its pictures named "slides" (RFC 4796 5). */
export function withSlidesContent(offer: string): string {
  return offer
    .split(/^(?=m=)/m)
    .map((section) => (section.startsWith("m=video") ? section.replace(/^a=mid:.*\r?\n/m, "$&a=content:slides\r\n") : section))
    .join("");
}
