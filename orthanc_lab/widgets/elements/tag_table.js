// Tags as a treegrid: sequences and their items expand and collapse here; long values are fetched on request.
// PS3.6 has the registry of data elements in chapter 6, those of files in 7, of a DICOMDIR in 8; nothing is fetched
// before a click.
function addressInStandard(tag) {
  const group = tag.slice(0, 4);
  const chapter = { "0002": 7, "0004": 8 }[group] ?? 6;
  const text = encodeURIComponent(`(${tag.toUpperCase()})`);
  return `https://dicom.nema.org/medical/dicom/current/output/chtml/part06/chapter_${chapter}.html#:~:text=${text}`;
}

function render({ model, el }) {
  el.classList.add("orthanc-lab");
  keepKeys(el);
  const scroll = document.createElement("div");
  scroll.className = "orthanc-tags";
  const table = document.createElement("table");
  table.setAttribute("role", "treegrid");
  const head = table.createTHead().insertRow();
  for (const text of ["Name", "Tag", "VR", "Value"]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = text;
    head.append(cell);
  }
  const body = table.createTBody();
  const empty = document.createElement("div");
  empty.className = "orthanc-none";
  const note = document.createElement("div");
  note.className = "orthanc-none";
  scroll.append(table, empty, note);
  const copying = document.createElement("div");
  copying.className = "orthanc-copying";
  const copied = document.createElement("span");
  copied.setAttribute("role", "status");
  for (const name of model.get("copies")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "orthanc-more";
    button.textContent = `Copy as ${name}`;
    button.addEventListener("click", () => {
      asked = name;
      model.send({ copy: name });
    });
    copying.append(button);
  }
  copying.append(copied);
  el.append(scroll, copying);
  let asked = ""; // which copy this view waits for
  const toggled = new Set(); // paths that the user expanded, or collapsed if everything is expanded
  const isOpen = (path) => toggled.has(path) !== model.get("is_open");

  function drawRow(row) {
    const line = body.insertRow();
    line.dataset.path = row.path;
    line.tabIndex = -1;
    line.setAttribute("aria-level", row.depth + 1);
    const name = line.insertCell();
    name.style.paddingLeft = `${8 + 16 * row.depth}px`;
    if (row.nested) {
      const twist = document.createElement("span");
      twist.className = "orthanc-twist";
      twist.setAttribute("aria-hidden", "true");
      twist.textContent = "▸";
      name.append(twist, " ");
    }
    name.append(row.name);
    name.title = row.name;
    const number = line.insertCell();
    if (/^[0-9a-f]{3}[02468ace],/i.test(row.tag)) {
      const link = document.createElement("a");
      link.href = addressInStandard(row.tag);
      link.target = "_blank";
      link.rel = "noopener noreferrer";
      link.tabIndex = -1;
      link.title = "Look it up in the DICOM standard";
      link.textContent = `(${row.tag})`;
      number.append(link);
    } else number.textContent = row.tag && `(${row.tag})`;
    line.insertCell().textContent = row.vr;
    const value = line.insertCell();
    value.textContent = row.value;
    if (row.meaning) {
      const meaning = document.createElement("span");
      meaning.className = "orthanc-quiet";
      meaning.textContent = ` = ${row.meaning}`;
      value.append(meaning);
    }
    if (row.long) {
      const more = document.createElement("button");
      more.type = "button";
      more.className = "orthanc-more";
      more.textContent = "… show all";
      more.setAttribute("aria-label", `Show all of ${row.name}`);
      value.append(" ", more);
    }
  }

  function showOpen() {
    const open = new Set([""]);
    for (const line of body.rows) {
      const path = line.dataset.path ?? "";
      const above = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
      line.hidden = !open.has(above);
      if (!line.querySelector(".orthanc-twist")) continue;
      line.setAttribute("aria-expanded", String(isOpen(path)));
      if (isOpen(path) && !line.hidden) open.add(path);
    }
  }

  function draw() {
    const rows = model.get("rows");
    const active = document.activeElement;
    const focused = active && body.contains(active) ? active.closest("tr")?.dataset.path : null;
    const top = scroll.scrollTop;
    body.replaceChildren();
    rows.forEach(drawRow);
    showOpen();
    table.setAttribute("aria-label", model.get("label"));
    table.hidden = rows.length === 0;
    empty.hidden = rows.length > 0;
    empty.textContent = model.get("empty");
    note.textContent = model.get("note");
    note.hidden = !note.textContent;
    copied.textContent = "";
    copying.hidden = rows.length === 0 || model.get("copies").length === 0;
    scroll.scrollTop = top;
    const lines = [...body.rows];
    const line = lines.find((one) => one.dataset.path === focused);
    if (line) line.focus();
    const entry = line ?? lines[0];
    if (entry) entry.tabIndex = 0;
  }

  function toggle(line) {
    const path = line.dataset.path;
    if (!toggled.delete(path)) toggled.add(path);
    showOpen();
  }

  function focus(line) {
    if (!line) return;
    const reached = /** @type {NodeListOf<HTMLElement>} */ (body.querySelectorAll("tr[tabindex='0']"));
    for (const other of reached) other.tabIndex = -1;
    line.tabIndex = 0;
    line.focus();
  }

  function near(line, step) {
    let other = line;
    do other = step > 0 ? other.nextElementSibling : other.previousElementSibling;
    while (other && other.hidden);
    return other;
  }

  function onKey(event) {
    const line = event.target.closest("tbody tr");
    if (!line || event.target.tagName === "BUTTON") return;
    const expanded = line.getAttribute("aria-expanded");
    if (event.key === "ArrowDown") focus(near(line, 1));
    else if (event.key === "ArrowUp") focus(near(line, -1));
    else if (event.key === "ArrowRight" && expanded === "false") toggle(line);
    else if (event.key === "ArrowRight" && expanded === "true") focus(near(line, 1));
    else if (event.key === "ArrowLeft" && expanded === "true") toggle(line);
    else if (event.key === "ArrowLeft" && line.dataset.path.includes("/")) {
      const above = line.dataset.path.slice(0, line.dataset.path.lastIndexOf("/"));
      focus([...body.rows].find((one) => one.dataset.path === above));
    } else if (event.key === "Enter" || event.key === " ") {
      if (expanded) toggle(line);
      else /** @type {HTMLElement | null} */ (line.querySelector("button") ?? line.querySelector("a"))?.click();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  body.addEventListener("click", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const line = target.closest("tr");
    if (!line) return;
    if (target.tagName === "BUTTON") model.send({ path: line.dataset.path });
    else if (line.hasAttribute("aria-expanded") && target.closest("td") === line.cells[0]) toggle(line);
  });
  function onWhole({ path, copy, text }) {
    if (copy) {
      if (copy === asked) put(copy, text);
      return;
    }
    const line = [...body.rows].find((one) => one.dataset.path === path);
    if (line) line.cells[3].textContent = text;
  }

  async function put(name, text) {
    asked = "";
    try {
      await navigator.clipboard.writeText(text);
      copied.textContent = `Copied as ${name}.`;
    } catch {
      copied.textContent = "This page may not use the clipboard.";
    }
  }

  table.addEventListener("keydown", onKey);
  model.on("msg:custom", onWhole);
  const traits = "change:rows change:note change:is_open change:label change:empty";
  let isDrawn = true;
  const drawLater = () => {
    if (!isDrawn) return;
    isDrawn = false;
    requestAnimationFrame(() => {
      isDrawn = true;
      draw();
    });
  };
  model.on(traits, drawLater);
  draw();
  return () => {
    model.off("msg:custom", onWhole);
    model.off(traits, drawLater);
  };
}

export default { render };
