// Slices: the kernel sends pixel values, which are drawn here by window centre and width.
const ARRAYS = { int16: Int16Array, float32: Float32Array, rgb: Uint8Array };

function newStore() {
  return { stack: -1, slices: new Map(), views: new Set() };
}

function receive(store, message, buffers) {
  if (message.stack !== store.stack) {
    store.stack = message.stack;
    store.slices.clear();
  }
  const view = buffers[0];
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  const values = message.kind === "none" ? null : new ARRAYS[message.kind](bytes);
  store.slices.set(message.position, { ...message, values });
  for (const position of message.dropped) store.slices.delete(position);
  for (const draw of store.views) draw(message.position);
}

function make(tag, className, parent, attributes = {}) {
  const made = document.createElement(tag);
  made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent.append(made);
  return made;
}

function paint(canvas, slice, center, width, inverted) {
  canvas.width = slice.columns;
  canvas.height = slice.rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(slice.columns, slice.rows);
  const pixels = image.data;
  const { values } = slice;
  if (slice.kind === "rgb") {
    for (let from = 0, to = 0; to < pixels.length; from += 3, to += 4) {
      pixels[to] = values[from];
      pixels[to + 1] = values[from + 1];
      pixels[to + 2] = values[from + 2];
      pixels[to + 3] = 255;
    }
  } else {
    const grey = new Uint32Array(pixels.buffer);
    const span = Math.max(width - 1, 1e-6); // the linear function of the standard, PS3.3 C.11.2.1.2
    for (let i = 0; i < values.length; i++) {
      let level = ((values[i] - center + 0.5) / span + 0.5) * 255;
      level = level <= 0 ? 0 : level >= 255 ? 255 : level + 0.5;
      if (inverted) level = 255 - level;
      grey[i] = 0xff000000 | ((level & 255) * 0x010101);
    }
  }
  context.putImageData(image, 0, 0);
}

function renderViewer(store, model, el) {
  el.classList.add("orthanc-lab", "orthanc-viewer");
  keepKeys(el);
  const frame = make("div", "orthanc-frame", el);
  const canvas = make("canvas", "", frame, { role: "img", tabindex: "0" });
  const words = make("div", "orthanc-none", frame);
  const caption = make("div", "orthanc-caption", el, { "aria-live": "polite" });
  const lines = make("div", "orthanc-sliders", el);

  function slider(text) {
    const label = make("label", "", lines);
    make("span", "", label).textContent = text;
    const range = make("input", "", label, { type: "range" });
    const number = make("input", "", label, { type: "number", "aria-label": text });
    return { label, range, number };
  }

  const place = slider("Slice");
  const menuLabel = make("label", "", lines);
  make("span", "", menuLabel).textContent = "Window";
  const menu = make("select", "", menuLabel);
  const center = slider("Centre");
  const width = slider("Width");
  let shown = { center: model.get("center"), width: model.get("width") }; // while a slider moves, ahead of the kernel

  function drawPicture() {
    const position = model.get("position");
    const slice = model.get("stack") === store.stack ? store.slices.get(position) : undefined;
    const text = model.get("words") || (slice ? slice.words : "");
    const isLate = !slice && !model.get("words");
    frame.classList.toggle("orthanc-late", isLate);
    words.textContent = text || (isLate && !canvas.width ? "Loading …" : "");
    words.hidden = !words.textContent;
    canvas.hidden = Boolean(text);
    caption.textContent = model.get("caption");
    canvas.setAttribute("aria-label", model.get("caption") || model.get("label"));
    if (!slice || !slice.values) return;
    paint(canvas, slice, shown.center, shown.width, model.get("is_inverted"));
    const high = slice.rows * model.get("aspect");
    canvas.style.aspectRatio = `${slice.columns} / ${high}`;
    canvas.style.width = `min(100%, ${Math.round(Math.max(384, Math.min(slice.columns, 768)) * Math.min(1, slice.columns / high))}px)`;
    for (const line of [menuLabel, center.label, width.label]) line.hidden = slice.kind === "rgb";
  }

  function drawWindow() {
    const span = model.get("high") - model.get("low");
    const step = span > 20 ? 1 : span / 200 || 1;
    for (const [pair, low, high, value] of [
      [center, model.get("low"), model.get("high"), shown.center],
      [width, step, Math.max(span, 1) * 1.5, shown.width],
    ]) {
      Object.assign(pair.range, { min: low, max: high, step });
      pair.range.value = value;
      pair.number.step = step;
      if (pair.number !== document.activeElement) pair.number.value = Math.round(value * 100) / 100;
    }
    const windows = model.get("windows");
    const names = ["By hand", ...windows.map((one) => one.name)];
    if ([...menu.options].map((one) => one.text).join() !== names.join())
      menu.replaceChildren(...names.map((name, at) => new Option(name, String(at - 1))));
    menu.value = windows.findIndex((one) => one.center === shown.center && one.width === shown.width);
  }

  function drawAll() {
    const count = model.get("count");
    shown = { center: model.get("center"), width: model.get("width") };
    lines.hidden = count === 0;
    place.label.hidden = count < 2;
    Object.assign(place.range, { min: 1, max: count });
    Object.assign(place.number, { min: 1, max: count });
    place.range.value = model.get("position") + 1;
    place.range.setAttribute("aria-valuetext", model.get("caption"));
    if (place.number !== document.activeElement) place.number.value = model.get("position") + 1;
    drawWindow();
    drawPicture();
  }

  function go(position) {
    const wanted = Math.max(0, Math.min(model.get("count") - 1, position));
    if (!Number.isFinite(wanted) || wanted === model.get("position")) return;
    model.set("position", wanted);
    model.save_changes();
  }

  let isWaiting = false;
  function setWindow(change, isFinal) {
    shown = { ...shown, ...change };
    shown.width = Math.max(shown.width, 1e-3);
    if (!isWaiting) {
      isWaiting = true;
      requestAnimationFrame(() => {
        isWaiting = false;
        drawWindow();
        drawPicture();
      });
    }
    if (isFinal) {
      model.set(shown);
      model.save_changes();
    }
  }

  function onKey(event) {
    const steps = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
    if (event.key in steps) go(model.get("position") + steps[event.key]);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(model.get("count") - 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  place.range.addEventListener("input", () => go(Number(place.range.value) - 1));
  place.number.addEventListener("change", () => go(Number(place.number.value) - 1));
  for (const [name, pair] of Object.entries({ center, width })) {
    pair.range.addEventListener("input", () => setWindow({ [name]: Number(pair.range.value) }, false));
    pair.range.addEventListener("change", () => setWindow({ [name]: Number(pair.range.value) }, true));
    pair.number.addEventListener("change", () => setWindow({ [name]: Number(pair.number.value) }, true));
  }
  menu.addEventListener("change", () => {
    const chosen = model.get("windows")[Number(menu.value)];
    if (chosen) setWindow({ center: chosen.center, width: chosen.width }, true);
  });
  canvas.addEventListener("keydown", onKey);
  canvas.addEventListener("wheel", (event) => {
    if (canvas.getRootNode().activeElement !== canvas) return; // else the page scrolls
    go(model.get("position") + Math.sign(event.deltaY));
    event.preventDefault();
  });
  let drag = null; // where a drag began, and the window then
  canvas.addEventListener("pointerdown", (event) => {
    canvas.focus();
    drag = { x: event.clientX, y: event.clientY, ...shown };
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  const dragged = (event) => {
    const scale = (model.get("high") - model.get("low")) / 512;
    return {
      center: drag.center + (event.clientY - drag.y) * scale,
      width: Math.max(drag.width + (event.clientX - drag.x) * scale, scale || 1),
    };
  };
  canvas.addEventListener("pointermove", (event) => drag && setWindow(dragged(event), false));
  canvas.addEventListener("pointerup", (event) => {
    if (drag && (event.clientX !== drag.x || event.clientY !== drag.y)) setWindow(dragged(event), true);
    drag = null;
  });
  canvas.addEventListener("pointercancel", () => (drag = null));
  canvas.title = "Arrow keys: slices; drag: window centre and width";

  const onSlice = (position) => position === model.get("position") && drawPicture();
  store.views.add(onSlice);
  model.on("change", drawAll);
  drawAll();
  return () => {
    store.views.delete(onSlice);
    model.off("change", drawAll);
  };
}

export default () => {
  const store = newStore();
  return {
    initialize({ model }) {
      model.on("msg:custom", (message, buffers) => receive(store, message, buffers));
      model.send({ kind: "hello" });
    },
    render: ({ model, el }) => renderViewer(store, model, el),
  };
};
