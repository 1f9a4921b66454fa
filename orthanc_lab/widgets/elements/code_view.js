// Code in a fold: Python or curl, to copy or to insert as a cell below.
const FORMS = { python: "Python", curl: "curl" };
const SAID = 2000; // ms

function button(words, title, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "jupyter-widgets jupyter-button widget-button";
  made.textContent = words;
  made.title = title;
  made.addEventListener("click", press);
  return made;
}

function notebookApp() {
  return globalThis.jupyterapp ?? globalThis.jupyterlab ?? null;
}

async function insertCell(code) {
  const app = notebookApp();
  await app.commands.execute("notebook:insert-cell-below");
  const cell = app.shell.currentWidget?.content?.activeCell;
  if (!cell) throw new Error("no notebook");
  cell.model.sharedModel.setSource(code);
}

function render({ model, el }) {
  el.classList.add("orthanc-lab");
  keepKeys(el);
  const fold = document.createElement("details");
  fold.className = "orthanc-code";
  const head = document.createElement("summary");
  head.textContent = "Code of the last action";
  const tabs = document.createElement("div");
  tabs.setAttribute("role", "tablist");
  tabs.setAttribute("aria-label", "Form of the code");
  const text = document.createElement("pre");
  text.tabIndex = 0;
  text.setAttribute("role", "tabpanel");
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  const line = document.createElement("div");
  line.className = "orthanc-code-line";
  let form = "python";
  let forget = 0;

  function say(words) {
    said.textContent = words;
    clearTimeout(forget);
    forget = setTimeout(() => (said.textContent = ""), SAID);
  }

  const choices = Object.entries(FORMS).map(([key, words]) => {
    const choice = button(words, "", () => choose(key));
    choice.setAttribute("role", "tab");
    return choice;
  });
  tabs.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    choose(form === "python" ? "curl" : "python");
    choices[Object.keys(FORMS).indexOf(form)].focus();
  });
  tabs.append(...choices);
  const copy = button("Copy", "Copy the code", () =>
    navigator.clipboard.writeText(model.get(form)).then(
      () => say("Copied"),
      () => say("The browser does not allow it: select the code, and press Ctrl+C"),
    ),
  );
  const insert = button("Insert as cell", "Insert the code as a cell below this one", () =>
    insertCell(model.get("python")).then(
      () => say("Inserted"),
      () => say("No notebook is open"),
    ),
  );
  line.append(tabs, copy, insert, said);
  fold.append(head, line, text);
  el.append(fold);

  function choose(key) {
    form = key;
    draw();
  }

  function draw() {
    fold.hidden = !model.get("python");
    Object.keys(FORMS).forEach((key, number) => {
      choices[number].setAttribute("aria-selected", String(key === form));
      choices[number].tabIndex = key === form ? 0 : -1;
    });
    text.setAttribute("aria-label", `${FORMS[form]} code`);
    if (text.textContent !== model.get(form)) text.textContent = model.get(form);
    insert.hidden = form !== "python" || !notebookApp();
  }

  model.on("change:python change:curl", draw);
  draw();
  return () => {
    clearTimeout(forget);
    model.off("change:python change:curl", draw);
  };
}

export default { render };
