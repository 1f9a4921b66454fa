// The list of studies: search, filters and pages; series, labels, download and deletion of each.

import { byId, element, get, guarded, remove, send } from "./api.js";
import { download } from "./jobs.js";
import { find, LIMIT } from "./search.js";
import { viewer } from "./viewer.js";
import { counted, dateWords, personWords } from "./words.js";

const list = byId("study-list");
const count = byId("search-count");
const pages = byId("pages");
const form = /** @type {HTMLFormElement} */ (byId("search"));
const fieldOf = (id) => /** @type {HTMLInputElement} */ (byId(id));
const fields = { words: "search-text", from: "date-from", to: "date-to", modality: "modality" };

let since = 0;
let asked = 0;

const wanted = () => {
  const values = Object.entries(fields).map(([key, id]) => [key, fieldOf(id).value.trim()]);
  return /** @type {import("./search.js").Wanted} */ (Object.fromEntries(values));
};

export async function refresh() {
  const number = ++asked;
  const now = wanted();
  const { studies, total } = await find(now, since);
  if (number !== asked) return; // the user has typed on
  if (!studies.length && since) {
    since = 0; // what was there has been deleted
    return refresh();
  }
  count.textContent = wordsOf(studies.length, total);
  list.replaceChildren(...cardsOf(studies));
  pages.replaceChildren(...pageButtons(studies.length, total));
  if (!studies.length) {
    list.append(element("p", { class: "empty" }, Object.values(now).some(Boolean)
      ? "No study matches the search."
      : "No study yet. Drop DICOM files or a ZIP archive anywhere on this page; PNG, JPEG and PDF become DICOM."));
  }
}

function wordsOf(shown, total) {
  if (total === null) return `the first ${counted(shown, "study", "studies")}: type more`;
  if (total <= LIMIT) return counted(total, "study", "studies");
  return `${(since + 1).toLocaleString("en")} to ${(since + shown).toLocaleString("en")} of ${counted(total, "study", "studies")}`;
}

function pageButtons(shown, total) {
  if (total === null || total <= LIMIT) return [];
  const to = (words, place, disabled) => element("button", {
    type: "button", disabled, onclick: guarded(async () => { since = place; await refresh(); scrollTo(0, 0); }),
  }, words);
  const last = Math.floor((total - 1) / LIMIT) * LIMIT;
  return [
    to("First", 0, since === 0), to("Previous", since - LIMIT, since === 0),
    to("Next", since + LIMIT, since + shown >= total), to("Last", last, since === last),
  ];
}

// Cards of studies that have not changed stay as they are: open, with their images.
let cards = new Map();
function cardsOf(studies) {
  const made = studies.map((study) => {
    const text = JSON.stringify(study);
    const known = cards.get(study.ID);
    return [study.ID, known?.text === text ? known : { text, card: studyCard(study) }];
  });
  cards = new Map(made);
  return made.map(([, { card }]) => card);
}

function studyCard(study) {
  const tags = study.MainDicomTags;
  const patient = study.PatientMainDicomTags;
  const more = study.RequestedTags ?? {};
  const instances = Number(more.NumberOfStudyRelatedInstances ?? 0);
  const card = element("details", {},
    element("summary", {},
      element("strong", {}, personWords(patient.PatientName) || "(no name)"),
      element("span", { class: "quiet" }, patient.PatientID || "(no ID)"),
      element("span", { class: "description" }, tags.StudyDescription || "(no description)"),
      element("span", {}, (more.ModalitiesInStudy ?? "").replaceAll("\\", ", ")),
      element("span", { class: "quiet" }, instances ? counted(instances, "instance", "instances") : ""),
      element("span", { class: "quiet" }, tags.AccessionNumber || ""),
      element("span", { class: "quiet" }, dateWords(tags.StudyDate))),
    labelsOf(study),
    element("div", { class: "actions" },
      element("button", { onclick: guarded(() => download(`studies/${study.ID}/archive`)) }, "Download ZIP"),
      element("button", { onclick: guarded(() => download(`studies/${study.ID}/media`)) }, "Download DICOMDIR"),
      element("button", { class: "danger", onclick: guarded(() => removeStudy(study)) }, "Delete")));
  card.addEventListener("toggle", guarded(async () => {
    if (!card.open || card.dataset.filled) return;
    card.dataset.filled = "yes";
    const series = await get(`studies/${study.ID}/series`);
    const place = (one) => Number(one.MainDicomTags.SeriesNumber ?? 0);
    series.sort((one, other) => place(one) - place(other));
    card.append(...series.map(seriesCard));
  }));
  return card;
}

function labelsOf(study) {
  const path = (label) => `studies/${study.ID}/labels/${encodeURIComponent(label)}`;
  const line = element("div", { class: "labels" });
  const draw = (labels) => {
    const entry = /** @type {HTMLInputElement} */ (element("input", {
      "aria-label": "New label", placeholder: "Add a label", size: 12, maxlength: 64, pattern: "[A-Za-z0-9_\\-]+",
      title: "Letters, digits, - and _",
    }));
    const add = element("form", {
      onsubmit: (event) => {
        event.preventDefault();
        const label = entry.value.trim();
        if (label) guarded(async () => { await send("PUT", path(label)); draw(await get(`studies/${study.ID}/labels`)); })();
      },
    }, entry);
    line.replaceChildren(...labels.map((label) => element("span", { class: "label" }, label, element("button", {
      "aria-label": `Remove the label ${label}`,
      onclick: guarded(async () => { await remove(path(label)); draw(await get(`studies/${study.ID}/labels`)); }),
    }, "×"))), add);
  };
  draw(study.Labels ?? []);
  return line;
}

async function removeStudy(study) {
  const name = personWords(study.PatientMainDicomTags.PatientName) || study.ID;
  if (!confirm(`Delete the study of ${name}? This cannot be undone.`)) return;
  await remove(`studies/${study.ID}`);
  await refresh();
  fieldOf("search-text").focus(); // the button that had the focus is gone
}

function seriesCard(series) {
  const tags = series.MainDicomTags;
  const card = element("details", {},
    element("summary", {},
      element("strong", {}, `${tags.Modality || "?"} ${tags.SeriesDescription || ""}`),
      element("span", { class: "quiet" }, counted(series.Instances.length, "instance", "instances"))));
  card.addEventListener("toggle", guarded(async () => {
    if (!card.open || card.dataset.filled) return;
    card.dataset.filled = "yes";
    card.append(await viewer(series));
  }));
  return card;
}

let typing;
form.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(guarded(async () => { since = 0; await refresh(); }), 200);
});
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(guarded(async () => { since = 0; await refresh(); })));
