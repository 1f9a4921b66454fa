// Small multiples of lines over time. The kernel sends all samples once to a new view, and then each new one.
const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 110;
const MARGIN = { left: 44, right: 8, top: 6, bottom: 18 };
const DASHES = ["", "6 3", "2 2", "8 2 2 2"];
const COLOURS = 6; // of the style sheet
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]; // seconds between two marks of time

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: "UTC" });
const timeText = (seconds) => clock.format(new Date(seconds * 1000));

function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function html(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

function pathOf(times, values, x, y, width) {
  let text = "";
  let points = [];
  const close = () => {
    if (points.length === 1) points.push([points[0][0] + 0.01, points[0][1]]); // a lone sample is a dot
    thinned(points, width).forEach(([left, top], place) => {
      text += `${place ? "L" : "M"}${left.toFixed(1)} ${top.toFixed(1)}`;
    });
    points = [];
  };
  times.forEach((time, place) => {
    if (Number.isFinite(values[place])) points.push([x(time), y(values[place])]);
    else close();
  });
  close();
  return text;
}

class Chart {
  /** @type {number[]} */ times = [];
  /** @type {number[][]} */ rows = [];
  /** @type {number | null} the place of a sample */ cursor = null;
  begin = 0; // seconds, as end
  end = 0;
  inner = 0; // pixels between the margins
  /** @type {(time: number) => number} */ x = () => 0;
  /** @type {(value: number) => number} */ y = () => 0;
  /** @type {Element | null} */ mark = null;

  constructor({ title, unit, lines }) {
    this.title = title;
    this.unit = unit;
    this.lines = lines;
    this.plot = svg("svg", { role: "img", tabindex: 0, height: HEIGHT });
    this.tip = html("div", "tip");
    this.tip.hidden = true;
    const legend = html("ul", "legend");
    this.lasts = lines.map((label, number) => {
      const last = html("b", "");
      const swatch = svg("svg", { width: 18, height: 8, "aria-hidden": true }, svg("path", { d: "M0 4H18", ...look(number, lines.length) }));
      legend.append(html("li", "", swatch, ` ${label} `, last));
      return last;
    });
    this.node = html("figure", "", html("figcaption", "", html("strong", "", title), unit ? ` (${unit})` : ""), this.plot, this.tip, legend);
    this.plot.addEventListener("pointermove", (event) => this.point(event.offsetX));
    this.plot.addEventListener("pointerleave", () => this.leave());
    this.plot.addEventListener("blur", () => this.leave());
    this.plot.addEventListener("keydown", (event) => this.onKey(event));
  }

  onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") this.leave();
    else if (step && this.times.length) {
      this.cursor = Math.min(Math.max((this.cursor ?? this.times.length) + step, 0), this.times.length - 1);
      this.drawCursor();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  point(left) {
    if (!this.times.length) return;
    const time = this.begin + ((left - MARGIN.left) / this.inner) * (this.end - this.begin);
    let nearest = 0;
    this.times.forEach((other, place) => {
      if (Math.abs(other - time) < Math.abs(this.times[nearest] - time)) nearest = place;
    });
    this.cursor = nearest;
    this.drawCursor();
  }

  leave() {
    this.cursor = null;
    this.drawCursor();
  }

  draw(times, rows, begin, end) {
    const width = this.plot.clientWidth || 260;
    this.inner = width - MARGIN.left - MARGIN.right;
    if (this.cursor !== null) this.cursor = times.indexOf(this.times[this.cursor]); // it stays at its time
    if (this.cursor === -1) this.cursor = null;
    Object.assign(this, { times, rows, begin, end });
    let [low, high] = [Infinity, -Infinity];
    for (const row of rows) for (const value of row) if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
    const [bottom, top] = axisRange(low, high, rows.length);
    this.x = (time) => MARGIN.left + ((time - begin) / (end - begin)) * this.inner;
    this.y = (value) => HEIGHT - MARGIN.bottom - ((value - bottom) / (top - bottom)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
    this.mark = svg("path", { class: "cursor", d: "" });
    this.plot.replaceChildren(
      ...this.valueMarks(bottom, top, width),
      ...this.timeMarks(),
      ...rows.map((row, number) => svg("path", { d: pathOf(times, row, this.x, this.y, this.inner), ...look(number, rows.length) })),
      this.mark,
    );
    const texts = rows.map((row, number) => {
      const text = valueText(row.at(-1) ?? NaN, this.unit);
      this.lasts[number].textContent = text;
      return `${this.lines[number]} ${text === "–" ? "no value" : text}`;
    });
    this.plot.setAttribute("aria-label", `${this.title}, ${timeText(begin)} to ${timeText(end)} UTC; now ${texts.join(", ")}`);
    this.drawCursor();
  }

  valueMarks(bottom, top, width) {
    const step = Math.max(niceStep(top - bottom, 3), this.unit ? 0 : 1); // what has no unit is counted
    const marks = [];
    for (let value = Math.ceil(bottom / step) * step; value <= top + step * 1e-6; value += step) {
      const height = this.y(value);
      marks.push(
        svg("path", { class: "grid", d: `M${MARGIN.left} ${height}H${width - MARGIN.right}` }),
        svg("text", { x: MARGIN.left - 5, y: height + 4, "text-anchor": "end" }, numberText(+value.toPrecision(12))),
      );
    }
    return marks;
  }

  timeMarks() {
    const span = this.end - this.begin;
    const step = STEPS.find((seconds) => (seconds / span) * this.inner >= 75) ?? 7200;
    const marks = [];
    for (let time = Math.ceil(this.begin / step) * step; time <= this.end; time += step) {
      const left = this.x(time);
      if (left < MARGIN.left + 20 || left > MARGIN.left + this.inner - 16) continue;
      const text = step < 60 ? timeText(time) : timeText(time).slice(0, 5);
      marks.push(svg("text", { x: left, y: HEIGHT - 4, "text-anchor": "middle" }, text));
    }
    return marks;
  }

  drawCursor() {
    const cursor = this.cursor;
    this.tip.hidden = cursor === null;
    if (cursor === null) {
      this.mark?.setAttribute("d", "");
      return;
    }
    const left = this.x(this.times[cursor]);
    this.mark?.setAttribute("d", `M${left} ${MARGIN.top}V${HEIGHT - MARGIN.bottom}`);
    const values = this.rows.map((row, number) => html("div", "", `${this.lines[number]} ${valueText(row[cursor], this.unit)}`));
    this.tip.replaceChildren(html("div", "", `${timeText(this.times[cursor])} UTC`), ...values);
    this.tip.setAttribute("role", "status");
    const isRight = left > MARGIN.left + this.inner / 2;
    this.tip.style.left = isRight ? "" : `${left + 10}px`;
    this.tip.style.right = isRight ? `calc(100% - ${left - 10}px)` : "";
  }
}

function look(number, count) {
  const dash = DASHES[Math.floor(number / COLOURS) % DASHES.length];
  const width = count > 1 ? Math.max(3 - 0.5 * number, 1.3) : 1.8; // one line on another stays visible
  return { class: `line colour${number % COLOURS}`, "stroke-dasharray": dash, "stroke-width": width };
}

function render({ model, el }) {
  el.classList.add("orthanc-lab", "line-charts");
  keepKeys(el);
  el.setAttribute("role", "group");
  const grid = html("div", "charts");
  const empty = html("div", "empty");
  el.append(grid, empty);
  let charts = [];
  let times = [];
  let rows = []; // one for each line of each chart
  let frame = 0;

  function draw() {
    frame = 0;
    if (!el.clientWidth) return; // in a hidden tab; it gets a size when the tab is shown
    el.setAttribute("aria-label", model.get("label"));
    empty.textContent = model.get("empty");
    empty.hidden = charts.length > 0;
    const end = times.at(-1) ?? 0;
    const begin = end - model.get("window");
    const first = Math.max(times.findIndex((time) => time >= begin) - 1, 0); // one before: the line comes from the edge
    const shown = times.slice(first);
    let place = 0;
    for (const chart of charts) {
      const count = chart.lines.length;
      chart.draw(shown, rows.slice(place, place + count).map((row) => row.slice(first)), begin, end);
      place += count;
    }
  }

  function drawSoon() {
    frame ||= requestAnimationFrame(draw);
  }

  function takeAll({ charts: shown }, buffers) {
    const numbers = buffers.map((buffer) => new Float64Array(buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength)));
    const same = JSON.stringify(shown) === JSON.stringify(charts.map(({ title, unit, lines }) => ({ title, unit, lines })));
    if (!same) {
      charts = shown.map((chart) => new Chart(chart));
      grid.replaceChildren(...charts.map((chart) => chart.node));
    }
    times = [...numbers[0]];
    rows = numbers.slice(1).map((row) => [...row]);
    drawSoon();
  }

  function takeOne({ time, values }) {
    if (values.length !== rows.length) return; // all are on their way
    times.push(time);
    values.forEach((value, number) => rows[number].push(value ?? NaN));
    const excess = times.length - model.get("capacity");
    if (excess > 0) for (const list of [times, ...rows]) list.splice(0, excess);
    drawSoon();
  }

  const onMessage = (content, buffers) => (content.kind === "all" ? takeAll(content, buffers) : takeOne(content));
  model.on("msg:custom", onMessage);
  for (const name of ["window", "label", "empty"]) model.on(`change:${name}`, drawSoon);
  const size = new ResizeObserver(drawSoon);
  size.observe(el);
  draw();
  model.send({ kind: "view" });
  return () => {
    size.disconnect();
    cancelAnimationFrame(frame);
    model.off("msg:custom", onMessage);
  };
}

export default { render };
