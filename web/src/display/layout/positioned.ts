// Puts an element at its place; the style sheet makes it move there smoothly.

import type { Attachment } from "svelte/attachments";
import type { Rect } from "./tileLayout";

export function placed(place: Rect | undefined): Attachment<HTMLElement> {
  return ({ style }) => {
    if (place === undefined) return;
    style.left = `${place.x}px`;
    style.top = `${place.y}px`;
    style.width = `${place.width}px`;
    style.height = `${place.height}px`;
  };
}
