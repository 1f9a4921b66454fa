// Two permanent live regions, so that screen readers announce new text; and a regular message to the kernel.
const BEAT = 20000; // ms

// Buttons and fields of ipywidgets let their keys through: those of the whole panel, or dashboard, are kept once it is
// on the page, which is when this line gets its size.
function keepKeysOfPanel(el) {
  const watch = new ResizeObserver(() => {
    const panel = el.closest(".orthanc-dashboard") ?? el.closest(".orthanc-panel");
    if (!panel) return;
    watch.disconnect();
    if (panel.dataset.orthancKeys) return;
    panel.dataset.orthancKeys = "kept";
    keepKeys(panel);
  });
  watch.observe(el);
  return watch;
}

function render({ model, el }) {
  el.classList.add("orthanc-lab", "orthanc-status");
  const calm = document.createElement("div");
  calm.setAttribute("role", "status");
  const urgent = document.createElement("div");
  urgent.setAttribute("role", "alert");
  urgent.className = "orthanc-error";
  el.append(calm, urgent);
  const watch = keepKeysOfPanel(el);
  const view = `${Date.now()}-${Math.random()}`;

  function draw() {
    const [shown, other] = model.get("is_warning") ? [urgent, calm] : [calm, urgent];
    if (other.textContent) other.textContent = "";
    if (shown.textContent !== model.get("text")) shown.textContent = model.get("text");
  }

  function say(here) {
    try {
      model.send({ view, here });
    } catch {
      clearInterval(beat); // the kernel is gone and no longer counts views
    }
  }

  const come = () => say(true);
  const go = () => say(false);
  const beat = setInterval(come, BEAT);
  window.addEventListener("pagehide", go);
  window.addEventListener("pageshow", come);
  model.on("change:text change:is_warning", draw);
  draw();
  come();
  return () => {
    watch.disconnect();
    clearInterval(beat);
    window.removeEventListener("pagehide", go);
    window.removeEventListener("pageshow", come);
    model.off("change:text change:is_warning", draw);
    go();
  };
}

export default { render };
