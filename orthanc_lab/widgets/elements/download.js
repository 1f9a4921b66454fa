// A download: the kernel holds the file; the browser requests its parts, four at a time, and repeats lost requests.
const AHEAD = 4;
const SILENCE = 4000; // ms without a message, after which missing parts are requested again
const LONGEST = 60000; // the pause doubles up to this: while a cell runs, everything waits in the kernel's queue

function megabytes(bytes) {
  return (bytes / 1e6).toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

function offer(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.style.display = "none";
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function render({ model, el }) {
  el.classList.add("orthanc-lab", "orthanc-download");
  keepKeys(el);
  const button = document.createElement("button");
  button.className = "jupyter-widgets jupyter-button widget-button";
  button.type = "button";
  button.classList.toggle("mod-primary", model.get("is_primary"));
  const icon = document.createElement("i");
  icon.className = "fa fa-download";
  icon.setAttribute("aria-hidden", "true");
  const label = document.createElement("span");
  button.append(icon, " ", label);
  const bar = document.createElement("progress");
  bar.max = 100;
  const words = document.createElement("span");
  words.className = "orthanc-words";
  const stop = document.createElement("button");
  stop.className = "jupyter-widgets jupyter-button widget-button orthanc-stop";
  stop.type = "button";
  stop.textContent = "Stop";
  el.append(button, bar, stop, words);
  let own = null; // the download started by this view

  function ask(what) {
    model.send({ token: own.token, ...what });
  }

  function want() {
    while (own.asked < own.count && own.asked < own.got.size + AHEAD) ask({ ask: "part", part: own.asked++ });
  }

  function wait() {
    clearTimeout(own.timer);
    own.timer = setTimeout(() => {
      own.pause = Math.min(2 * own.pause, LONGEST);
      try {
        askAgain();
        wait();
      } catch {
        leave(); // the kernel is gone
      }
    }, own.pause);
  }

  function askAgain() {
    if (own.isDone) ask({ ask: "done" });
    else if (own.count === null) ask({ ask: "start" });
    else
      for (let part = 0, missing = 0; part < own.asked && missing < AHEAD; part++)
        if (!own.got.has(part)) {
          ask({ ask: "part", part });
          missing++;
        }
  }

  function leave() {
    if (own) clearTimeout(own.timer);
    own = null;
    draw();
  }

  function finish() {
    const parts = Array.from({ length: own.count }, (_, part) => own.got.get(part));
    const blob = new Blob(parts, { type: "application/octet-stream" });
    if (blob.size !== own.size) throw new Error(`${blob.size} of ${own.size} bytes arrived`);
    offer(blob, own.name);
    own.isDone = true;
    own.got.clear();
    ask({ ask: "done" });
    draw();
  }

  function hear(message, buffers) {
    if (!own || message.token !== own.token) return;
    if (message.end) return leave();
    if (own.isDone) return; // a part that arrived twice
    own.pause = SILENCE;
    wait();
    if (message.size !== undefined && own.count === null) {
      own.name = message.name;
      own.size = message.size;
      own.count = Math.ceil(message.size / message.chunk);
    } else if (message.part !== undefined && !own.got.has(message.part)) {
      own.got.set(message.part, new Blob([buffers[0]])); // a blob may live on disk, an array may not
      own.bytes += buffers[0].byteLength;
    }
    draw();
    if (own.count !== null && own.got.size === own.count) finish();
    else if (own.count !== null) want();
  }

  function draw() {
    const state = model.get("state");
    const busy = state === "fetching" || state === "sending";
    const isOwn = own !== null && !own.isDone;
    label.textContent = model.get("label");
    button.title = model.get("hint");
    button.disabled = model.get("disabled") || isOwn;
    bar.style.display = stop.style.display = isOwn ? "" : "none";
    bar.setAttribute("aria-label", model.get("label"));
    if (isOwn && own.count) bar.value = (100 * own.got.size) / own.count;
    else bar.removeAttribute("value");
    let text = busy && !own ? "Another view of this notebook is downloading it" : model.get("words");
    if (isOwn && own.count) text = `${megabytes(own.bytes)} of ${megabytes(own.size)} MB`;
    words.setAttribute("aria-live", busy ? "off" : "polite"); // screen readers announce the end, but not the progress
    if (words.textContent !== text) words.textContent = text;
    words.classList.toggle("orthanc-error", state === "failed");
  }

  button.addEventListener("click", () => {
    leave();
    own = { token: `${Date.now()}-${Math.random()}`, got: new Map(), bytes: 0, asked: 0, count: null, pause: SILENCE, isDone: false };
    ask({ ask: "start" });
    wait();
    draw();
  });
  stop.addEventListener("click", () => {
    ask({ ask: "stop" });
    leave();
  });
  model.on("msg:custom", hear);
  model.on("change", draw);
  draw();
  return () => {
    if (own) ask({ ask: "stop" });
    leave();
    model.off("msg:custom", hear);
    model.off("change", draw);
  };
}

export default { render };
