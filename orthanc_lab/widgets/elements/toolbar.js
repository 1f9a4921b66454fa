// Buttons in a row: one Tab stop, arrow keys inside; a confirmation before actions that cannot be undone.
function render({ model, el }) {
  el.classList.add("orthanc-lab", "orthanc-toolbar");
  keepKeys(el);
  const bar = document.createElement("div");
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", model.get("label"));
  bar.tabIndex = -1; // holds the focus while the pressed button is disabled
  const question = document.createElement("div");
  question.className = "orthanc-question";
  question.setAttribute("role", "alertdialog");
  question.hidden = true;
  const words = document.createElement("span");
  const yes = button("", "");
  const no = button("No", "");
  question.append(words, yes, no);
  el.append(bar, question);
  const buttons = new Map();
  let asked = null;
  let pressed = null;

  function button(label, icon) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "jupyter-widgets jupyter-button widget-button";
    if (icon) {
      const sign = document.createElement("i");
      sign.className = `fa fa-${icon}`;
      sign.setAttribute("aria-hidden", "true");
      made.append(sign, " ");
    }
    made.append(label);
    return made;
  }

  for (const tool of model.get("tools")) {
    const made = button(tool.label, tool.icon);
    made.title = tool.tooltip;
    made.addEventListener("click", () => press(tool.key));
    buttons.set(tool.key, made);
    bar.append(made);
  }

  function press(key) {
    const before = model.get("offers")[key];
    if (before === undefined) return;
    pressed = key;
    if (!before) return model.send({ press: key });
    asked = key;
    draw();
    yes.focus();
  }

  function answer(agreed) {
    const key = asked;
    asked = null;
    if (agreed) model.send({ press: key });
    draw();
    buttons.get(key)?.focus();
  }

  function keepFocus(before) {
    if (before !== bar && !before.disabled) return;
    const next = buttons.get(pressed);
    (next && !next.disabled ? next : bar).focus();
  }

  function draw() {
    const offers = model.get("offers");
    const before = bar.contains(document.activeElement) ? document.activeElement : null; // a disabled button loses it
    if (asked !== null && !offers[asked]) asked = null; // no longer possible
    for (const [key, made] of buttons) made.disabled = !(key in offers) || asked !== null;
    question.hidden = asked === null;
    if (asked !== null) {
      words.textContent = offers[asked];
      question.setAttribute("aria-label", offers[asked]);
      yes.textContent = `Yes, ${buttons.get(asked).textContent.trim().toLowerCase()}`;
    }
    const open = [...buttons.values()].filter((made) => !made.disabled);
    const stop = open.find((made) => made === document.activeElement) ?? open[0];
    for (const made of buttons.values()) made.tabIndex = made === stop ? 0 : -1;
    if (before && asked === null) keepFocus(before);
  }

  function onKey(event) {
    const open = [...buttons.values()].filter((made) => !made.disabled);
    const here = open.indexOf(document.activeElement); // -1 where the bar itself has the focus
    const goal = { ArrowRight: here + 1, ArrowLeft: here < 0 ? -1 : here - 1, Home: 0, End: open.length - 1 }[event.key];
    if (goal === undefined || !open.length) return;
    for (const made of open) made.tabIndex = -1;
    const next = open[(goal + open.length) % open.length];
    next.tabIndex = 0;
    next.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  yes.addEventListener("click", () => answer(true));
  no.addEventListener("click", () => answer(false));
  question.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    answer(false);
  });
  bar.addEventListener("keydown", onKey);
  model.on("change:offers", draw);
  draw();
  return () => model.off("change:offers", draw);
}

export default { render };
