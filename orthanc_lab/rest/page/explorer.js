// The page: three views, each refreshed while it is looked at.

import { byId, get, guarded, notice } from "./api.js";
import * as jobs from "./jobs.js";
import * as metrics from "./metrics.js";
import * as studies from "./studies.js";
import "./upload.js";

const tabs = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[role=tab]")]);
const views = { studies, jobs, metrics };

function choose(tab) {
  for (const other of tabs) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    byId(other.getAttribute("aria-controls")).hidden = !chosen;
  }
  const name = tab.getAttribute("aria-controls");
  history.replaceState(null, "", `#${name}`);
  guarded(views[name].refresh)();
}

for (const [index, tab] of tabs.entries()) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const next = tabs[(index + step + tabs.length) % tabs.length];
    next.focus();
    choose(next);
  });
}

let lost = false;
async function tick() {
  try {
    await jobs.refresh();
    await metrics.refresh();
    if (lost) {
      lost = false;
      notice(null);
      await studies.refresh();
    }
  } catch (error) {
    lost = true;
    notice(error);
  }
  setTimeout(tick, 2000);
}

guarded(async () => {
  const system = await get("system");
  byId("server-name").textContent = [system.Name, system.Version].filter(Boolean).join(" · ");
})();
choose(document.getElementById(`tab-${location.hash.slice(1)}`) ?? tabs[0]);
tick();
