// What the mouse, a finger or a pen does on a pane, and the keys on it.
const TOOLS = [
  { key: "window", letter: "w", label: "Window", help: "Drag: window center and width" },
  { key: "scroll", letter: "s", label: "Scroll", help: "Drag up or down: slices" },
  { key: "pan", letter: "p", label: "Move", help: "Drag, or arrow keys: move the picture" },
  { key: "zoom", letter: "z", label: "Zoom", help: "Drag up or down: zoom" },
  { key: "value", letter: "v", label: "Value", help: "Click, or arrow keys: a cursor that tells value and place, in all pictures" },
  { key: "distance", letter: "d", label: "Distance", help: "Drag from point to point; or arrow keys, and Enter at each point" },
  { key: "region", letter: "r", label: "Region", help: "Drag an ellipse for mean and deviation; or arrow keys, and Enter at two corners" },
];
const MEASURES = ["distance", "region"];
const CURSOR_TOOLS = ["value", ...MEASURES];

// `desk` is what viewer.js offers: tool, window, pictures, measurements.
function listenToPointer(pane, desk) {
  const { canvas } = pane;
  let drag = /** @type {any} */ (null);

  const at = (event, box = canvas.getBoundingClientRect()) => ({ x: event.clientX - box.left, y: event.clientY - box.top });
  const viewNow = () => settled(pane.view, pane.shown.picture, pane);
  const pixelAt = (point) => toPicture(viewNow(), pane, point.x, point.y);

  function begin(event) {
    canvas.focus({ preventScroll: true });
    if (!pane.shown?.picture || event.button === 2) return;
    const tool = event.button === 1 || event.shiftKey ? "pan" : desk.tool;
    const box = canvas.getBoundingClientRect(); // asked for once: the page would be laid out for each answer
    const start = at(event, box);
    drag = { tool, start, box, view: viewNow(), window: { ...desk.windowOf(pane) }, position: desk.positionIn(pane), from: pixelAt(start), hasMoved: false };
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
    desk.hold(true);
    if (tool === "value") desk.point(pane, drag.from);
  }

  function move(event) {
    if (!drag) {
      desk.hover(pane, pane.shown?.picture ? pixelAt(at(event)) : null);
      return;
    }
    const now = at(event, drag.box);
    const [right, down] = [now.x - drag.start.x, now.y - drag.start.y];
    drag.hasMoved ||= Math.hypot(right, down) > 2;
    if (!drag.hasMoved) return;
    if (drag.tool === "window") desk.dragWindow(pane, drag.window, right, down);
    else if (drag.tool === "scroll") desk.goIn(pane, drag.position + Math.round(down / Math.max(3, pane.height / desk.countIn(pane))));
    else if (drag.tool === "pan") desk.setView(pane, panned(drag.view, right, down));
    else if (drag.tool === "zoom") desk.setView(pane, zoomed(drag.view, pane, 1.01 ** -down, drag.start.x, drag.start.y));
    else if (drag.tool === "value") desk.point(pane, pixelAt(now));
    else desk.draft(pane, { kind: drag.tool, from: drag.from, to: pixelAt(now) });
  }

  function end(event) {
    if (!drag) return;
    const { tool, hasMoved } = drag;
    drag = null;
    desk.hold(false);
    if (tool === "window" && hasMoved) desk.finishWindow(pane);
    else if (MEASURES.includes(tool)) desk.finishDraft(pane, event.type === "pointerup" && hasMoved);
  }

  canvas.addEventListener("pointerdown", begin);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", () => drag || desk.hover(pane, null));
  canvas.addEventListener("wheel", (event) => {
    if (canvas.getRootNode().activeElement !== canvas || !pane.shown?.picture) return; // else the page scrolls
    const { x, y } = at(event);
    if (event.ctrlKey || event.metaKey) desk.setView(pane, zoomed(viewNow(), pane, 1.002 ** -event.deltaY, x, y));
    else desk.goIn(pane, desk.positionIn(pane) + Math.sign(event.deltaY));
    event.preventDefault();
  });
  canvas.addEventListener("dblclick", () => desk.setView(pane, { scale: null }));
  canvas.addEventListener("keydown", (event) => listenToKey(event, pane, desk));
  canvas.addEventListener("focus", () => desk.activate(pane));
}

const ARROWS = { ArrowUp: [0, -1], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowRight: [1, 0] };
const SLICE_KEYS = { PageUp: -10, PageDown: 10, ",": -1, ".": 1 };

function listenToKey(event, pane, desk) {
  if (event.ctrlKey || event.metaKey || event.altKey || !desk.press(event.key, event.shiftKey, pane)) return;
  event.preventDefault();
  event.stopPropagation();
}
