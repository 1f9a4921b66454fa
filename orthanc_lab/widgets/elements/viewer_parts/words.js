// Numbers as people read them.
const MINUS = "−";

function numberWords(value, digits = 2) {
  if (Number.isNaN(value)) return "no value";
  const text = Math.abs(value) >= 1e6 || (value && Math.abs(value) < 1e-3) ? value.toPrecision(4) : String(Number(value.toFixed(digits)));
  return text.replace("-", MINUS);
}

const withUnit = (text, unit) => (unit && text !== "no value" ? `${text} ${unit}` : text);

// The pixel whose value is held for another one: itself, unless the picture was thinned out.
function heldPixel(picture, { x, y }) {
  const [column, row] = [x, y].map((at) => Math.floor((at + 0.5) / picture.step) * picture.step);
  return { x: column, y: row };
}

// The index of a pixel in the values of a picture, -1 outside of it.
function indexOf(picture, x, y) {
  const [column, row] = [x, y].map((at) => Math.floor((at + 0.5) / picture.step));
  return column >= 0 && row >= 0 && column < picture.columns && row < picture.rows ? row * picture.columns + column : -1;
}

// "43 HU (1067 × 1 − 1024)": the value of a pixel, and how it is made of the stored one.
function valueWords(picture, x, y) {
  const index = indexOf(picture, x, y);
  if (index < 0 || !picture.values) return "";
  if (picture.kind === "rgb") {
    const [red, green, blue] = picture.values.subarray(index * 3, index * 3 + 3);
    return `red ${red}, green ${green}, blue ${blue}`;
  }
  const value = picture.values[index];
  const text = withUnit(numberWords(value, 4), picture.unit);
  const { slope, intercept } = picture;
  if ((slope === 1 && intercept === 0) || Number.isNaN(value) || !slope) return text;
  const stored = Math.round((value - intercept) / slope); // stored values are whole
  const offset = `${intercept < 0 ? MINUS : "+"} ${numberWords(Math.abs(intercept), 6)}`;
  return `${text} (${numberWords(stored)} × ${numberWords(slope, 6)} ${offset})`;
}

// "column 12, row 7 · L 10.5 P 3.0 H 40.0 mm"
function placeWords(picture, x, y) {
  const pixel = `column ${Math.round(x)}, row ${Math.round(y)}`;
  if (!isMeasured(picture)) return pixel;
  const point = pointOf(picture, Math.round(x), Math.round(y));
  const parts = point.map((one, axis) => `${AXES[axis][one < 0 ? 1 : 0]} ${Math.abs(one).toFixed(1)}`);
  return `${pixel} · ${parts.join(" ")} mm`;
}

const noted = (text, note) => (note ? `${text} ${note}` : text);
const lengthWords = ({ value, unit, note }) => noted(`${numberWords(value, 1)} ${unit}`, note);

function statisticsWords(statistics, unit) {
  if (!statistics.count) return ["no pixel"];
  const { channels, count, area, isThinned } = statistics;
  const names = channels.length === 3 ? ["red ", "green ", "blue "] : [""];
  const values = channels.flatMap(({ mean, deviation }, at) => [
    `${names[at]}mean ${withUnit(numberWords(mean), unit)}`,
    `${names[at]}deviation ${numberWords(deviation)}`,
  ]);
  const range = channels.length === 1 ? [`${numberWords(channels[0].least)} to ${numberWords(channels[0].most)}`] : [];
  const size = statistics.unit === "pixels" ? [] : [noted(`${numberWords(area, 1)} ${statistics.unit}`, statistics.note)];
  return [...values, ...range, ...size, `${count} pixels${isThinned ? " of a picture that was thinned out" : ""}`];
}

function measureWords(picture, measure) {
  if (measure.kind === "distance") return [lengthWords(distanceOf(picture, measure.from, measure.to))];
  return statisticsWords(statisticsOf(picture, measure.from, measure.to), picture.unit);
}
