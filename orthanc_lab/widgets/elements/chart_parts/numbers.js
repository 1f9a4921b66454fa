// Numbers, axes and lines of charts.
const PREFIXES = [
  { from: 1e9, factor: 1e9, prefix: "G" },
  { from: 1e6, factor: 1e6, prefix: "M" },
  { from: 1e4, factor: 1e3, prefix: "k" },
];

// The digits of a number and the prefix of its unit.
function scaled(value) {
  const { factor, prefix } = PREFIXES.find(({ from }) => Math.abs(value) >= from) ?? { factor: 1, prefix: "" };
  return [String(+(value / factor).toPrecision(prefix ? 3 : 4)), prefix];
}

function numberText(value) {
  return Number.isFinite(value) ? scaled(value).join(" ").trim() : "–";
}

// "54.1 MB/s", "12 k/s", "12,345 ms": a prefix goes with bytes and with what is counted, not with other units.
function valueText(value, unit) {
  if (!unit || !Number.isFinite(value)) return numberText(value);
  const [digits, prefix] = scaled(value);
  if (!prefix) return `${digits} ${unit}`;
  if (unit.startsWith("bytes")) return `${digits} ${prefix}B${unit.slice("bytes".length)}`;
  if (unit.startsWith("1/")) return `${digits} ${prefix}${unit.slice(1)}`;
  return `${Math.round(value).toLocaleString("en")} ${unit}`;
}

function niceStep(span, marks) {
  const raw = span / marks;
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
}

// The axis begins at 0, so that the lines of a chart can be compared; with a single line, unless that would hide its changes.
function axisRange(low, high, lines = 1) {
  if (low > high) return [0, 1];
  const floor = low >= 0 && (lines > 1 || low < 0.7 * high) ? 0 : low;
  if (high > floor) return [floor, high];
  return high === 0 ? [0, 1] : [floor - Math.abs(floor) * 0.05, high + Math.abs(high) * 0.05];
}

// Few points a pixel: the lowest and the highest of each column stay.
function thinned(points, width) {
  if (points.length <= 4 * width) return points;
  const kept = [];
  for (let start = 0; start < points.length; ) {
    const column = Math.floor(points[start][0]);
    let end = start;
    let low = start;
    let high = start;
    for (; end < points.length && Math.floor(points[end][0]) === column; end += 1) {
      if (points[end][1] < points[low][1]) low = end;
      if (points[end][1] > points[high][1]) high = end;
    }
    for (const place of new Set([start, Math.min(low, high), Math.max(low, high), end - 1])) kept.push(points[place]);
    start = end;
  }
  return kept;
}
