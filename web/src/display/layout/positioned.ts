// A Svelte attachment that puts an element at a rectangle; the style sheet animates the move.

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
