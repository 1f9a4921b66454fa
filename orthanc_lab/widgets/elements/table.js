// A table whose rows are drawn from one list; a cell is touched only when its text changed.
function drawCell(cell, column, value) {
  const text = value === null || value === undefined ? "" : String(value);
  if (cell.dataset.text === text) return;
  cell.dataset.text = text;
  if (column.kind === "progress") {
    let bar = cell.firstChild;
    if (!bar) {
      bar = document.createElement("progress");
      bar.max = 100;
      cell.append(bar, " ", document.createElement("span"));
    }
    bar.value = Number(value) || 0;
    bar.setAttribute("aria-label", `${text} %`);
    cell.lastChild.textContent = `${text} %`;
  } else {
    cell.textContent = text;
    cell.title = text;
  }
}

function render({ model, el }) {
  el.classList.add("orthanc-lab");
  const scroll = document.createElement("div");
  scroll.className = "orthanc-scroll";
  const table = document.createElement("table");
  table.setAttribute("role", "grid");
  table.setAttribute("aria-multiselectable", "true");
  const head = table.createTHead().insertRow();
  const body = table.createTBody();
  const empty = document.createElement("div");
  empty.className = "orthanc-empty";
  scroll.append(table, empty);
  el.append(scroll);
  const lines = new Map();
  let anchor = null;

  function select(ids) {
    model.set("selected", ids);
    model.save_changes();
    showSelected();
  }

  function choose(id, event) {
    const selected = model.get("selected");
    if (event.shiftKey && anchor !== null) {
      const ids = model.get("rows").map((row) => row.id);
      const [first, last] = [ids.indexOf(anchor), ids.indexOf(id)].sort((a, b) => a - b);
      select(ids.slice(Math.max(first, 0), last + 1));
    } else if (event.ctrlKey || event.metaKey || event.type === "keydown") {
      anchor = id;
      select(selected.includes(id) ? selected.filter((other) => other !== id) : [...selected, id]);
    } else {
      anchor = id;
      select(selected.length === 1 && selected[0] === id ? [] : [id]);
    }
  }

  function onKey(event) {
    const line = event.target.closest("tbody tr");
    if (!line) return;
    if (event.key === " " || event.key === "Enter") choose(line.dataset.id, event);
    else if (event.key === "ArrowDown") line.nextElementSibling?.focus();
    else if (event.key === "ArrowUp") line.previousElementSibling?.focus();
    else if (event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey))
      select(model.get("rows").map((row) => row.id));
    else if (event.key === "Escape") select([]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function showSelected() {
    const selected = new Set(model.get("selected"));
    for (const [id, line] of lines) line.setAttribute("aria-selected", String(selected.has(id)));
  }

  function drawHead() {
    table.setAttribute("aria-label", model.get("label"));
    head.replaceChildren(
      ...model.get("columns").map((column) => {
        const cell = document.createElement("th");
        cell.scope = "col";
        cell.textContent = column.head;
        cell.className = `orthanc-${column.kind}`;
        return cell;
      }),
    );
  }

  function draw() {
    const columns = model.get("columns");
    const rows = model.get("rows");
    const here = new Set(rows.map((row) => row.id));
    for (const [id, line] of lines)
      if (!here.has(id)) {
        line.remove();
        lines.delete(id);
      }
    rows.forEach((row, position) => {
      let line = lines.get(row.id);
      if (!line) {
        line = document.createElement("tr");
        line.dataset.id = row.id;
        line.tabIndex = 0;
        for (const column of columns) line.insertCell().className = `orthanc-${column.kind}`;
        lines.set(row.id, line);
      }
      if (body.children[position] !== line) body.insertBefore(line, body.children[position] ?? null);
      columns.forEach((column, number) => drawCell(line.cells[number], column, row[column.key]));
    });
    table.style.display = rows.length ? "" : "none";
    empty.style.display = rows.length ? "none" : "";
    empty.textContent = model.get("empty");
    showSelected();
  }

  body.addEventListener("click", (event) => {
    const line = event.target.closest("tr");
    if (line) choose(line.dataset.id, event);
  });
  table.addEventListener("keydown", onKey);
  model.on("change:columns", drawHead);
  model.on("change:rows", draw);
  model.on("change:selected", showSelected);
  drawHead();
  draw();
}

export default { render };
