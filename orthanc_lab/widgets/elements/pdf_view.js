// A PDF, drawn by the browser. It is asked for by each view, so that no copy of it is saved with the notebook.
function render({ model, el }) {
  el.classList.add("orthanc-lab", "orthanc-pdf");
  const frame = document.createElement("iframe");
  el.append(frame);
  let address = "";

  function free() {
    if (address) URL.revokeObjectURL(address);
    address = "";
    frame.removeAttribute("src");
  }

  function ask() {
    free();
    const key = model.get("key");
    frame.hidden = !key;
    frame.title = model.get("label");
    if (key) model.send({ key });
  }

  function receive({ key }, buffers) {
    if (address || key !== model.get("key")) return; // another view's, or too late
    // The type is fixed: whatever the bytes are, the browser never runs them as a page.
    address = URL.createObjectURL(new Blob([buffers[0]], { type: "application/pdf" }));
    frame.src = address;
  }

  model.on("msg:custom", receive);
  model.on("change:key", ask);
  ask();
  return () => {
    free();
    model.off("msg:custom", receive);
    model.off("change:key", ask);
  };
}

export default { render };
