// What is written over a picture: letters of the directions, a scale bar, measurements, the cursor.
const FONT = "13px system-ui, sans-serif";
const LINE = 17; // height of a line

function outlined(context, text, x, y, align = "left") {
  context.font = FONT;
  context.textAlign = align;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = "rgb(0 0 0 / .8)";
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

function drawLetters(context, pane, edges) {
  context.fillStyle = "#ffd866";
  outlined(context, edges.left, 6, pane.height / 2);
  outlined(context, edges.right, pane.width - 6, pane.height / 2, "right");
  outlined(context, edges.top, pane.width / 2, 12, "center");
  outlined(context, edges.bottom, pane.width / 2, pane.height - 12, "center");
}

// The length that a bar of at most a quarter of the pane stands for, and its length on the pane.
function barOf(picture, view, pane) {
  const { spacing } = picture;
  if (spacing.kind === "none" || (spacing.kind === "regions" && spacing.regions.length !== 1)) return null;
  const scale = spacing.kind === "regions" ? { ...spacing.regions[0], unit: "mm", note: "" } : scaleAt(picture, []);
  const length = roundLength(((pane.width / 4) * scale.column) / view.scale);
  const text = length >= 10 ? `${numberWords(length / 10)} cm` : `${numberWords(length, 3)} mm`;
  return { long: (length / scale.column) * view.scale, text: noted(text, scale.note) };
}

function drawBar(context, pane, bar) {
  if (!bar) return;
  const [right, bottom] = [pane.width - 10, pane.height - 14];
  for (const [colour, wide] of [["rgb(0 0 0 / .8)", 4], ["#fff", 1.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.beginPath();
    context.moveTo(right - bar.long, bottom - 4);
    context.lineTo(right - bar.long, bottom);
    context.lineTo(right, bottom);
    context.lineTo(right, bottom - 4);
    context.stroke();
  }
  context.fillStyle = "#fff";
  outlined(context, bar.text, right, bottom - 14, "right");
}

function drawMeasure(context, pane, view, measure, words) {
  const [from, to] = [measure.from, measure.to].map(({ x, y }) => toPane(view, pane, x, y));
  for (const [colour, wide] of [["rgb(0 0 0 / .8)", 4], ["#8be9fd", 1.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.beginPath();
    if (measure.kind === "distance") {
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
    } else {
      context.ellipse((from.x + to.x) / 2, (from.y + to.y) / 2, Math.abs(to.x - from.x) / 2, Math.abs(to.y - from.y) / 2, 0, 0, 2 * Math.PI);
    }
    context.stroke();
  }
  context.fillStyle = "#8be9fd";
  context.font = FONT;
  const wide = Math.max(...words.map((line) => context.measureText(line).width), 0);
  const { left, top } = besides(pane, from, to, wide, LINE * words.length);
  words.forEach((line, at) => outlined(context, line, left, top + LINE * (at + 0.5)));
}

// Where words find room beside what they speak of: right of it, else left, else below or above.
function besides(pane, from, to, wide, high) {
  const within = (value, room, most) => Math.max(4, Math.min(value, most - room - 4));
  const [west, east] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
  const [north, south] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
  const top = within((north + south) / 2 - high / 2, high, pane.height);
  if (east + 8 + wide < pane.width) return { left: east + 8, top };
  if (west - 8 - wide > 0) return { left: west - 8 - wide, top };
  const left = within((west + east) / 2 - wide / 2, wide, pane.width);
  return { left, top: south + 4 + high < pane.height ? south + 4 : within(north - 4 - high, high, pane.height) };
}

// The name of what is shown, at the left; below the letter of the upper edge if it would meet it.
function drawTitles(context, pane, titles) {
  context.fillStyle = "#ddd";
  context.font = FONT;
  const widest = Math.max(...titles.map((line) => context.measureText(line).width), 0);
  const top = widest + 8 > pane.width / 2 - 16 ? 14 + LINE : 14;
  titles.forEach((line, at) => outlined(context, line, 8, top + LINE * at));
}

function drawCross(context, pane, { x, y }, isWhole) {
  const reach = isWhole ? Math.max(pane.width, pane.height) : 9;
  for (const [colour, wide] of [["rgb(0 0 0 / .6)", 3], ["#50fa7b", 1]]) {
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.beginPath();
    for (const side of [-1, 1]) {
      context.moveTo(x + side * 4, y);
      context.lineTo(x + side * reach, y);
      context.moveTo(x, y + side * 4);
      context.lineTo(x, y + side * reach);
    }
    context.stroke();
  }
}
