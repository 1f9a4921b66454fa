// Finding studies: by words, and by the filters for date and modality.

import { get, post } from "./api.js";
import { folded, holds, patternWithoutAccents } from "./folding.js";

export const LIMIT = 100; // studies on a page
const MOST_CHECKED = 1000; // answers to a query that are looked through for those with other accents

const UID = /^\d+(\.\d+){3,}$/;
const ORDER = [{ Type: "DicomTag", Key: "StudyDate", Direction: "DESC" }];
const SHOWN = ["ModalitiesInStudy", "NumberOfStudyRelatedInstances"];
const TAGS = ["PatientName", "PatientID", "AccessionNumber", "StudyDescription"];
const NUMBERS = new Set(["PatientID", "AccessionNumber"]); // such identifiers have no accents

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

/** @type {Map<string, typeof ofStudies>} */
const SOUGHT = new Map();
for (const tag of TAGS) SOUGHT.set(tag, ofStudies);
SOUGHT.set("SeriesDescription", ofSeries);

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
  return [...SOUGHT].map(([tag, ofLevel]) => ofLevel(wanted, { [tag]: `*${partsOf(tag, words)}*` }));
}

const partsOf = (tag, words) => (tag === "PatientName" ? words.replace(/[\s^]+/g, "*") : words);

// The same with other accents: the server finds more than is sought.
async function withOtherAccents(wanted) {
  const words = folded(wanted.words);
  const answers = [...SOUGHT].map(async ([tag, ofLevel]) => {
    const pattern = NUMBERS.has(tag) || UID.test(wanted.words) ? "" : patternWithoutAccents(partsOf(tag, wanted.words));
    if (!pattern) return [];
    const all = await post("tools/find", { ...ofLevel(wanted, { [tag]: pattern }), Expand: true, Limit: MOST_CHECKED });
    return all.filter((one) => holds(one.MainDicomTags[tag] ?? one.PatientMainDicomTags?.[tag] ?? "", words));
  });
  return (await Promise.all(answers)).flat();
}

async function byWords(wanted) {
  const answers = (await Promise.all(queriesOf(wanted).map((query) => found(query)))).flat();
  const studies = new Map(answers.filter((one) => one.Type === "Study").map((study) => [study.ID, study]));
  const more = studies.size < LIMIT ? await withOtherAccents(wanted) : [];
  const others = new Set([...answers, ...more].map((one) => one.ParentStudy ?? one.ID).filter((id) => !studies.has(id)));
  const asked = [...others].slice(0, LIMIT).map((id) => get(`studies/${id}?requested-tags=${SHOWN.join(";")}`));
  for (const study of await Promise.all(asked)) studies.set(study.ID, study);
  const dateOf = (study) => study.MainDicomTags.StudyDate ?? "";
  const sorted = [...studies.values()].sort((one, other) => dateOf(other).localeCompare(dateOf(one)));
  return { studies: sorted.slice(0, LIMIT), total: sorted.length < LIMIT ? sorted.length : null };
}

/**
 * The studies of a page, the latest first, and how many there are; null if there are more than can be told.
 * @param {Wanted} wanted
 */
export const find = (wanted, since = 0) => (wanted.words ? byWords(wanted) : page(wanted, since));
