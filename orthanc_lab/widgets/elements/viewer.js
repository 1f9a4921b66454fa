// Shows slices: the kernel sends pixel values, everything else happens here.
/** @returns {any} */
function newState(model) {
  return {
    position: model.get("position"),
    second: { position: 0, isByPlace: false },
    windows: [{ center: model.get("center"), width: model.get("width") }, { center: 0, width: 1 }],
    isInverted: false, mode: "one", tool: "window", opacity: 0.5,
    focus: { x: 0, y: 0 }, cursor: null, draft: null, active: 0,
    measures: new Map(), ...planeCache(),
  };
}

const MOST_TRIES = 8; // to draw on a pane without a size

const CALM = 100; // ms between two drawings of the controls while pictures move

// Calls `act` at once, or, as long as it `isBusy`, at most once in `time` ms.
function seldom(time, isBusy, act) {
  let timer = 0;
  let last = -Infinity;
  const run = () => {
    clearTimeout(timer);
    timer = 0;
    last = performance.now();
    act();
  };
  const call = () => {
    const rest = isBusy() ? last + time - performance.now() : 0;
    if (rest <= 0) run();
    else timer ||= setTimeout(run, rest);
  };
  call.close = () => clearTimeout(timer);
  return call;
}

// The planes that were made last, so that a change of the window does not make them again.
function planeCache() {
  const layouts = new Map();
  const planes = new Map();
  return {
    layoutOf(layer, slice) {
      const known = layouts.get(layer.stack);
      if (known) return known;
      layouts.clear();
      const made = stackLayout(layer.about.places, slice.spacing, slice.rows * slice.step, slice.columns * slice.step);
      if (!made.problem) layouts.set(layer.stack, made);
      return made;
    },
    planeOf(layout, layer, axis, index) {
      const key = `${layer.stack}/${index}/${layer.slices.size}`;
      if (planes.get(axis)?.key !== key) planes.set(axis, { key, picture: planeAcross(layout, (at) => layer.slices.get(at), axis, index) });
      return planes.get(axis).picture;
    },
  };
}

function renderViewer(store, model, el) {
  el.classList.add("orthanc-lab", "orthanc-viewer");
  keepKeys(el);
  const state = newState(model);
  const layer = (number) => layerOf(store, model, number);
  const parts = makeParts(el);
  const panes = new Map();
  let scenes = [];
  let isHeld = false; // while a pointer is down, the kernel is told only of slices that are missing

  // -- drawing, at most once for a frame of the screen
  let isDue = false;
  let tries = 0;
  function redraw() {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      draw();
    });
  }

  function draw() {
    const [first, second] = [layer(0), layer(1)];
    const slice = first.slices.get(state.position);
    if (state.focus.x < 0 && slice) state.focus = { x: Math.floor((slice.columns * slice.step) / 2), y: Math.floor((slice.rows * slice.step) / 2) };
    state.second = counterpart(first, state.position, slice?.values ? slice : null, second);
    scenes = withCursor(scenesOf(state, first, second, model.get("words")), state.cursor);
    if (parts.frames.dataset.panes !== String(scenes.length)) parts.frames.dataset.panes = String(scenes.length);
    for (const scene of scenes) if (!panes.has(scene.name)) panes.set(scene.name, addPane(scene.name));
    for (const [name, pane] of panes) {
      const scene = scenes.find((one) => one.name === name);
      pane.frame.hidden = !scene;
      if (!scene) continue;
      const draft = state.draft?.name === name ? [state.draft.measure] : [];
      drawPane(pane, { ...scene, measures: [...scene.measures, ...draft] });
    }
    const isUnseen = scenes.some((scene) => !hasSize(panes.get(scene.name)));
    tries = isUnseen ? tries + 1 : 0;
    if (isUnseen && tries < MOST_TRIES) setTimeout(redraw, 250); // a size that comes back at once is not observed
    controls();
    teller.follow(first, second);
  }

  // While pictures move, what stands around them follows ten times a second: its layout costs more than the pictures.
  const controls = seldom(CALM, () => isHeld || cine.isPlaying, () => drawControls(parts, state, model, layer(0), layer(1), scenes));

  function addPane(name) {
    const pane = makePane(parts.frames, name);
    listenToPointer(pane, desk);
    sizes.observe(pane.frame);
    return pane;
  }

  const sizes = new ResizeObserver(redraw);
  const teller = makeTeller(store, model, state, () => isHeld || cine.isPlaying);
  const go = (position) => {
    const wanted = Math.max(0, Math.min(model.get("count") - 1, Math.round(position)));
    if (!Number.isFinite(wanted) || wanted === state.position) return;
    state.position = wanted;
    redraw();
  };
  const cine = makeCine({
    position: () => state.position,
    count: () => model.get("count"),
    isThere: (position) => layer(0).slices.has(position),
    ask: (position) => teller.ask(position),
    go,
    changed(isPlaying) {
      if (isPlaying) teller.whole(0, true);
      redraw();
    },
  });
  const desk = makeDesk({ state, model, parts, panes, layer, redraw, go, cine, scenes: () => scenes, hold: (is) => { isHeld = is; redraw(); } });
  listenToControls(parts, desk, { state, model, layer, redraw, go, cine, teller, panes, scenes: () => scenes });

  // -- what the kernel changes
  function onStack() {
    cine.stop();
    Object.assign(state, { position: model.get("position"), cursor: null, draft: null, active: 0, isInverted: false, focus: { x: -1, y: -1 } });
    cine.rate = model.get("about").rate ?? 10;
    state.measures.clear();
    for (const pane of panes.values()) Object.assign(pane, { view: { scale: null }, painted: "" });
    state.windows[0] = { center: model.get("center"), width: model.get("width") };
    teller.reset();
    if (state.mode === "planes") teller.whole(0, true);
    redraw();
  }
  function onSecond() {
    const [{ center, width } = { center: 0, width: 1 }] = model.get("second_windows").windows;
    state.windows[1] = { center, width };
    const pane = panes.get("second");
    if (pane) Object.assign(pane, { view: { scale: null }, painted: "" });
    state.active = 0;
    redraw();
  }
  let offered = model.get("second_windows").windows;
  function onWiderWindow() {
    const before = offered.find((one) => isWindow(one, state.windows[1]));
    offered = model.get("second_windows").windows;
    const now = offered.find((one) => one.name === before?.name);
    if (now) state.windows[1] = { center: now.center, width: now.width };
    redraw();
  }
  const heard = {
    "change:stack": onStack,
    "change:second": onSecond,
    "change:second_windows": onWiderWindow,
    "change:position": () => { if (!teller.isAhead()) state.position = model.get("position"); redraw(); },
    "change:center change:width": () => { state.windows[0] = { center: model.get("center"), width: model.get("width") }; redraw(); },
    "change:words change:windows change:low change:high change:choices change:compared change:count": redraw,
  };
  for (const [names, hear] of Object.entries(heard)) model.on(names, hear);
  const onSlice = () => redraw();
  store.views.add(onSlice);
  onStack();
  onSecond();
  draw();
  return () => {
    cine.stop();
    controls.close();
    sizes.disconnect();
    teller.close();
    store.views.delete(onSlice);
    for (const [names, hear] of Object.entries(heard)) model.off(names, hear);
  };
}

export default () => {
  const store = newStore();
  return {
    initialize({ model }) {
      model.on("msg:custom", (message, buffers) => receive(store, message, buffers, (answer) => model.send(answer)));
      model.send({ kind: "hello" });
    },
    render: ({ model, el }) => renderViewer(store, model, el),
  };
};
