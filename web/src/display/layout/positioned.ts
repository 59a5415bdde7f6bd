// Puts an element at its place; the style sheet makes it move there smoothly.

import type { Attachment } from "svelte/attachments";
import type { Rect } from "./tileLayout";

export function positioned(rect: Rect | undefined): Attachment<HTMLElement> {
  return ({ style }) => {
    if (rect === undefined) return;
    style.left = `${rect.x}px`;
    style.top = `${rect.y}px`;
    style.width = `${rect.width}px`;
    style.height = `${rect.height}px`;
  };
}
