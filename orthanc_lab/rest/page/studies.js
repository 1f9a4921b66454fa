// The list of studies: search, series with a slice viewer, download and deletion.

import { address, byId, element, get, guarded, post, remove } from "./api.js";
import { download } from "./jobs.js";

const LIMIT = 100;
const list = byId("study-list");
const text = /** @type {HTMLInputElement} */ (byId("search-text"));
const count = byId("search-count");

async function find(words) {
  const queries = words
    ? ["PatientName", "PatientID", "StudyDescription"].map((tag) => ({ [tag]: `*${words}*` }))
    : [{}];
  const answers = await Promise.all(queries.map((Query) =>
    post("tools/find", { Level: "Study", Query, Expand: true, Limit: LIMIT })));
  return [...new Map(answers.flat().map((study) => [study.ID, study])).values()].slice(0, LIMIT);
}

export async function refresh() {
  const studies = await find(text.value.trim());
  count.textContent = studies.length === LIMIT ? `the first ${LIMIT} studies` : `${studies.length} studies`;
  list.replaceChildren(...studies.map(studyCard));
  if (!studies.length) {
    list.append(element("p", { class: "empty" }, text.value
      ? "No study matches the search."
      : "No study yet. Drop DICOM files or a ZIP archive anywhere on this page; PNG, JPEG and PDF become DICOM."));
  }
}

function studyCard(study) {
  const tags = study.MainDicomTags;
  const patient = study.PatientMainDicomTags;
  const card = element("details", {},
    element("summary", {},
      element("strong", {}, patient.PatientName || "(no name)"),
      element("span", { class: "quiet" }, patient.PatientID || "(no ID)"),
      element("span", {}, tags.StudyDescription || "(no description)"),
      element("span", { class: "quiet" }, tags.StudyDate || "")),
    element("div", { class: "actions" },
      element("button", { onclick: guarded(() => download(`studies/${study.ID}/archive`)) }, "Download ZIP"),
      element("button", { onclick: guarded(() => download(`studies/${study.ID}/media`)) }, "Download DICOMDIR"),
      element("button", { class: "danger", onclick: guarded(() => removeStudy(study)) }, "Delete")));
  card.addEventListener("toggle", guarded(async () => {
    if (!card.open || card.dataset.filled) return;
    card.dataset.filled = "yes";
    const series = await get(`studies/${study.ID}/series`);
    card.append(...series.map(seriesCard));
  }));
  return card;
}

async function removeStudy(study) {
  const name = study.PatientMainDicomTags.PatientName || study.ID;
  if (!confirm(`Delete the study of ${name}? This cannot be undone.`)) return;
  await remove(`studies/${study.ID}`);
  await refresh();
}

function seriesCard(series) {
  const tags = series.MainDicomTags;
  const card = element("details", {},
    element("summary", {},
      element("strong", {}, `${tags.Modality || "?"} ${tags.SeriesDescription || ""}`),
      element("span", { class: "quiet" }, `${series.Instances.length} instances`)));
  card.addEventListener("toggle", guarded(async () => {
    if (!card.open || card.dataset.filled) return;
    card.dataset.filled = "yes";
    card.append(await viewer(series));
  }));
  return card;
}

const numberOf = (instance) => Number(instance.MainDicomTags.InstanceNumber ?? 0);

async function viewer(series) {
  const instances = (await get(`series/${series.ID}/instances`)).sort((a, b) => numberOf(a) - numberOf(b));
  const picture = element("img", { alt: "No picture can be made of this instance" });
  const rows = element("tbody");
  const slider = element("input", {
    type: "range", min: 0, max: instances.length - 1, value: instances.length >> 1, "aria-label": "Slice",
  });
  const show = guarded(async () => {
    const { ID } = instances[slider.value];
    picture.src = address(`instances/${ID}/preview`);
    const tags = await get(`instances/${ID}/simplified-tags`);
    rows.replaceChildren(...Object.entries(tags).filter(([, value]) => typeof value === "string").map(([name, value]) =>
      element("tr", {}, element("td", { class: "quiet" }, name), element("td", {}, value))));
  });
  slider.addEventListener("input", show);
  await show();
  return element("div", { class: "viewer" },
    element("div", {}, picture, element("div", {}, slider)),
    element("details", {}, element("summary", {}, "Tags"), element("table", {}, rows)));
}

let typing;
text.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(guarded(refresh), 200);
});
byId("search").addEventListener("submit", (event) => event.preventDefault());
