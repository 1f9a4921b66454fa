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

// The colour of each possible value of a kind; kept until the window changes.
function makeTables() {
  const kept = new Map();
  return (kind, { center, width }, colours) => {
    const old = kept.get(kind);
    if (old && old.center === center && old.width === width && old.colours === colours) return old.table;
    const table = new Uint32Array(kind === "uint8" ? 256 : 65536);
    for (let bits = 0; bits < table.length; bits++) {
      const value = kind === "int16" && bits > 32767 ? bits - 65536 : bits;
      table[bits] = colours[levelOf(value, center, width)];
    }
    kept.set(kind, { center, width, colours, table });
    return table;
  };
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

// Paint that part onto a canvas of its size.
function paint(canvas, picture, part, tables, window, colours) {
  canvas.width = part.wide;
  canvas.height = part.high;
  if (!part.wide || !part.high) return;
  const context = canvas.getContext("2d");
  const image = context.createImageData(part.wide, part.high);
  fillPixels(new Uint32Array(image.data.buffer), picture, part, tables, window, colours);
  context.putImageData(image, 0, 0);
}
