// What can be done with the panes, whoever asks for it: pointer, keys or controls.
function makeDesk({ state, model, parts, panes, layer, redraw, go, cine, scenes, hold }) {
  const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
  const viewOf = (pane) => settled(pane.view, pane.shown.picture, pane);
  const shownPanes = () => scenes().map((scene) => panes.get(scene.name)).filter((pane) => pane?.shown?.picture);
  const active = () => panes.get(scenes()[state.active]?.name) ?? panes.get("main");

  // Words about a pixel: for the eye at once, for a screen reader only when keys were pressed.
  function tell(pane, pixel, isSpoken) {
    const picture = pane?.shown?.picture;
    const at = picture && pixel && heldPixel(picture, pixel);
    const value = at ? valueWords(picture, at.x, at.y) : "";
    const over = value ? othersOf(pane).map((other) => overWords(picture, at, other)).join("") : "";
    const words = value ? `${value}${over} · ${placeWords(picture, at.x, at.y)}` : "";
    parts.readout.textContent = words || "\u00a0";
    if (isSpoken) parts.live.textContent = words;
  }

  // The pictures of the other series, if the same place can be found there.
  function othersOf(pane) {
    if (pane.shown.over) return state.second.isByPlace ? [pane.shown.over.picture] : [];
    const isLinked = state.mode === "beside" && state.second.isByPlace;
    return isLinked ? shownPanes().filter((other) => other !== pane).map((other) => other.shown.picture) : [];
  }

  function overWords(picture, pixel, other) {
    if (!isMeasured(picture) || !isMeasured(other)) return "";
    const at = pixelOf(other, pointOf(picture, pixel.x, pixel.y));
    const words = valueWords(other, at.x, at.y);
    return words && `, in the other series ${words}`;
  }

  const whole = ({ x, y }) => ({ x: Math.round(x), y: Math.round(y) });

  function inside(picture, { x, y }) {
    return { x: clamp(x, 0, picture.columns * picture.step - 1), y: clamp(y, 0, picture.rows * picture.step - 1) };
  }

  // Put the cursor on a pixel; in three planes they move to it.
  function point(pane, pixel, isSpoken = false) {
    const { picture, layer: number } = pane.shown;
    const at = inside(picture, whole(pixel));
    const spot = isMeasured(picture) ? pointOf(picture, at.x, at.y) : null;
    const isShared = Boolean(layer(0).about.frame) && layer(0).about.frame === layer(1).about?.frame;
    state.cursor = { name: pane.name, ...at, point: spot, place: picture.place, layer: number, isShared };
    if (state.mode === "planes" && spot) {
      const first = layer(0);
      const slice = first.slices.get(state.position);
      const layout = slice && state.layoutOf(first, slice);
      if (layout && !layout.problem) {
        const nearest = stackPosition(layout, spot);
        state.focus = { x: nearest.x, y: nearest.y };
        go(nearest.position);
      }
    }
    tell(pane, at, isSpoken);
    redraw();
  }

  // The position of a pane is that of the first series, or of the plane; never that of what was drawn last.
  const positionIn = ({ shown }) => (shown.axis ? state.focus[shown.axis] : state.position);
  const countIn = ({ shown }) => Math.max(shown.axis ? shown.count : model.get("count"), 1);

  function goIn(pane, position) {
    const { axis } = pane.shown;
    if (!axis) return go(position);
    state.focus[axis] = clamp(Math.round(position), 0, countIn(pane) - 1);
    if (state.cursor?.name === pane.name) state.cursor = null;
    redraw();
  }

  // -- window
  function setWindow(number, change) {
    const next = { ...state.windows[number], ...change };
    state.windows[number] = { center: next.center, width: Math.max(next.width, 1e-3) };
    redraw();
  }

  function dragWindow(pane, before, right, down) {
    const { low, high } = layer(pane.shown.layer);
    const scale = (high - low) / 512;
    setWindow(pane.shown.layer, { center: before.center + down * scale, width: Math.max(before.width + right * scale, scale || 1) });
  }

  function finishWindow(number) {
    if (number !== 0) return;
    model.set(state.windows[0]);
    model.save_changes();
  }

  // -- zoom; two series side by side move together
  function setView(pane, view) {
    pane.view = view;
    const linked = state.mode === "beside" ? shownPanes().filter((other) => other !== pane) : [];
    const { picture } = pane.shown;
    for (const other of linked) other.view = view.scale === null ? view : likewise(viewOf(pane), picture, other.shown.picture, state.second.isByPlace);
    redraw();
  }

  const zoom = (pane, factor) => pane?.shown?.picture && setView(pane, zoomed(viewOf(pane), pane, factor, pane.width / 2, pane.height / 2));
  const fit = () => { for (const pane of panes.values()) pane.view = { scale: null }; redraw(); };
  const oneToOne = (pane) => pane?.shown?.picture && setView(pane, { ...viewOf(pane), scale: 1 / (window.devicePixelRatio || 1) });

  // -- measurements
  function draft(pane, measure) {
    const { picture } = pane.shown;
    const ends = { from: inside(picture, measure.from), to: inside(picture, measure.to) };
    state.draft = { name: pane.name, measure: { kind: measure.kind, ...ends } };
    redraw();
  }

  function finishDraft(pane, isKept) {
    const made = state.draft;
    state.draft = null;
    if (made && isKept) {
      const key = pane.shown.measureKey;
      state.measures.set(key, [...(state.measures.get(key) ?? []), made.measure]);
      parts.live.textContent = measureWords(pane.shown.picture, made.measure).join(", ");
    }
    redraw();
  }

  function removeLast(pane) {
    const key = pane?.shown?.measureKey;
    if (state.draft) state.draft = null;
    else if (state.measures.has(key)) state.measures.set(key, state.measures.get(key).slice(0, -1));
    redraw();
  }

  // Enter at the cursor: the first point of a measurement, then the second.
  function enter(pane) {
    if (!MEASURES.includes(state.tool) || state.cursor?.name !== pane.name) return false;
    const at = { x: state.cursor.x, y: state.cursor.y };
    if (state.draft?.name === pane.name) finishDraft(pane, true);
    else draft(pane, { kind: state.tool, from: at, to: at });
    return true;
  }

  function moveCursor(pane, [right, down], distance) {
    const view = viewOf(pane);
    const from = state.cursor?.name === pane.name ? state.cursor : whole(view);
    point(pane, { x: from.x + right * distance, y: from.y + down * distance }, true);
    if (state.draft?.name === pane.name) draft(pane, { ...state.draft.measure, to: { x: state.cursor.x, y: state.cursor.y } });
  }

  // -- keys: whether this one was meant for the picture
  function press(key, isShifted, pane) {
    const { tool } = state;
    const letter = TOOLS.find((one) => one.letter === key);
    const actions = {
      "+": () => zoom(pane, 1.25), "=": () => zoom(pane, 1.25), "-": () => zoom(pane, 0.8),
      f: fit, 1: () => oneToOne(pane), i: invert, " ": () => (cine.isPlaying ? cine.stop() : cine.play()),
      Home: () => goIn(pane, 0), End: () => goIn(pane, countIn(pane) - 1),
      Delete: () => removeLast(pane), Backspace: () => removeLast(pane), Escape: () => { state.cursor = null; state.draft = null; redraw(); },
    };
    if (letter) choose(letter.key);
    else if (key in SLICE_KEYS) goIn(pane, positionIn(pane) + SLICE_KEYS[key]);
    else if (key === "Enter") return enter(pane);
    else if (key in ARROWS && pane.shown.picture && CURSOR_TOOLS.includes(tool)) moveCursor(pane, ARROWS[key], isShifted ? 10 : 1);
    else if (key in ARROWS && pane.shown.picture && tool === "pan") {
      const [right, down] = ARROWS[key].map((one) => one * (isShifted ? 100 : 10));
      setView(pane, panned(viewOf(pane), right, down));
    } else if (key in ARROWS) goIn(pane, positionIn(pane) + ARROWS[key][0] + ARROWS[key][1]);
    else if (key in actions) actions[key]();
    else return false;
    return true;
  }

  function invert() {
    state.isInverted = !state.isInverted;
    redraw();
  }

  function choose(tool) {
    state.tool = tool;
    state.draft = null;
    redraw();
  }

  return {
    get tool() { return state.tool; },
    windowOf: (pane) => state.windows[pane.shown.layer],
    positionIn, countIn,
    hover: (pane, pixel) => tell(pane, pixel, false),
    activate(pane) { state.active = Math.max(0, scenes().findIndex((scene) => scene.name === pane.name)); redraw(); },
    finishWindow: (pane) => finishWindow(pane.shown.layer),
    setWindow, tellWindow: finishWindow, active, hold, point, goIn, dragWindow, setView, zoom, fit, oneToOne, draft, finishDraft,
    press, invert, choose, shownPanes,
    clear() { state.measures.clear(); state.draft = null; state.cursor = null; redraw(); },
  };
}
