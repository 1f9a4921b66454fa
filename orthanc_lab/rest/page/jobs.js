// The jobs: a table that follows them, their controls, and downloads through an asynchronous job.

import { address, byId, element, get, guarded, post, remove } from "./api.js";

const section = byId("jobs");
const badge = byId("jobs-badge");
const CONTROLS = {
  Pending: ["pause", "cancel"],
  Running: ["pause", "cancel"],
  Paused: ["resume", "cancel"],
  Retry: ["pause", "cancel"],
  Failure: ["resubmit"],
  Success: [],
};

export async function refresh() {
  const jobs = await get("jobs?expand");
  const active = jobs.filter((job) => job.State in { Pending: 1, Running: 1, Paused: 1, Retry: 1 }).length;
  badge.textContent = active ? `(${active})` : "";
  if (section.hidden) return;
  if (!jobs.length) {
    section.replaceChildren(element("p", { class: "empty" }, "No job yet. Download a study to start one."));
    return;
  }
  jobs.sort((a, b) => b.CreationTime.localeCompare(a.CreationTime));
  const { job, act } = focused();
  const head = ["Type", "State", "Progress", "Priority", "Run time", ""].map((name) => element("th", {}, name));
  section.replaceChildren(element("table", { class: "card" },
    element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...jobs.map(row))));
  if (job) (buttonOf(job, act) ?? buttonOf(job))?.focus();
}

// The table is drawn anew each time: the button with the focus, or another one of its job, has it again afterwards.
const focused = () => /** @type {HTMLElement} */ (section.contains(document.activeElement) ? document.activeElement : section).dataset;
const buttonOf = (job, act = "") =>
  /** @type {HTMLElement} */ (section.querySelector(`button[data-job="${job}"]${act && `[data-act="${act}"]`}`));

function row(job) {
  const button = (act, press, more = {}) =>
    element("button", { "data-job": job.ID, "data-act": act, onclick: guarded(press), ...more }, act);
  const control = (act) => button(act, async () => { await post(`jobs/${job.ID}/${act}`, "{}"); await refresh(); });
  const final = job.State === "Success" || job.State === "Failure";
  const hasArchive = job.State === "Success" && (job.Type === "Archive" || job.Type === "Media");
  return element("tr", {},
    element("td", { title: job.ID }, job.Type),
    element("td", { class: `state-${job.State}`, title: job.ErrorDetails },
      job.State === "Failure" ? `${job.State}: ${job.ErrorDescription}` : job.State),
    element("td", {}, element("progress", { max: 100, value: job.Progress, "aria-label": `${job.Progress} %` }), ` ${job.Progress} %`),
    element("td", { "data-head": "Priority" }, String(job.Priority)),
    element("td", { "data-head": "Run time" }, `${job.EffectiveRuntime.toFixed(2)} s`),
    element("td", {}, ...CONTROLS[job.State].map(control),
      hasArchive ? button("download", () => save(job.ID)) : null,
      final ? button("delete", async () => { await remove(`jobs/${job.ID}`); await refresh(); }, { class: "danger" }) : null));
}

function save(id) {
  const link = element("a", { href: address(`jobs/${id}/archive`), download: "" });
  document.body.append(link);
  link.click();
  link.remove();
}

export async function download(path) {
  const { ID } = await post(path, { Asynchronous: true });
  for (;;) {
    const job = await get(`jobs/${ID}`);
    await refresh();
    if (job.State === "Success") return save(ID);
    if (job.State === "Failure") throw new Error(`The archive was not made: ${job.ErrorDescription}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
