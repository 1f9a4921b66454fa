// Pixels of a canvas from values, by tables: the linear function of the standard (PS3.3 C.11.2.1.2).
const OPAQUE = 0xff000000;
const GREYS = Uint32Array.from({ length: 256 }, (_, level) => (OPAQUE | (level * 0x010101)) >>> 0);
const INVERTED = GREYS.slice().reverse();
// Black-body colours, whose lowest level is transparent: what lies over another picture.
const HOT = Uint32Array.from({ length: 256 }, (_, level) => {
  const [red, green, blue] = [0, 85, 170].map((from) => Math.max(0, Math.min(255, (level - from) * 3)));
  return level ? (OPAQUE | (blue << 16) | (green << 8) | red) >>> 0 : 0;
});

const ARRAYS = { uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, float32: Float32Array, rgb: Uint8Array };
const BITS = { uint8: Uint8Array, int16: Uint16Array, uint16: Uint16Array }; // as indices of a table

function levelOf(value, center, width) {
  const level = ((value - center + 0.5) / Math.max(width - 1, 1e-6) + 0.5) * 255;
  return level <= 0 ? 0 : level >= 255 ? 255 : Math.floor(level + 0.5); // NaN stays NaN
}

// The colour of each possible value of a kind; kept until the window changes. Most values are at one of its ends, so
// only those between are computed.
function makeTables() {
  const kept = new Map();
  return (kind, { center, width }, colours) => {
    const old = kept.get(kind);
    if (old && old.center === center && old.width === width && old.colours === colours) return old.table;
    const table = old?.table ?? new Uint32Array(kind === "uint8" ? 256 : 65536);
    const lowest = kind === "int16" ? -32768 : 0;
    const within = (value) => Math.max(lowest, Math.min(lowest + table.length, value));
    const reach = Math.max(width - 1, 1e-6) / 2;
    const [from, to] = [within(Math.floor(center - 0.5 - reach)), within(Math.ceil(center - 0.5 + reach))];
    fillValues(table, lowest, from, colours[0]);
    for (let value = from; value < to; value++) table[value & (table.length - 1)] = colours[levelOf(value, center, width)];
    fillValues(table, to, lowest + table.length, colours[255]);
    kept.set(kind, { center, width, colours, table });
    return table;
  };
}

// Set the values from `first` up to `end`, which are the indices of the table, the negative ones at its end.
function fillValues(table, first, end, colour) {
  if (first < 0) table.fill(colour, first + table.length, Math.min(end, 0) + table.length);
  if (end > 0) table.fill(colour, Math.max(first, 0), end);
}

// Fill `pixels` with every `step`th pixel of a part of a picture.
function fillPixels(pixels, picture, part, tables, window, colours) {
  const { values, columns, kind } = picture;
  const { left, top, wide, high, step } = part;
  if (kind === "rgb") {
    for (let row = 0, to = 0; row < high; row++)
      for (let from = ((top + row * step) * columns + left) * 3, end = to + wide; to < end; to++, from += 3 * step)
        pixels[to] = OPAQUE | (values[from + 2] << 16) | (values[from + 1] << 8) | values[from];
    return;
  }
  if (kind === "float32") {
    const { center, width } = window;
    for (let row = 0, to = 0; row < high; row++)
      for (let from = (top + row * step) * columns + left, end = to + wide; to < end; to++, from += step)
        pixels[to] = colours[levelOf(values[from], center, width)] ?? 0; // nothing for NaN
    return;
  }
  const table = tables(kind, window, colours);
  const bits = picture.bits;
  for (let row = 0, to = 0; row < high; row++)
    for (let from = (top + row * step) * columns + left, end = to + wide; to < end; to++, from += step) pixels[to] = table[bits[from]];
}

// The part of a picture that is seen, and how coarsely: what a screen cannot show is not painted.
function seenPart(picture, seen, scale) {
  const step = Math.max(1, Math.floor(1 / scale));
  const start = (value) => Math.max(0, Math.floor(value / step) * step);
  const [left, top] = [start(seen.left), start(seen.top)];
  const count = (from, to, most) => Math.max(0, Math.ceil((Math.min(to + 1, most) - from) / step));
  return { left, top, step, wide: count(left, Math.ceil(seen.right), picture.columns), high: count(top, Math.ceil(seen.bottom), picture.rows) };
}

// Paint that part onto a canvas of its size. The pixels of the last time are used again: to make them anew, a
// megabyte for each frame of a drag, keeps the garbage collector busy.
function paint(buffer, picture, part, tables, window, colours) {
  const { canvas } = buffer;
  if (!part.wide || !part.high) return;
  if (canvas.width !== part.wide || canvas.height !== part.high || !buffer.image) {
    Object.assign(canvas, { width: part.wide, height: part.high });
    buffer.context ??= canvas.getContext("2d");
    buffer.image = buffer.context.createImageData(part.wide, part.high);
    buffer.pixels = new Uint32Array(buffer.image.data.buffer);
  }
  fillPixels(buffer.pixels, picture, part, tables, window, colours);
  buffer.context.putImageData(buffer.image, 0, 0);
}
