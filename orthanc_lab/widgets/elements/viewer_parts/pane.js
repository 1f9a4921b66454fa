// One picture on a canvas of its own, with what is written over it.
function makePane(parent, name) {
  const frame = make("div", "orthanc-frame", parent);
  const canvas = make("canvas", "", frame, { role: "img", tabindex: "0" });
  const words = make("div", "orthanc-none", frame);
  const pane = {
    name, frame, canvas, words,
    width: 0, height: 0,
    view: /** @type {any} */ ({ scale: null }),
    buffer: newBuffer(), over: newBuffer(),
    tables: makeTables(), overTables: makeTables(),
    label: "", painted: "", overPainted: "", shown: /** @type {any} */ (null),
  };
  return pane;
}

const newBuffer = () => ({ canvas: document.createElement("canvas"), context: null, image: null, pixels: null });

// Whether a pane has a size: in a hidden tab, and for a moment while the page changes its theme, it has none.
const hasSize = (pane) => pane.frame.clientWidth > 0 && pane.frame.clientHeight > 0;

function fitCanvas(pane) {
  const ratio = window.devicePixelRatio || 1;
  pane.width = pane.frame.clientWidth;
  pane.height = pane.frame.clientHeight;
  const [wide, high] = [Math.round(pane.width * ratio), Math.round(pane.height * ratio)];
  if (pane.canvas.width !== wide || pane.canvas.height !== high) Object.assign(pane.canvas, { width: wide, height: high });
  return ratio;
}

// Draw the part of a picture that is seen; values that were painted already are kept.
function drawPicture(context, pane, view, ratio, shown) {
  const { picture } = shown;
  const [start, end] = [toPicture(view, pane, 0, 0), toPicture(view, pane, pane.width, pane.height)];
  const { step } = picture;
  const seen = { left: (start.x + 0.5) / step, top: (start.y + 0.5) / step, right: (end.x + 0.5) / step, bottom: (end.y + 0.5) / step };
  const part = seenPart(picture, seen, view.scale * Math.min(1, view.aspect) * step * ratio);
  const { center, width } = shown.window;
  const key = [shown.key, picture.held, part.left, part.top, part.step, part.wide, part.high, center, width, shown.isInverted].join();
  if (key !== pane.painted) paint(pane.buffer, picture, part, pane.tables, shown.window, shown.isInverted ? INVERTED : GREYS);
  pane.painted = key;
  if (!part.wide || !part.high) return;
  const corner = toPane(view, pane, part.left * step - 0.5, part.top * step - 0.5);
  context.imageSmoothingEnabled = view.scale < 6;
  const wide = part.wide * part.step * step * view.scale;
  context.drawImage(pane.buffer.canvas, corner.x, corner.y, wide, part.high * part.step * step * view.scale * view.aspect);
}

// Draw a second picture over the first, where it lies in the patient.
function drawOver(context, pane, view, ratio, picture, over) {
  const { picture: upper } = over;
  const [a, b, c, d, e, f] = mapping(upper, picture, over.isByPlace);
  const step = Math.max(1, Math.floor(1 / (view.scale * Math.hypot(a, b) * upper.step * ratio)));
  const whole = { left: 0, top: 0, step, wide: Math.ceil(upper.columns / step), high: Math.ceil(upper.rows / step) };
  const key = [over.key, step, over.window.center, over.window.width].join();
  if (key !== pane.overPainted) paint(pane.over, upper, whole, pane.overTables, over.window, HOT);
  pane.overPainted = key;
  const across = view.scale;
  const down = view.scale * view.aspect;
  const start = toPane(view, pane, e, f);
  context.save();
  context.transform(a * across, b * down, c * across, d * down, start.x, start.y);
  context.globalAlpha = over.opacity;
  context.imageSmoothingEnabled = true;
  context.drawImage(pane.over.canvas, -0.5, -0.5, whole.wide * step * upper.step, whole.high * step * upper.step);
  context.restore();
}

function drawPane(pane, shown) {
  const { picture, words } = shown;
  pane.shown = shown;
  pane.frame.classList.toggle("orthanc-late", shown.isLate);
  if (pane.words.textContent !== words) pane.words.textContent = words;
  pane.words.hidden = !words;
  if (pane.label !== shown.label) pane.canvas.setAttribute("aria-label", (pane.label = shown.label));
  if (!hasSize(pane) || (shown.isLate && pane.painted)) return; // what was there stays until the slice comes
  const ratio = fitCanvas(pane);
  const context = pane.canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = "#000";
  context.fillRect(0, 0, pane.width, pane.height);
  pane.canvas.style.visibility = picture || !words ? "" : "hidden";
  if (!picture) {
    pane.painted = "";
    return;
  }
  const view = settled(pane.view, picture, pane);
  drawPicture(context, pane, view, ratio, shown);
  if (shown.over) drawOver(context, pane, view, ratio, picture, shown.over);
  drawLetters(context, pane, edgeLetters(picture.place, shown.letters));
  drawBar(context, pane, barOf(picture, view, pane));
  drawTitles(context, pane, shown.titles);
  for (const point of shown.crosses) drawCross(context, pane, toPane(view, pane, point.x, point.y), shown.isPlane);
  for (const measure of shown.measures) drawMeasure(context, pane, view, measure, measureWords(picture, measure));
}
