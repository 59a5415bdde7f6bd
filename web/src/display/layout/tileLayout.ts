// Where each tile stands on the screen. Pure: sizes in, rectangles out, in CSS pixels from the area's top left.

export interface Size {
  width: number;
  height: number;
}

export interface Rect extends Size {
  x: number;
  y: number;
}

export interface TileLayout {
  tiles: Rect[];
  selfView: Rect;
}

const ASPECT_RATIO = 16 / 9;
const COLUMN_SHARE = 0.28; // of the width, at most, for one column of thumbnails
const COLUMNS_SHARE = 0.36; // and for several columns together
const SMALLEST_SHARE = 0.15; // of the height: lower thumbnails get another column
const SELF_VIEW_SHARE = 0.17; // of the width, for the self view where it covers a tile

/** Rectangles for `count` tiles and the self view. `large`: the first tile is the stage, the others are thumbnails. */
export function layOutTiles(area: Size, count: number, large: boolean, gap: number): TileLayout {
  if (area.width <= 0 || area.height <= 0) return { tiles: [], selfView: { x: 0, y: 0, width: 0, height: 0 } };
  const portrait = area.width < area.height;
  if (count === 0 || (count === 1 && !portrait)) {
    return { tiles: count === 0 ? [] : [{ x: 0, y: 0, ...area }], selfView: cornerOf(area, gap) };
  }
  if (!large && count > 1) return { tiles: gridIn({ x: 0, y: 0, ...area }, count, gap), selfView: cornerOf(area, gap) };
  return portrait ? belowStage(area, count, gap) : besideStage(area, count, gap);
}

/** Thumbnails and self view stand in columns to the right of the stage. */
function besideStage(area: Size, count: number, gap: number): TileLayout {
  const { columns, size } = columnsFor(area, count, gap);
  const rows = Math.ceil(count / columns);
  const width = columns * size.width + (columns - 1) * gap;
  const top = (area.height - rows * size.height - (rows - 1) * gap) / 2;
  const small = Array.from({ length: count }, (_, index) => ({
    x: area.width - width + (index % columns) * (size.width + gap),
    y: top + Math.floor(index / columns) * (size.height + gap),
    ...size,
  }));
  const stage = centred({ x: 0, y: 0, width: area.width - width - gap, height: area.height });
  return withSelfView([stage, ...small]);
}

/** As few columns as leave the thumbnails large enough for viewers at the back of a room. */
function columnsFor(area: Size, count: number, gap: number): { columns: number; size: Size } {
  const candidates = [1, 2, 3].map((columns) => {
    const rows = Math.ceil(count / columns);
    const share = columns === 1 ? COLUMN_SHARE : COLUMNS_SHARE;
    const width = Math.min(
      ((area.height - (rows - 1) * gap) / rows) * ASPECT_RATIO,
      (area.width * share - (columns - 1) * gap) / columns,
    );
    return { columns, size: { width, height: width / ASPECT_RATIO } };
  });
  const [first] = candidates.filter((each) => each.size.height >= area.height * SMALLEST_SHARE);
  const largest = candidates.reduce((best, each) => (each.size.height > best.size.height ? each : best));
  return first ?? largest;
}

/** On a portrait screen the stage is on top, the others below. */
function belowStage(area: Size, count: number, gap: number): TileLayout {
  const height = Math.min(area.width / ASPECT_RATIO, area.height * 0.55);
  const stage = centred({ x: 0, y: 0, width: area.width, height });
  const rest = { x: 0, y: height + gap, width: area.width, height: area.height - height - gap };
  return withSelfView([stage, ...gridIn(rest, count, gap, true)]);
}

/** `count` equal tiles, as large as possible. `top`: at the upper edge, not in the middle. */
function gridIn(area: Rect, count: number, gap: number, top = false): Rect[] {
  const candidates = Array.from({ length: count }, (_, each) => {
    const columns = each + 1;
    const rows = Math.ceil(count / columns);
    const width = Math.min(
      (area.width - (columns - 1) * gap) / columns,
      ((area.height - (rows - 1) * gap) / rows) * ASPECT_RATIO,
    );
    return { columns, rows, width, height: width / ASPECT_RATIO };
  });
  const { columns, rows, width, height } = candidates.reduce((best, each) => (each.width > best.width ? each : best));
  const upper = top ? 0 : (area.height - rows * height - (rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = (area.width - inRow * width - (inRow - 1) * gap) / 2;
    return { x: area.x + left + (index % columns) * (width + gap), y: area.y + upper + row * (height + gap), width, height };
  });
}

function centred(area: Rect): Rect {
  const width = Math.min(area.width, area.height * ASPECT_RATIO);
  const height = width / ASPECT_RATIO;
  return { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
}

function cornerOf(area: Size, gap: number): Rect {
  const width = Math.max(110, Math.min(area.width, area.height * ASPECT_RATIO) * SELF_VIEW_SHARE);
  const height = width / ASPECT_RATIO;
  return { x: area.width - width - gap, y: area.height - height - gap, width, height };
}

/** The last rectangle is the self view's. */
function withSelfView(rects: Rect[]): TileLayout {
  return { tiles: rects.slice(0, -1), selfView: rects.at(-1) ?? { x: 0, y: 0, width: 0, height: 0 } };
}
