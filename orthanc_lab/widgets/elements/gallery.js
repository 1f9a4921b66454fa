// A listbox of thumbnails.
function render({ model, el }) {
  el.classList.add("orthanc-lab", "orthanc-gallery");
  keepKeys(el);
  const list = document.createElement("div");
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-orientation", "horizontal");
  el.append(list);

  const optionsOf = () => /** @type {HTMLElement[]} */ ([...list.children]);
  const optionOf = (event) => event.target.closest("[role=option]");

  function drawCurrent() {
    const current = model.get("current");
    const options = optionsOf();
    for (const option of options) {
      option.setAttribute("aria-selected", String(option.dataset.id === current));
      option.tabIndex = option.dataset.id === current ? 0 : -1;
    }
    if (options.length && !options.some((option) => option.tabIndex === 0)) options[0].tabIndex = 0;
  }

  function draw() {
    list.setAttribute("aria-label", model.get("label"));
    const focused = optionsOf().find((option) => option === document.activeElement)?.dataset.id ?? null;
    list.replaceChildren(
      ...model.get("items").map((item) => {
        const option = document.createElement("div");
        option.setAttribute("role", "option");
        option.dataset.id = item.id;
        option.title = [item.label, item.words].filter(Boolean).join("\n");
        const picture = item.source
          ? Object.assign(document.createElement("img"), { src: item.source, alt: "" })
          : Object.assign(document.createElement("span"), { textContent: item.words });
        picture.className = "orthanc-thumbnail";
        const label = document.createElement("span");
        label.textContent = item.label;
        option.append(picture, label);
        return option;
      }),
    );
    el.style.display = list.children.length ? "" : "none";
    drawCurrent();
    optionsOf().find((option) => option.dataset.id === focused)?.focus();
  }

  function pick(option) {
    if (!option) return;
    model.set("current", option.dataset.id);
    model.save_changes();
    option.focus();
  }

  list.addEventListener("click", (event) => pick(optionOf(event)));
  list.addEventListener("keydown", (event) => {
    const option = optionOf(event);
    if (!option) return;
    if (event.key === "ArrowRight" || event.key === "ArrowDown") pick(option.nextElementSibling);
    else if (event.key === "ArrowLeft" || event.key === "ArrowUp") pick(option.previousElementSibling);
    else if (event.key === "Home") pick(list.firstElementChild);
    else if (event.key === "End") pick(list.lastElementChild);
    else if (event.key === "Enter" || event.key === " ") pick(option);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  model.on("change:items change:label", draw);
  model.on("change:current", drawCurrent);
  draw();
  return () => {
    model.off("change:items change:label", draw);
    model.off("change:current", drawCurrent);
  };
}

export default { render };
