// A table drawn from one list of rows; a cell is updated only if its text has changed. Sorting is done here.
const HINT = "Click a row to select it, Ctrl+click or Space for more, Shift+click for a range, Ctrl+A for all.";

const NARROW = 700; // px: a table of less is drawn with words wrapped

function span(seconds) {
  if (seconds < 60) return `${Number.isInteger(seconds) ? seconds : seconds.toFixed(2)} s`;
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const rest = two(Math.floor(seconds % 60));
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}

function textOf(column, value) {
  if (value === null || value === undefined || value === "") return "";
  if (column.kind === "span") return span(value);
  if (column.kind === "time") {
    const [day, time] = value.split("T");
    return day === new Date().toISOString().slice(0, 10) ? time : `${day} ${time}`;
  }
  return String(value);
}

function drawCell(cell, column, value) {
  const text = textOf(column, value);
  if (cell.dataset.text === text) return;
  cell.dataset.text = text;
  if (column.kind === "progress" && text === "") cell.replaceChildren();
  else if (column.kind === "progress") {
    if (!cell.firstChild) {
      const bar = document.createElement("progress");
      bar.max = 100;
      cell.append(bar, " ", document.createElement("span"));
    }
    cell.firstChild.value = Number(value) || 0;
    cell.firstChild.setAttribute("aria-label", column.head);
    cell.lastChild.textContent = `${text} %`;
  } else if (column.kind === "badge") {
    const [icon, tone] = column.badges[text] ?? ["circle-o", "plain"];
    const mark = document.createElement("i");
    mark.className = `fa fa-${icon} orthanc-sign orthanc-${tone}`;
    mark.setAttribute("aria-hidden", "true");
    cell.replaceChildren(mark, text);
  } else {
    cell.textContent = text;
    cell.title = text;
  }
}

function compare(one, other) {
  if (one === other) return 0;
  if (one === null || one === undefined || one === "") return 1; // unknown values come last
  if (other === null || other === undefined || other === "") return -1;
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), "en", { numeric: true });
}

function render({ model, el }) {
  el.classList.add("orthanc-lab");
  keepKeys(el);
  const scroll = document.createElement("div");
  scroll.className = "orthanc-scroll";
  const table = document.createElement("table");
  table.setAttribute("role", "grid");
  table.setAttribute("aria-multiselectable", "true");
  table.setAttribute("aria-description", HINT);
  table.title = HINT;
  const head = table.createTHead().insertRow();
  head.setAttribute("role", "row");
  const body = table.createTBody();
  const empty = document.createElement("div");
  empty.className = "orthanc-empty";
  const note = document.createElement("div");
  note.className = "orthanc-note";
  scroll.append(table, empty);
  el.append(scroll, note);
  const lines = new Map();
  let shown = []; // the rows in the order that is seen
  let anchor = null;
  /** @type {{ key: string | null, down: boolean }} */
  let sorting = { key: null, down: false };

  function select(ids) {
    model.set("selected", ids);
    model.save_changes();
  }

  function choose(id, event) {
    const selected = model.get("selected");
    if (event.shiftKey && anchor !== null) {
      const ids = shown.map((row) => row.id);
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

  function reach(line) {
    for (const other of lines.values()) other.tabIndex = -1;
    if (line) line.tabIndex = 0; // one stop for the Tab key, arrows inside
  }

  function onKey(event) {
    const line = event.target.closest("tbody tr");
    if (!line) return;
    const goal = {
      ArrowDown: line.nextElementSibling,
      ArrowUp: line.previousElementSibling,
      Home: body.firstElementChild,
      End: body.lastElementChild,
    };
    if (event.key === " " || event.key === "Enter") choose(line.dataset.id, event);
    else if (event.key in goal) {
      reach(goal[event.key] ?? line);
      goal[event.key]?.focus();
    } else if (event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey)) select(shown.map((row) => row.id));
    else if (event.key === "Escape") select([]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function showSelected() {
    const selected = new Set(model.get("selected"));
    for (const [id, line] of lines) line.setAttribute("aria-selected", String(selected.has(id)));
  }

  function sort(key) {
    if (sorting.key !== key) sorting = { key, down: false };
    else if (!sorting.down) sorting = { key, down: true };
    else sorting = { key: null, down: false }; // as they came
    markSorting();
    draw();
  }

  function markSorting() {
    for (const cell of head.cells) {
      const here = cell.dataset.key === sorting.key;
      cell.setAttribute("aria-sort", here ? (sorting.down ? "descending" : "ascending") : "none");
    }
  }

  function drawHead() {
    needed = 0;
    table.setAttribute("aria-label", model.get("label"));
    head.replaceChildren(
      ...model.get("columns").map((column) => {
        const cell = document.createElement("th");
        cell.scope = "col";
        cell.setAttribute("role", "columnheader");
        cell.dataset.key = column.key;
        cell.className = `orthanc-${column.kind}`;
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = column.head;
        button.title = `Sort by ${column.head}`;
        button.addEventListener("click", () => sort(column.key));
        cell.append(button);
        return cell;
      }),
    );
    markSorting();
  }

  function draw() {
    const columns = model.get("columns");
    shown = [...model.get("rows")];
    const key = sorting.key;
    if (key !== null) {
      const sign = sorting.down ? -1 : 1;
      shown.sort((one, other) => sign * compare(one[key], other[key]));
    }
    const here = new Set(shown.map((row) => row.id));
    for (const [id, line] of lines)
      if (!here.has(id)) {
        if (line.contains(document.activeElement)) (line.nextElementSibling ?? line.previousElementSibling)?.focus();
        line.remove();
        lines.delete(id);
      }
    let place = body.firstElementChild;
    for (const row of shown) {
      let line = lines.get(row.id);
      if (!line) {
        line = document.createElement("tr");
        line.dataset.id = row.id;
        line.tabIndex = -1;
        line.setAttribute("role", "row"); // also where it is no row to the eye
        for (const column of columns) {
          const cell = line.insertCell();
          cell.className = `orthanc-${column.kind}`;
          cell.dataset.head = column.head;
          cell.setAttribute("role", "gridcell");
        }
        lines.set(row.id, line);
      }
      if (line === place) place = line.nextElementSibling;
      else body.insertBefore(line, place);
      columns.forEach((column, number) => drawCell(line.cells[number], column, row[column.key]));
    }
    if (!body.querySelector('tr[tabindex="0"]')) reach(body.firstElementChild);
    table.style.display = shown.length ? "" : "none";
    empty.style.display = shown.length ? "none" : "";
    showSelected();
    fit();
  }

  // Rows that are too wide are shown as paragraphs, until there is place for them.
  let needed = 0; // px, of the table as a table
  function fit() {
    const width = scroll.clientWidth;
    const shape = scroll.classList;
    if (!width || (shape.contains("orthanc-paragraphs") && width < needed)) return;
    shape.remove("orthanc-snug", "orthanc-narrow", "orthanc-paragraphs");
    for (const step of ["orthanc-snug", "orthanc-narrow"]) {
      if (width >= NARROW && scroll.scrollWidth <= width) return;
      shape.add(step);
    }
    if (width >= NARROW || scroll.scrollWidth <= width) return;
    needed = scroll.scrollWidth;
    shape.add("orthanc-paragraphs");
  }

  function drawWords() {
    empty.textContent = model.get("empty");
    note.textContent = model.get("note");
  }

  body.addEventListener("click", (event) => {
    const line = /** @type {HTMLElement} */ (event.target).closest("tr");
    if (!line) return;
    reach(line);
    choose(line.dataset.id, event);
  });
  body.addEventListener("mousedown", (event) => {
    if (event.shiftKey) event.preventDefault(); // a range of rows, not of text
  });
  table.addEventListener("keydown", onKey);
  const watched = [
    ["change:columns", drawHead],
    ["change:rows", draw],
    ["change:selected", showSelected],
    ["change:note change:empty", drawWords],
  ];
  for (const [name, redraw] of watched) model.on(name, redraw);
  const sizes = new ResizeObserver(() => requestAnimationFrame(fit));
  sizes.observe(scroll);
  drawHead();
  drawWords();
  draw();
  return () => {
    sizes.disconnect();
    for (const [name, redraw] of watched) model.off(name, redraw);
  };
}

export default { render };
