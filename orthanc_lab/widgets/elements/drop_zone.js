// Sends files to the kernel in chunks; only a few may be unanswered, and one without an answer is sent again.
const MOST_BYTES = 4e6;
const MOST_CHUNKS = 16; // a small file takes one chunk
const SLOW = 3000; // ms without an answer, after which the user is told, and the oldest chunk is sent again
const SLOWEST = 60000; // the pause doubles up to this: while a cell runs, everything waits in the kernel's queue

function amount(bytes) {
  const units = ["bytes", "kB", "MB", "GB"];
  let place = 0;
  while (bytes >= 1000 && place < units.length - 1) {
    bytes /= 1000;
    place += 1;
  }
  return `${place && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)} ${units[place]}`;
}

const nameOf = (file) => file.place ?? file.name; // with its folder, if it was dropped in one
const byName = (one, other) => nameOf(one).localeCompare(nameOf(other), undefined, { numeric: true });

// The files of a drop, including those in folders; the entries must be fetched before anything is awaited.
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
  const folder = element("input", { type: "file", className: "unseen", webkitdirectory: true });
  folder.setAttribute("aria-label", "Choose a folder: all files in it");
  const folderButton = element("label", { className: "button" }, "Choose a folder …", folder);
  const buttons = [element("label", { className: "button" }, "Choose files …", input), " ", folderButton];
  const zone = element("div", { className: "zone" }, words, " ", ...buttons);
  const bar = element("progress", { max: 1 });
  const said = element("span", { role: "status" });
  const cancel = element("button", { type: "button", className: "button", textContent: "Cancel" });
  const running = element("div", { className: "running", hidden: true }, bar, " ", said, " ", cancel);
  const refused = element("ul", { className: "refused" });
  el.append(zone, running, element("div", { role: "alert" }, refused));

  let queue = [];
  let number = 0; // of transfers
  let drops = 0;
  let reading = null; // the transfer whose chunks are read: {id, file, read, sent, waiting}
  let isPumping = false;
  let isHeard = false; // until its first answer the kernel has not chosen a thread: chunks would arrive in any order
  const underWay = new Map(); // transfers with unanswered chunks, by id
  let tally = { files: 0, done: 0, bytes: 0, sent: 0 };
  let timer = 0;
  let pause = SLOW;

  function draw() {
    words.textContent = model.get("label");
    input.setAttribute("aria-label", `Choose files: ${model.get("label")}`); // begins with what is seen
    input.accept = model.get("accept");
    input.multiple = model.get("multiple");
    folderButton.style.display = model.get("takes_folders") ? "" : "none";
  }

  function tell(more = "") {
    const transfers = [...underWay.values()];
    const sent = transfers.reduce((sum, transfer) => sum + transfer.sent, tally.sent);
    bar.value = tally.bytes ? sent / tally.bytes : 0;
    bar.setAttribute("aria-label", `Sent ${Math.round(100 * bar.value)} %`);
    const name = transfers.length ? `${nameOf(transfers[0].file)} · ` : "";
    said.textContent = `${name}${tally.done} of ${tally.files} files, ${amount(sent)} of ${amount(tally.bytes)}${more}`;
  }

  const dropName = () => `${view}-${drops}`;

  function refuse(file, why) {
    const message = { kind: "refused", name: nameOf(file), words: why, drop: dropName() };
    if (file.size !== undefined && model.get("tells_refusals") && post(message)) return;
    refused.append(element("li", { textContent: `${nameOf(file)} ${why}` }));
  }

  function take(files) {
    if (!isBusy()) {
      tally = { files: 0, done: 0, bytes: 0, sent: 0 };
      refused.replaceChildren();
      drops += 1;
    }
    const wanted = model.get("multiple") ? files : files.slice(0, 1);
    for (const file of wanted.sort(byName)) {
      if (file.size > model.get("max_size"))
        refuse(file, `has ${amount(file.size)}; at most ${amount(model.get("max_size"))} are accepted here`);
      else if (!file.size) refuse(file, "is empty");
      else {
        queue.push(file);
        tally.files += 1;
        tally.bytes += file.size;
      }
    }
    show();
    pump();
  }

  const isBusy = () => queue.length > 0 || reading !== null || underWay.size > 0;

  function show() {
    running.hidden = !isBusy();
    if (running.hidden) said.textContent = "";
    else tell();
  }

  function isFull() {
    const waiting = [...underWay.values()].flatMap((transfer) => [...transfer.waiting.values()]);
    return waiting.length >= (isHeard ? MOST_CHUNKS : 1) || waiting.reduce((sum, size) => sum + size, 0) >= MOST_BYTES;
  }

  async function pump() {
    if (isPumping) return;
    isPumping = true;
    while (!isFull() && (reading || queue.length)) {
      reading ??= { id: `${view}-${number++}`, file: queue.shift(), read: 0, sent: 0, waiting: new Map() };
      const transfer = reading;
      const offset = transfer.read;
      const size = Math.min(model.get("chunk_size"), transfer.file.size - offset);
      const data = await read(transfer, offset, size);
      if (!data || reading !== transfer) continue; // cancelled or refused while it was being read
      transfer.read += size;
      transfer.waiting.set(offset, size);
      underWay.set(transfer.id, transfer);
      if (transfer.read === transfer.file.size) reading = null;
      send(transfer, offset, data);
      watch();
    }
    isPumping = false;
  }

  // Without its bytes the file ends here.
  async function read(transfer, offset, size) {
    try {
      const data = await transfer.file.slice(offset, offset + size).arrayBuffer();
      if (data.byteLength === size) return data;
      throw new Error("it became shorter while it was being read");
    } catch (error) {
      if (reading !== transfer && !underWay.has(transfer.id)) return null;
      post({ kind: "cancel", transfer: transfer.id });
      end(transfer, `cannot be read (${/** @type {Error} */ (error).message})`);
      show();
      watch();
      pump();
      return null;
    }
  }

  function send({ id, file }, offset, data) {
    return post({ kind: "chunk", transfer: id, name: nameOf(file), size: file.size, offset, drop: dropName() }, [data]);
  }

  function post(message, buffers = []) {
    try {
      model.send(message, undefined, buffers);
      return true;
    } catch {
      return false; // the kernel is gone
    }
  }

  function forget(transfer) {
    if (reading === transfer) reading = null;
    underWay.delete(transfer.id);
  }

  function end(transfer, why) {
    if (why) refuse(transfer.file, why);
    forget(transfer);
    tally.done += 1;
    tally.sent += transfer.file.size;
  }

  function watch() {
    clearTimeout(timer);
    if (underWay.size) timer = setTimeout(repeat, pause);
  }

  async function repeat() {
    const transfer = [...underWay.values()].find(({ waiting }) => waiting.size);
    if (!transfer) return;
    tell(" · waiting for the kernel (is a cell running?)");
    const [offset, size] = transfer.waiting.entries().next().value;
    const data = await read(transfer, offset, size);
    if (!data || !transfer.waiting.has(offset) || !underWay.has(transfer.id)) return watch(); // answered in the meantime
    if (!send(transfer, offset, data)) return giveUp();
    pause = Math.min(2 * pause, SLOWEST);
    watch();
  }

  function giveUp() {
    queue = [];
    reading = null;
    underWay.clear();
    refuse({ name: "Interrupted:" }, "the kernel stopped before everything was sent; run the cell again");
    show();
  }

  function onMessage(message) {
    if (message.kind === "focus") {
      input.focus();
      zone.scrollIntoView({ block: "nearest" });
      return;
    }
    const transfer = underWay.get(message.transfer);
    if (!transfer) return; // another view's, or at its end
    isHeard = true;
    pause = SLOW;
    if (message.kind === "refuse") end(transfer, message.words);
    else {
      transfer.waiting.delete(message.offset);
      transfer.sent = Math.max(transfer.sent, message.received); // answers may overtake each other
      if (message.received === transfer.file.size) end(transfer, "");
    }
    watch();
    show();
    pump();
  }

  // Files read completely have been sent to the kernel; the others are dropped. Returns the number of dropped files.
  function stop() {
    const left = reading ? [reading.file, ...queue] : queue;
    queue = [];
    if (reading) {
      post({ kind: "cancel", transfer: reading.id });
      forget(reading);
    }
    tally.files -= left.length;
    tally.bytes -= left.reduce((sum, file) => sum + file.size, 0);
    show();
    return left.length;
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
      refuse({ name: "This drop" }, `cannot be read (${/** @type {Error} */ (error).message})`);
    }
  });
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = ""; // the same file can be chosen again
  });
  folder.addEventListener("change", () => {
    take([...folder.files].map((file) => Object.assign(file, { place: file.webkitRelativePath })));
    folder.value = "";
  });
  cancel.addEventListener("click", () => {
    const left = stop();
    const words = ["everything had already been sent", "one file was not sent"][left] ?? `${left} files were not sent`;
    refuse({ name: "Canceled:" }, words);
    input.focus();
  });
  model.on("msg:custom", onMessage);
  for (const name of ["label", "accept", "multiple"]) model.on(`change:${name}`, draw);
  draw();
  return () => {
    clearTimeout(timer);
    stop();
    model.off("msg:custom", onMessage);
  };
}

export default { render };
