// Lengths and statistics of values in real units; in pixels where the size of a pixel is not known.
const WHERE = {
  patient: "", regions: "",
  detector: "at the detector",
  calibrated: "calibrated",
  film: "on the film",
  unknown: "not calibrated",
};

// The size of a pixel at some points: in mm, or in pixels.
function scaleAt(picture, points) {
  const { spacing } = picture;
  if (spacing.kind === "none") return { row: 1, column: 1, unit: "pixels", note: "" };
  if (spacing.kind !== "regions") return { row: spacing.row, column: spacing.column, unit: "mm", note: WHERE[spacing.kind] };
  const isIn = (one, { x, y }) => one.left <= x && x <= one.right && one.top <= y && y <= one.bottom;
  const region = spacing.regions.find((one) => points.every((point) => isIn(one, point)));
  return region ? { ...region, unit: "mm", note: "" } : { row: 1, column: 1, unit: "pixels", note: "not in one region" };
}

function distanceOf(picture, from, to) {
  const scale = scaleAt(picture, [from, to]);
  return { value: Math.hypot((to.x - from.x) * scale.column, (to.y - from.y) * scale.row), unit: scale.unit, note: scale.note };
}

const isInside = (middle, radius, x, y) =>
  ((x - middle.x) / radius.x) ** 2 + ((y - middle.y) / radius.y) ** 2 <= 1 + 1e-9;

// The statistics of the values whose pixels have their centre in the ellipse between two corners.
function statisticsOf(picture, from, to) {
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  const radius = { x: Math.max(Math.abs(to.x - from.x) / 2, 1e-6), y: Math.max(Math.abs(to.y - from.y) / 2, 1e-6) };
  const scale = scaleAt(picture, [from, to]);
  const { step, rows, columns, values } = picture;
  const channels = picture.kind === "rgb" ? 3 : 1;
  const found = Array.from({ length: channels }, () => ({ mean: 0, squares: 0, least: Infinity, most: -Infinity, count: 0 }));
  const first = (value) => Math.max(Math.ceil(value / step), 0);
  for (let row = first(middle.y - radius.y - 1e-6); row < rows && row * step <= middle.y + radius.y + 1e-6; row++)
    for (let column = first(middle.x - radius.x - 1e-6); column < columns && column * step <= middle.x + radius.x + 1e-6; column++) {
      if (!isInside(middle, radius, column * step, row * step)) continue;
      for (let channel = 0; channel < channels; channel++) {
        const value = values[(row * columns + column) * channels + channel];
        if (Number.isNaN(value)) continue;
        const one = found[channel];
        one.count += 1;
        const off = value - one.mean;
        one.mean += off / one.count;
        one.squares += off * (value - one.mean);
        one.least = Math.min(one.least, value);
        one.most = Math.max(one.most, value);
      }
    }
  return {
    channels: found.map(({ count, squares, ...one }) => ({ ...one, count, deviation: count ? Math.sqrt(squares / count) : 0 })),
    count: found[0].count,
    area: Math.PI * radius.x * scale.column * radius.y * scale.row,
    unit: scale.unit === "mm" ? "mm²" : "pixels",
    note: scale.note,
    isThinned: step > 1,
  };
}

// The window that leaves out the lowest and the highest percent of the values.
function middleWindow(picture) {
  const known = Float32Array.from(picture.values).filter((value) => !Number.isNaN(value)).sort();
  if (!known.length) return undefined;
  const at = (share) => known[Math.round(share * (known.length - 1))];
  const [low, high] = [at(0.01), at(0.99)];
  return { center: (low + high) / 2, width: Math.max(high - low, known[known.length - 1] > known[0] ? 1e-3 : 1) };
}

// A round length for a scale bar of at most `most` millimetres: 1, 2 or 5 times a power of ten.
function roundLength(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return power * ([5, 2].find((one) => one * power <= most * (1 + 1e-9)) ?? 1);
}
