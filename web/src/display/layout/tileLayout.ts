// Where the pictures stand on the screen. Pure: sizes in, rectangles out, all in CSS pixels from the field's left top.

export interface Size {
  width: number;
  height: number;
}

export interface Rect extends Size {
  x: number;
  y: number;
}

export interface Arrangement {
  tiles: Rect[];
  own: Rect;
}

const SHAPE = 16 / 9;
const COLUMN_SHARE = 0.28; // one column of thumbnails takes no more of the width,
const COLUMNS_SHARE = 0.36; // several together no more than this
const SMALLEST_SHARE = 0.15; // a thumbnail lower than this part of the field asks for another column
const OWN_SHARE = 0.17; // our own picture where it lies over others

/** Places for `count` tiles and for our own picture; `large`: the first tile is the stage, the others its thumbnails. */
export function arrange(field: Size, count: number, large: boolean, gap: number): Arrangement {
  if (field.width <= 0 || field.height <= 0) return { tiles: [], own: { x: 0, y: 0, width: 0, height: 0 } };
  const upright = field.width < field.height;
  if (count === 0 || (count === 1 && !upright)) {
    return { tiles: count === 0 ? [] : [{ x: 0, y: 0, ...field }], own: cornerOf(field, gap) };
  }
  if (!large && count > 1) return { tiles: gridIn({ x: 0, y: 0, ...field }, count, gap), own: cornerOf(field, gap) };
  return upright ? belowStage(field, count, gap) : besideStage(field, count, gap);
}

/** Thumbnails and our own picture in columns to the right of the stage. */
function besideStage(field: Size, count: number, gap: number): Arrangement {
  const { columns, size } = columnsFor(field, count, gap);
  const rows = Math.ceil(count / columns);
  const width = columns * size.width + (columns - 1) * gap;
  const top = (field.height - rows * size.height - (rows - 1) * gap) / 2;
  const small = Array.from({ length: count }, (_, place) => ({
    x: field.width - width + (place % columns) * (size.width + gap),
    y: top + Math.floor(place / columns) * (size.height + gap),
    ...size,
  }));
  const stage = centred({ x: 0, y: 0, width: field.width - width - gap, height: field.height });
  return split([stage, ...small]);
}

/** As few columns as leave the thumbnails large enough to be told apart from the back of a room. */
function columnsFor(field: Size, count: number, gap: number): { columns: number; size: Size } {
  const found = [1, 2, 3].map((columns) => {
    const rows = Math.ceil(count / columns);
    const share = columns === 1 ? COLUMN_SHARE : COLUMNS_SHARE;
    const width = Math.min(
      ((field.height - (rows - 1) * gap) / rows) * SHAPE,
      (field.width * share - (columns - 1) * gap) / columns,
    );
    return { columns, size: { width, height: width / SHAPE } };
  });
  const [first] = found.filter((each) => each.size.height >= field.height * SMALLEST_SHARE);
  const largest = found.reduce((best, each) => (each.size.height > best.size.height ? each : best));
  return first ?? largest;
}

/** On an upright screen: the stage on top, the others below. */
function belowStage(field: Size, count: number, gap: number): Arrangement {
  const height = Math.min(field.width / SHAPE, field.height * 0.55);
  const stage = centred({ x: 0, y: 0, width: field.width, height });
  const rest = { x: 0, y: height + gap, width: field.width, height: field.height - height - gap };
  return split([stage, ...gridIn(rest, count, gap, true)]);
}

/** `count` equal tiles, as large as they can be; `top`: at the upper edge instead of in the middle. */
function gridIn(field: Rect, count: number, gap: number, top = false): Rect[] {
  const found = Array.from({ length: count }, (_, each) => {
    const columns = each + 1;
    const rows = Math.ceil(count / columns);
    const width = Math.min(
      (field.width - (columns - 1) * gap) / columns,
      ((field.height - (rows - 1) * gap) / rows) * SHAPE,
    );
    return { columns, rows, width, height: width / SHAPE };
  });
  const { columns, rows, width, height } = found.reduce((best, each) => (each.width > best.width ? each : best));
  const upper = top ? 0 : (field.height - rows * height - (rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, place) => {
    const row = Math.floor(place / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = (field.width - inRow * width - (inRow - 1) * gap) / 2;
    return { x: field.x + left + (place % columns) * (width + gap), y: field.y + upper + row * (height + gap), width, height };
  });
}

function centred(place: Rect): Rect {
  const width = Math.min(place.width, place.height * SHAPE);
  const height = width / SHAPE;
  return { x: place.x + (place.width - width) / 2, y: place.y + (place.height - height) / 2, width, height };
}

function cornerOf(field: Size, gap: number): Rect {
  const width = Math.max(110, Math.min(field.width, field.height * SHAPE) * OWN_SHARE);
  const height = width / SHAPE;
  return { x: field.width - width - gap, y: field.height - height - gap, width, height };
}

/** The last of these is for our own picture. */
function split(places: Rect[]): Arrangement {
  return { tiles: places.slice(0, -1), own: places.at(-1) ?? { x: 0, y: 0, width: 0, height: 0 } };
}
