// A range with its name before it and its value behind it.
function render({ model, el }) {
  el.classList.add("orthanc-lab", "orthanc-slider");
  keepKeys(el);
  const label = document.createElement("label");
  const words = document.createElement("span");
  const range = document.createElement("input");
  range.type = "range";
  range.min = "0";
  const shown = document.createElement("output");
  label.append(words, range);
  el.append(label, shown);

  function draw() {
    words.textContent = model.get("label");
    range.max = String(model.get("max"));
    range.value = String(model.get("value"));
    shown.textContent = String(model.get("value"));
  }

  range.addEventListener("input", () => {
    model.set("value", Number(range.value));
    model.save_changes();
  });
  model.on("change", draw);
  draw();
  return () => model.off("change", draw);
}

export default { render };
