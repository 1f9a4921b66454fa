// Uploads by drop or by button: DICOM and ZIP as they are, PNG, JPEG and PDF through /tools/create-dicom.

import { byId, guarded, notice, post } from "./api.js";
import { refresh } from "./studies.js";

const status = byId("uploads");
const hint = byId("drop-hint");
// Secondary Capture Image Storage; the server has a class of its own for documents
const CAPTURE = { SOPClassUID: "1.2.840.10008.5.1.4.1.1.7", ConversionType: "WSD", Modality: "OT" };
const CONVERTED = { "image/png": CAPTURE, "image/jpeg": CAPTURE, "application/pdf": {} };

async function send(file) {
  const kind = CONVERTED[file.type];
  if (!kind) return post("instances", file);
  const Content = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Error(`${file.name} cannot be read`));
    reader.readAsDataURL(file);
  });
  const names = { PatientName: "Uploaded", SeriesDescription: file.name.slice(0, 64), SpecificCharacterSet: "ISO_IR 192" };
  return post("tools/create-dicom", { Content, Tags: { ...names, ...kind } });
}

const upload = guarded(async (files) => {
  const refused = [];
  status.hidden = false;
  for (const [index, file] of files.entries()) {
    status.textContent = `Uploading ${index + 1} of ${files.length}: ${file.name}`;
    try {
      await send(file);
    } catch (error) {
      refused.push(`${file.name}: ${/** @type {Error} */ (error).message}`);
    }
  }
  status.textContent = `${files.length - refused.length} of ${files.length} files were stored.`;
  await refresh();
  if (refused.length) throw new Error(`Not stored: ${refused.slice(0, 5).join("; ")}`);
});

async function filesOf(items) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.() ?? null).filter(Boolean);
  const files = [];
  const walk = async (entry) => {
    if (entry.isFile) files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    else {
      const reader = entry.createReader();
      for (let batch; (batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length;) {
        for (const child of batch) await walk(child);
      }
    }
  };
  for (const entry of entries) await walk(entry);
  return files;
}

const input = /** @type {HTMLInputElement} */ (byId("file-input"));
input.addEventListener("change", () => {
  upload([...(input.files ?? [])]);
  input.value = "";
});
addEventListener("dragover", (event) => { event.preventDefault(); hint.hidden = false; });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) hint.hidden = true; });
addEventListener("drop", async (event) => {
  event.preventDefault();
  hint.hidden = true;
  try {
    const files = await filesOf(event.dataTransfer?.items ?? []);
    if (files.length) await upload(files);
  } catch (error) {
    notice(error);
  }
});
