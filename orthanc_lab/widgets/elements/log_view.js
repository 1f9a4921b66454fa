// The end of a log: follows new lines, unless the user has scrolled back.
const TONES = { E: "orthanc-log-error", W: "orthanc-log-warning" };

function render({ model, el }) {
  el.classList.add("orthanc-lab");
  keepKeys(el);
  const log = document.createElement("div");
  log.className = "orthanc-log";
  log.tabIndex = 0; // so that the keyboard can scroll it
  log.setAttribute("role", "log");
  log.setAttribute("aria-live", "off");
  log.setAttribute("aria-label", model.get("label"));
  el.append(log);

  function draw() {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 8;
    let tone = "";
    log.replaceChildren(
      ...model.get("lines").map((text) => {
        const line = document.createElement("div");
        if (/^[A-Z]\d{4} /.test(text)) tone = TONES[text[0]] ?? ""; // the lines of a traceback keep the tone of the first
        line.className = tone;
        line.textContent = text;
        return line;
      }),
    );
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  // Hidden in a closed fold it has no height to scroll.
  const watch = new ResizeObserver(() => {
    log.scrollTop = log.scrollHeight;
  });
  watch.observe(log);
  model.on("change:lines", draw);
  draw();
  return () => {
    watch.disconnect();
    model.off("change:lines", draw);
  };
}

export default { render };
