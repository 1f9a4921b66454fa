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
  const head = ["Type", "State", "Progress", "Priority", "Run time", ""].map((name) => element("th", {}, name));
  section.replaceChildren(element("table", { class: "card" },
    element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...jobs.map(row))));
}

function row(job) {
  const act = (action) => element("button", {
    onclick: guarded(async () => { await post(`jobs/${job.ID}/${action}`, "{}"); await refresh(); }),
  }, action);
  const final = job.State === "Success" || job.State === "Failure";
  return element("tr", {},
    element("td", { title: job.ID }, job.Type),
    element("td", { class: `state-${job.State}`, title: job.ErrorDetails },
      job.State === "Failure" ? `${job.State}: ${job.ErrorDescription}` : job.State),
    element("td", {}, element("progress", { max: 100, value: job.Progress, "aria-label": `${job.Progress} %` }), ` ${job.Progress} %`),
    element("td", {}, String(job.Priority)),
    element("td", {}, `${job.EffectiveRuntime.toFixed(2)} s`),
    element("td", {}, ...CONTROLS[job.State].map(act),
      job.State === "Success" && (job.Type === "Archive" || job.Type === "Media")
        ? element("button", { onclick: guarded(() => save(job.ID)) }, "download") : null,
      final ? element("button", {
        class: "danger", onclick: guarded(async () => { await remove(`jobs/${job.ID}`); await refresh(); }),
      }, "delete") : null));
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
