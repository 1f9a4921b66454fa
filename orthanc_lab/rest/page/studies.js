// The list of studies: search, series with a slice viewer, download and deletion.

import { address, byId, element, get, guarded, post, remove } from "./api.js";
import { download } from "./jobs.js";

const LIMIT = 100;
const list = byId("study-list");
const text = /** @type {HTMLInputElement} */ (byId("search-text"));
const count = byId("search-count");

const UID = /^\d+(\.\d+){3,}$/;
const ORDER = [{ Type: "DicomTag", Key: "StudyDate", Direction: "DESC" }];

// The queries for what was typed: of studies, and of series for what only they have.
function queriesOf(words) {
  const of = (Level, Query) => ({ Level, Query, Expand: true, Limit: LIMIT, ...(Level === "Study" ? { OrderBy: ORDER } : {}) });
  if (!words) return [of("Study", {})];
  if (UID.test(words)) return [of("Study", { StudyInstanceUID: words }), of("Series", { SeriesInstanceUID: words })];
  const tags = ["PatientName", "PatientID", "AccessionNumber", "StudyDescription"];
  const part = `*${words}*`;
  return [...tags.map((tag) => of("Study", { [tag]: part })), of("Series", { SeriesDescription: part })];
}

async function find(words) {
  const answers = await Promise.all(queriesOf(words).map((query) => post("tools/find", query)));
  const found = new Map(answers.flat().filter((one) => one.Type === "Study").map((study) => [study.ID, study]));
  const parents = new Set(answers.flat().filter((one) => one.Type === "Series").map((series) => series.ParentStudy));
  const others = [...parents].filter((id) => !found.has(id));
  if (others.length) {
    const more = await post("tools/bulk-content", { Resources: others, Metadata: false });
    for (const study of more) found.set(study.ID, study);
  }
  const dateOf = (study) => study.MainDicomTags.StudyDate ?? "";
  return [...found.values()].sort((one, other) => dateOf(other).localeCompare(dateOf(one))).slice(0, LIMIT);
}

const counted = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
const personWords = (name) => (name ?? "").split("=").map((part) => part.split("^").filter(Boolean).join(" ")).filter(Boolean).join(" = ");
const dateWords = (date) => (date ?? "").replace(/^(\d{4})(\d\d)(\d\d)$/, "$1-$2-$3");

export async function refresh() {
  const words = text.value.trim();
  const [studies, all] = await Promise.all([find(words), get("statistics")]);
  if (words !== text.value.trim()) return; // the user has typed on
  const shown = counted(studies.length, "study", "studies");
  count.textContent = studies.length < LIMIT ? shown
    : words ? `the first ${shown}: type more` : `the latest ${LIMIT} of ${counted(all.CountStudies, "study", "studies")}`;
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
      element("strong", {}, personWords(patient.PatientName) || "(no name)"),
      element("span", { class: "quiet" }, patient.PatientID || "(no ID)"),
      element("span", {}, tags.StudyDescription || "(no description)"),
      element("span", { class: "quiet" }, tags.AccessionNumber || ""),
      element("span", { class: "quiet" }, dateWords(tags.StudyDate))),
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

async function removeStudy(study) {
  const name = personWords(study.PatientMainDicomTags.PatientName) || study.ID;
  if (!confirm(`Delete the study of ${name}? This cannot be undone.`)) return;
  await remove(`studies/${study.ID}`);
  await refresh();
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
