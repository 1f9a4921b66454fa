// Builds the controls of the viewer, draws their state, and does what they ask for.
const MIDDLE = "middle"; // the window of the middle 98 % of a slice
const BY_HAND = "-1";
const REPEATS = [{ value: "loop", label: "over and over" }, { value: "back", label: "back and forth" }, { value: "once", label: "once" }];

function makeParts(el) {
  const bar = make("div", "orthanc-actions", el, { role: "toolbar", "aria-label": "Picture" });
  const frames = make("div", "orthanc-frames", el);
  const readout = make("div", "orthanc-readout", el);
  const caption = make("div", "orthanc-caption", el, { "aria-live": "polite" });
  const live = make("div", "orthanc-live", el, { "aria-live": "polite" });
  const lines = make("div", "orthanc-sliders", el);
  const place = slider(lines, "Slice");
  const cine = make("div", "orthanc-cine", lines);
  const windows = menu(lines, "Window", []);
  const center = slider(lines, "Center");
  const width = slider(lines, "Width");
  const more = make("div", "orthanc-arrangement", lines);
  return {
    bar, frames, readout, caption, live, lines, place, windows, center, width, cine, more,
    mode: menu(more, "Show", MODES),
    compared: menu(more, "Second series", []),
    target: menu(more, "Window of", [{ value: "0", label: "first series" }, { value: "1", label: "second series" }]),
    opacity: slider(more, "Opacity, %"),
    help: helpOn(el),
  };
}

function listenToControls(parts, desk, { state, model, layer, redraw, go, cine, teller, panes, scenes }) {
  parts.tools = toolButtons(parts.bar, (tool) => desk.choose(tool));
  const group = make("div", "orthanc-tools", parts.bar);
  button(group, "Fit", "Show the whole picture (f)", desk.fit);
  button(group, "1:1", "One image pixel per screen pixel (1)", () => desk.oneToOne(desk.active()));
  button(group, "+", "Zoom in (+)", () => desk.zoom(desk.active(), 1.25)).setAttribute("aria-label", "Zoom in");
  button(group, "−", "Zoom out (−)", () => desk.zoom(desk.active(), 0.8)).setAttribute("aria-label", "Zoom out");
  parts.invert = button(group, "Invert", "White for black (i)", desk.invert);
  button(group, "Clear", "Remove all measurements and the cursor", desk.clear);
  button(group, "Save PNG", "Save what is seen as a picture", () => {
    const shown = desk.shownPanes();
    if (shown.length) savePicture(shown, `${model.get("about").title ?? ""} ${state.position + 1}`);
  });
  parts.play = button(parts.cine, "Play", "Play the slices (Space)", () => (cine.isPlaying ? cine.stop() : cine.play()));
  const speed = make("label", "orthanc-menu", parts.cine);
  make("span", "", speed).textContent = "Slices per second";
  parts.rate = make("input", "", speed, { type: "number", min: "1", max: "60", step: "1" });
  parts.repeat = menu(parts.cine, "Repeat", REPEATS).select;
  parts.player = cine;
  parts.rate.addEventListener("change", () => { cine.rate = Math.max(1, Math.min(60, Number(parts.rate.value) || 10)); redraw(); });
  parts.repeat.addEventListener("change", () => { cine.repeat = parts.repeat.value; });

  parts.place.range.addEventListener("input", () => go(Number(parts.place.range.value) - 1));
  parts.place.number.addEventListener("change", () => go(Number(parts.place.number.value) - 1));
  const target = () => Number(parts.target.select.value) || 0;
  for (const [name, pair] of Object.entries({ center: parts.center, width: parts.width })) {
    const set = (input, isFinal) => {
      desk.setWindow(target(), { [name]: Number(input.value) });
      if (isFinal) desk.tellWindow(target());
    };
    pair.range.addEventListener("input", () => set(pair.range, false));
    pair.range.addEventListener("change", () => set(pair.range, true));
    pair.number.addEventListener("change", () => set(pair.number, true));
  }
  parts.windows.select.addEventListener("change", () => {
    const { value } = parts.windows.select;
    const picture = panes.get(target() ? "second" : "main")?.shown?.picture ?? panes.get("main")?.shown?.over?.picture;
    const chosen = value === MIDDLE ? picture && middleWindow(picture) : layer(target()).windows[Number(value)];
    if (!chosen) return;
    desk.setWindow(target(), { center: chosen.center, width: chosen.width });
    desk.tellWindow(target());
  });
  parts.target.select.addEventListener("change", redraw);
  parts.mode.select.addEventListener("change", () => {
    state.mode = parts.mode.select.value;
    state.cursor = null;
    teller.whole(0, state.mode === "planes" || cine.isPlaying);
    redraw();
  });
  parts.compared.select.addEventListener("change", () => {
    model.set("compared", parts.compared.select.value);
    model.save_changes();
  });
  const fade = (event) => { state.opacity = Math.max(0, Math.min(100, Number(event.target.value))) / 100; redraw(); };
  parts.opacity.range.addEventListener("input", fade);
  parts.opacity.number.addEventListener("change", fade);
}

const isWindow = (one, other) => one.center === other.center && one.width === other.width;

function drawWindow(parts, shown, layer, picture) {
  const span = layer.high - layer.low;
  const step = span > 20 ? 1 : span / 200 || 1;
  setSlider(parts.center, { low: layer.low, high: layer.high, step, value: shown.center });
  setSlider(parts.width, { low: step, high: Math.max(span, 1) * 1.5, step, value: shown.width });
  const names = (layer.windows ?? []).map((one, at) => ({ value: String(at), label: one.name }));
  fillMenu(parts.windows.select, [{ value: BY_HAND, label: "By hand" }, ...names, { value: MIDDLE, label: "Middle 98 % of this slice" }]);
  const found = (layer.windows ?? []).findIndex((one) => isWindow(one, shown));
  write(parts.windows.select, { value: found });
  const isColour = picture?.kind === "rgb";
  for (const line of [parts.windows.label, parts.center.label, parts.width.label]) line.hidden = isColour;
}

function drawControls(parts, state, model, first, second, scenes) {
  const isEmpty = first.count === 0;
  parts.frames.classList.toggle("orthanc-blank", isEmpty);
  const hasTwo = second.count > 0 && (state.mode === "beside" || state.mode === "over");
  parts.lines.hidden = parts.bar.hidden = parts.help.hidden = parts.readout.hidden = isEmpty;
  parts.place.label.hidden = parts.cine.hidden = first.count < 2;
  const caption = first.about.captions?.[state.position] ?? "";
  if (parts.caption.textContent !== caption && !parts.player.isPlaying) parts.caption.textContent = caption;
  setSlider(parts.place, { low: 1, high: first.count, step: 1, value: state.position + 1 });
  write(parts.place.range, { ariaValueText: caption });
  parts.tools(state.tool);
  write(parts.invert, { ariaPressed: state.isInverted });
  write(parts.play, { textContent: parts.player.isPlaying ? "Stop" : "Play" });
  if (parts.rate !== parts.rate.getRootNode().activeElement) write(parts.rate, { value: Math.round(parts.player.rate) });
  write(parts.mode.select, { value: state.mode });
  const choices = model.get("choices");
  fillMenu(parts.compared.select, [{ value: "", label: "none" }, ...choices.map((one) => ({ value: one.id, label: one.label }))]);
  write(parts.compared.select, { value: model.get("compared") });
  parts.compared.label.hidden = !choices.length || state.mode === "one" || state.mode === "planes";
  for (const option of parts.mode.select.options) option.disabled = !choices.length && (option.value === "beside" || option.value === "over");
  parts.target.label.hidden = !hasTwo;
  if (!hasTwo) parts.target.select.value = "0";
  parts.opacity.label.hidden = !hasTwo || state.mode !== "over";
  setSlider(parts.opacity, { low: 0, high: 100, step: 5, value: state.opacity * 100 });
  const chosen = Number(parts.target.select.value);
  const scene = scenes.find((one) => one.layer === chosen && one.picture);
  drawWindow(parts, state.windows[chosen], chosen ? second : first, scene?.picture);
}
