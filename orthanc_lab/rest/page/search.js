// Finding studies: by words, and by the filters for date and modality.

import { post } from "./api.js";

export const LIMIT = 100; // studies on a page

const UID = /^\d+(\.\d+){3,}$/;
const ORDER = [{ Type: "DicomTag", Key: "StudyDate", Direction: "DESC" }];
const SHOWN = ["ModalitiesInStudy", "NumberOfStudyRelatedInstances"];
const TAGS = ["PatientName", "PatientID", "AccessionNumber", "StudyDescription"];

/** @typedef {{words: string, from: string, to: string, modality: string}} Wanted */

/** @param {Wanted} wanted */
function filtersOf(wanted) {
  const dates = [wanted.from, wanted.to].map((date) => date.replaceAll("-", ""));
  return dates.some(Boolean) ? { StudyDate: dates.join("-") } : {};
}

/** @param {Wanted} wanted */
function ofStudies(wanted, query) {
  const modality = wanted.modality ? { ModalitiesInStudy: wanted.modality } : {};
  return { Level: "Study", Query: { ...filtersOf(wanted), ...modality, ...query } };
}

/** @param {Wanted} wanted */
function ofSeries(wanted, query) {
  const modality = wanted.modality ? { Modality: wanted.modality } : {};
  return { Level: "Series", Query: { ...filtersOf(wanted), ...modality, ...query } };
}

const found = (query, since = 0) => post("tools/find", {
  ...query, Expand: true, Limit: LIMIT, Since: since, ...(query.Level === "Study" ? { OrderBy: ORDER, RequestedTags: SHOWN } : {}),
});

// Without words one query says all: the server sorts, and hands out page by page.
async function page(wanted, since) {
  const query = ofStudies(wanted, {});
  const [studies, { Count }] = await Promise.all([found(query, since), post("tools/count-resources", query)]);
  return { studies, total: Count };
}

/** The queries for what was typed: of studies, and of series for what only they have. */
function queriesOf(wanted) {
  const { words } = wanted;
  if (UID.test(words)) {
    return [ofStudies(wanted, { StudyInstanceUID: words }), ofSeries(wanted, { SeriesInstanceUID: words })];
  }
  const part = `*${words}*`;
  return [...TAGS.map((tag) => ofStudies(wanted, { [tag]: part })), ofSeries(wanted, { SeriesDescription: part })];
}

async function byWords(wanted) {
  const answers = (await Promise.all(queriesOf(wanted).map((query) => found(query)))).flat();
  const studies = new Map(answers.filter((one) => one.Type === "Study").map((study) => [study.ID, study]));
  const parents = new Set(answers.filter((one) => one.Type === "Series").map((series) => series.ParentStudy));
  const others = [...parents].filter((id) => !studies.has(id));
  if (others.length) {
    const more = await post("tools/bulk-content", { Resources: others, Metadata: false });
    for (const study of more) studies.set(study.ID, study);
  }
  const dateOf = (study) => study.MainDicomTags.StudyDate ?? "";
  const sorted = [...studies.values()].sort((one, other) => dateOf(other).localeCompare(dateOf(one)));
  return { studies: sorted.slice(0, LIMIT), total: sorted.length < LIMIT ? sorted.length : null };
}

/**
 * The studies of a page, the latest first, and how many there are; null if there are more than can be told.
 * @param {Wanted} wanted
 */
export const find = (wanted, since = 0) => (wanted.words ? byWords(wanted) : page(wanted, since));
