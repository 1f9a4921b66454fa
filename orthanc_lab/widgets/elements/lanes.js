// Bars over time in lanes, and a line at one moment.
const LANE = 26;
const HEAD = 80;
const AXIS = 18;
const laneTime = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: "UTC" });

function render({ model, el }) {
  el.classList.add("orthanc-lab");
  const box = document.createElement("div");
  box.className = "orthanc-lanes";
  box.setAttribute("role", "img");
  el.append(box);

  function place(node, left, top, width) {
    Object.assign(node.style, { left: `${left}px`, top: `${top}px`, width: width === undefined ? "" : `${width}px` });
    box.append(node);
  }

  function words(className, text) {
    const made = document.createElement("span");
    made.className = className;
    made.textContent = text;
    return made;
  }

  function draw() {
    const { start = 0, end = 1, cursor, lanes: of = [], starts, ends, texts, tones } = model.get("drawing");
    const bars = of.map((lane, i) => ({ lane, start: starts[i], end: ends[i], text: texts[i], tone: tones[i] }));
    const lanes = [...new Set(of)].sort();
    const width = Math.max(box.clientWidth - HEAD, 100);
    const x = (time) => HEAD + (Math.min(Math.max(time, start), end) - start) / (end - start || 1) * width;
    box.replaceChildren();
    box.style.height = `${Math.max(lanes.length, 1) * LANE + AXIS}px`;
    box.setAttribute("aria-label", `${model.get("label")}: ${model.get("words")}`);
    lanes.forEach((lane, row) => place(words("orthanc-lane", lane), 0, row * LANE));
    for (const bar of bars) {
      const made = words(`orthanc-bar orthanc-bar-${bar.tone}`, bar.text);
      made.title = `${bar.text}\n${laneTime.format(bar.start * 1000)} to ${laneTime.format(bar.end * 1000)} UTC`;
      place(made, x(bar.start), lanes.indexOf(bar.lane) * LANE + 2, Math.max(x(bar.end) - x(bar.start), 2));
    }
    const bottom = Math.max(lanes.length, 1) * LANE;
    place(words("orthanc-lane-time", bars.length ? laneTime.format(start * 1000) : ""), HEAD, bottom);
    const last = words("orthanc-lane-time orthanc-lane-end", bars.length ? laneTime.format(end * 1000) : "");
    last.style.right = "0";
    box.append(last);
    last.style.top = `${bottom}px`;
    if (cursor !== null && cursor !== undefined) {
      const line = words("orthanc-lane-cursor", "");
      line.style.height = `${bottom}px`;
      place(line, x(cursor), 0, 2);
    }
  }

  const watch = new ResizeObserver(draw);
  watch.observe(el);
  model.on("change:drawing", draw);
  draw();
  return () => {
    watch.disconnect();
    model.off("change:drawing", draw);
  };
}

export default { render };
