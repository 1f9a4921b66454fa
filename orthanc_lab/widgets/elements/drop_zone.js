// Sends files to the kernel: one at a time, in chunks, only a few of which are under way unacknowledged.
const AHEAD = 4; // chunks
const SLOW = 3000; // milliseconds without an answer, after which it is said

function amount(bytes) {
  const units = ["bytes", "kB", "MB", "GB"];
  let place = 0;
  while (bytes >= 1000 && place < units.length - 1) {
    bytes /= 1000;
    place += 1;
  }
  return `${place && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)} ${units[place]}`;
}

const nameOf = (file) => file.place ?? file.name; // with its folder, where it was dropped with one
const byName = (one, other) => nameOf(one).localeCompare(nameOf(other), undefined, { numeric: true });

// The files of a drop, those in folders too; the entries must be asked for before anything is awaited.
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  const files = [];
  for (const entry of entries) await walk(entry, files);
  return files;
}

async function walk(entry, files) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    files.push(Object.assign(file, { place: entry.fullPath.replace(/^\//, "") }));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return; // a folder is given in parts
    for (const child of some) await walk(child, files);
  }
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function render({ model, el }) {
  el.classList.add("orthanc-lab", "drop-zone");
  keepKeys(el);
  const view = Math.random().toString(36).slice(2);
  const input = element("input", { type: "file", className: "unseen" });
  const words = element("span");
  const zone = element("div", { className: "zone" }, words, " ", element("label", { className: "button" }, "Choose files …", input));
  const bar = element("progress", { max: 1 });
  const said = element("span", { role: "status" });
  const cancel = element("button", { type: "button", className: "button", textContent: "Cancel" });
  const running = element("div", { className: "running", hidden: true }, bar, " ", said, " ", cancel);
  const refused = element("ul", { className: "refused" });
  refused.setAttribute("role", "alert");
  el.append(zone, running, refused);

  let queue = [];
  let sending = null; // {id, file, read, sent}: bytes that are under way, and those that were acknowledged
  let tally = { files: 0, done: 0, bytes: 0, sent: 0 };
  let slow = 0;

  function draw() {
    words.textContent = model.get("label");
    input.setAttribute("aria-label", model.get("label"));
    input.accept = model.get("accept");
    input.multiple = model.get("multiple");
  }

  function tell(more = "") {
    const sent = tally.sent + (sending?.sent ?? 0);
    bar.value = tally.bytes ? sent / tally.bytes : 0;
    bar.setAttribute("aria-label", `Sent ${Math.round(100 * bar.value)} %`);
    said.textContent = `${sending ? nameOf(sending.file) : ""} · ${tally.done} of ${tally.files} files, ${amount(sent)} of ${amount(tally.bytes)}${more}`;
  }

  function refuse(file, why) {
    refused.append(element("li", { textContent: `${nameOf(file)}: ${why}` }));
  }

  function take(files) {
    if (!sending && !queue.length) {
      tally = { files: 0, done: 0, bytes: 0, sent: 0 };
      refused.replaceChildren();
    }
    const wanted = model.get("multiple") ? files : files.slice(0, 1);
    for (const file of wanted.sort(byName)) {
      if (file.size > model.get("max_size"))
        refuse(file, `has ${amount(file.size)}; at most ${amount(model.get("max_size"))} are taken here`);
      else if (!file.size) refuse(file, "is empty");
      else {
        queue.push(file);
        tally.files += 1;
        tally.bytes += file.size;
      }
    }
    if (!sending) next();
  }

  function next() {
    const file = queue.shift();
    sending = file ? { id: `${view}-${Date.now()}-${tally.done}`, file, read: 0, sent: 0 } : null;
    running.hidden = !file;
    if (file) send();
  }

  async function send() {
    const now = sending;
    const { file, id } = now;
    const chunk = model.get("chunk_size");
    tell();
    while (sending === now && !now.isReading && now.read < file.size && now.read - now.sent < AHEAD * chunk) {
      const offset = now.read;
      let data;
      now.isReading = true;
      try {
        data = await file.slice(offset, offset + chunk).arrayBuffer();
      } catch (error) {
        if (sending === now) end(`cannot be read (${error.message})`, true);
        return;
      }
      now.isReading = false;
      if (sending !== now) return; // cancelled while it was read
      if (!data.byteLength) {
        end("became shorter while it was sent", true);
        return;
      }
      now.read += data.byteLength;
      clearTimeout(slow);
      slow = setTimeout(() => tell(" · waiting for the kernel (is a cell running?)"), SLOW);
      model.send({ kind: "chunk", id, name: nameOf(file), size: file.size, offset }, undefined, [data]);
    }
  }

  function end(why, isOurs) {
    clearTimeout(slow);
    if (why) refuse(sending.file, why);
    if (why && isOurs) model.send({ kind: "cancel", id: sending.id });
    tally.done += 1;
    tally.sent += sending.file.size;
    next();
  }

  function onMessage(message) {
    if (!sending || message.id !== sending.id) return; // another view's, or cancelled
    clearTimeout(slow);
    if (message.kind === "refuse") end(message.words, false);
    else if (message.received === sending.file.size) end("", false);
    else {
      sending.sent = message.received;
      send();
    }
  }

  function stop() {
    clearTimeout(slow);
    if (sending) model.send({ kind: "cancel", id: sending.id });
    queue = [];
    sending = null;
    running.hidden = true;
  }

  const over = (isOver) => (event) => {
    event.preventDefault();
    event.stopPropagation(); // JupyterLab would open the file
    zone.classList.toggle("over", isOver);
  };
  zone.addEventListener("dragenter", over(true));
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", async (event) => {
    over(false)(event);
    try {
      take(await dropped(event.dataTransfer));
    } catch (error) {
      refuse({ name: "This drop" }, `cannot be read (${error.message})`);
    }
  });
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = ""; // the same file can be chosen again
  });
  cancel.addEventListener("click", () => {
    const left = queue.length + 1;
    stop();
    refuse({ name: "Cancelled" }, left > 1 ? `${left} files were not sent` : "the file was not sent");
    input.focus();
  });
  model.on("msg:custom", onMessage);
  for (const name of ["label", "accept", "multiple"]) model.on(`change:${name}`, draw);
  draw();
  return stop;
}

export default { render };
