// Marks a shared screen in an offer: `a=content:slides`. Browsers have no API for it.

/** The offer with "slides" as the content of each video section (RFC 4796 5). */
export function withSlidesContent(offer: string): string {
  return offer
    .split(/^(?=m=)/m)
    .map((section) => (section.startsWith("m=video") ? section.replace(/^a=mid:.*\r?\n/m, "$&a=content:slides\r\n") : section))
    .join("");
}
