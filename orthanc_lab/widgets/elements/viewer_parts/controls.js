// The parts around the pictures: buttons, menus, sliders.
function make(tag, className, parent, attributes = {}) {
  const made = document.createElement(tag);
  made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent.append(made);
  return made;
}

function button(parent, text, title, press) {
  const made = make("button", "orthanc-tool", parent, { type: "button", title });
  made.textContent = text;
  made.addEventListener("click", press);
  return made;
}

function slider(parent, text) {
  const label = make("label", "", parent);
  make("span", "", label).textContent = text;
  const range = make("input", "", label, { type: "range" });
  const number = make("input", "", label, { type: "number", "aria-label": text });
  return { label, range, number };
}

function menu(parent, text, options) {
  const label = make("label", "orthanc-menu", parent);
  make("span", "", label).textContent = text;
  const select = make("select", "", label, { "aria-label": text });
  fillMenu(select, options);
  return { label, select };
}

function fillMenu(select, options) {
  const told = JSON.stringify(options);
  if (select.dataset.options === told) return;
  const before = select.value;
  select.dataset.options = told;
  select.replaceChildren(...options.map(({ value, label }) => new Option(label, value)));
  if (options.some(({ value }) => value === before)) select.value = before;
}

// Only what differs is written: each write costs a layout of the page, also when it changes nothing.
function write(element, values) {
  for (const [name, value] of Object.entries(values)) {
    const text = String(value);
    if (element[name] !== text) element[name] = text;
  }
}

function setSlider(pair, { low, high, step, value, shown = value }) {
  write(pair.range, { min: low, max: high, step });
  write(pair.range, { value });
  write(pair.number, { step });
  if (pair.number !== pair.number.getRootNode().activeElement) write(pair.number, { value: Math.round(shown * 100) / 100 });
}

// The buttons of the tools, of which one is chosen; arrow keys move between them, as in a group of radio buttons.
function toolButtons(parent, choose) {
  const group = make("div", "orthanc-tools", parent, { role: "radiogroup", "aria-label": "Tool" });
  const buttons = new Map(
    TOOLS.map((tool) => {
      const made = button(group, tool.label, `${tool.help} (${tool.letter})`, () => choose(tool.key));
      made.setAttribute("role", "radio");
      return [tool.key, made];
    }),
  );
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const keys = [...buttons.keys()];
    const now = keys.findIndex((key) => buttons.get(key).getAttribute("aria-checked") === "true");
    const next = keys[(now + step + keys.length) % keys.length];
    choose(next);
    buttons.get(next).focus();
    event.preventDefault();
  });
  return (chosen) => {
    for (const [key, made] of buttons) {
      write(made, { ariaChecked: key === chosen });
      if (made.tabIndex !== (key === chosen ? 0 : -1)) made.tabIndex = key === chosen ? 0 : -1;
    }
  };
}

const KEYS_HELP = [
  ["Arrow keys", "previous or next slice; with Move, Value, Distance and Region they move the picture or the cursor (Shift: ten times as far)"],
  [", and .", "previous and next slice, with any tool"],
  ["Page Up, Page Down", "ten slices"], ["Home, End", "the first and the last slice"],
  ["+ and −, f, 1", "zoom, fit, one image pixel per screen pixel"],
  ["i", "invert"], ["Space", "play and stop"], ["Delete, Escape", "remove the last measurement; give up a started one"],
  ["Wheel", "slices, once the picture was clicked; with Ctrl: zoom"], ["Shift and drag", "move the picture"],
];

function helpOn(parent) {
  const box = make("details", "orthanc-keys", parent);
  make("summary", "", box).textContent = "Keys";
  const list = make("dl", "", box);
  for (const [keys, words] of [...TOOLS.map((tool) => [tool.letter, tool.label]), ...KEYS_HELP]) {
    make("dt", "", list).textContent = keys;
    make("dd", "", list).textContent = words;
  }
  return box;
}

// A picture of all panes side by side, saved as a file.
function savePicture(panes, name) {
  const whole = /** @type {any} */ (document.createElement("canvas"));
  whole.width = panes.reduce((sum, pane) => sum + pane.canvas.width, 0);
  whole.height = Math.max(...panes.map((pane) => pane.canvas.height));
  const context = whole.getContext("2d");
  context.fillRect(0, 0, whole.width, whole.height);
  let left = 0;
  for (const pane of panes) {
    context.drawImage(pane.canvas, left, 0);
    left += pane.canvas.width;
  }
  whole.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "picture"}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }, "image/png");
}
