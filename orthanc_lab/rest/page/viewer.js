// The images of a series: slices, window, cine and tags; documents as they are.

import { address, element, get, guarded } from "./api.js";
import { counted } from "./words.js";

const PDF = "1.2.840.10008.5.1.4.1.1.104.1"; // Encapsulated PDF Storage
const PACE = 100; // ms between two images of a cine
const WINDOWS = {
  CT: { "Soft tissue": [40, 400], Lung: [-600, 1500], Bone: [500, 2000], Brain: [40, 80] },
};

const numberOf = (instance) => Number(instance.MainDicomTags.InstanceNumber ?? 0);
const framesOf = (instance) => Math.max(1, Number(instance.MainDicomTags.NumberOfFrames ?? 1) || 1);

export async function viewer(series) {
  const instances = (await get(`series/${series.ID}/instances`)).sort((a, b) => numberOf(a) - numberOf(b));
  const tags = element("tbody");
  const showTags = async (id) => {
    const found = await get(`instances/${id}/simplified-tags`);
    tags.replaceChildren(...rows(found));
    return found;
  };
  const first = await get(`instances/${instances[0].ID}/simplified-tags`);
  const shown = first.SOPClassUID === PDF
    ? await documents(instances, showTags)
    : await images(instances, series.MainDicomTags.Modality, showTags);
  return element("div", { class: "viewer" }, shown,
    element("details", {}, element("summary", {}, "Tags"), element("table", {}, tags)));
}

async function documents(instances, showTags) {
  await showTags(instances[0].ID);
  // As a tab of JupyterLab, whose frame is sandboxed: there browsers show no PDF, nor in a window opened from there.
  const isSandboxed = window.frameElement?.hasAttribute("sandbox") ?? false;
  return element("div", {}, ...instances.flatMap(({ ID }) => {
    const href = address(`instances/${ID}/pdf`);
    return isSandboxed
      ? [element("p", {}, element("a", { href, download: `${ID}.pdf` }, "Download the document"))]
      : [
        element("iframe", { src: href, title: "Document", class: "document" }),
        element("p", {}, element("a", { href, target: "_blank" }, "Open the document")),
      ];
  }));
}

async function images(instances, modality, showTags) {
  const pictures = instances.flatMap((one) => Array.from({ length: framesOf(one) }, (_, frame) => ({ id: one.ID, frame })));
  const picture = /** @type {HTMLImageElement} */ (element("img", { alt: "No picture can be made of this instance" }));
  const place = element("span", { class: "quiet" });
  const slider = /** @type {HTMLInputElement} */ (element("input", {
    type: "range", min: 0, max: pictures.length - 1, value: pictures.length >> 1, "aria-label": "Slice",
  }));
  const window = windowFields(modality, () => guarded(show)());
  let tagsOf = "";

  async function show() {
    const number = Number(slider.value);
    const { id, frame } = pictures[number];
    place.textContent = `${number + 1} of ${counted(pictures.length, "image", "images")}`;
    picture.src = address(`instances/${id}/frames/${frame}/${window.address()}`);
    if (tagsOf !== id && !cine.isPlaying()) {
      tagsOf = id;
      window.suggest(await showTags(id));
    }
  }

  const cine = cineOf(picture, () => {
    slider.value = String((Number(slider.value) + 1) % pictures.length);
    return show();
  }, () => guarded(show)());
  slider.addEventListener("input", guarded(show));
  await show();
  return element("div", {}, picture,
    element("div", { class: "line" }, slider, place),
    element("div", { class: "line" }, pictures.length > 1 ? cine.button : null, ...window.fields));
}

function windowFields(modality, changed) {
  const presets = { "As stored": null, ...WINDOWS[modality] };
  const number = (label) => /** @type {HTMLInputElement} */ (element("input", {
    type: "number", "aria-label": label, step: "any", onchange: () => { choice.value = "Own"; changed(); },
  }));
  const center = number("Window center");
  const width = number("Window width");
  const choice = /** @type {HTMLSelectElement} */ (element("select", {
    "aria-label": "Window",
    onchange: () => {
      [center.value, width.value] = (presets[choice.value] ?? ["", ""]).map(String);
      changed();
    },
  }, ...[...Object.keys(presets), "Own"].map((name) => element("option", {}, name))));
  const address = () => {
    const isChosen = center.value !== "" && Number(width.value) > 0;
    return isChosen ? `rendered?window-center=${Number(center.value)}&window-width=${Number(width.value)}` : "preview";
  };
  // What the file asks for stands in the fields, paler, as long as nothing else is chosen.
  const suggest = (tags) => {
    for (const [field, value] of /** @type {const} */ ([[center, tags.WindowCenter], [width, tags.WindowWidth]])) {
      field.placeholder = String(value ?? "").split("\\")[0];
    }
  };
  const fields = [choice, element("label", {}, "Center ", center), element("label", {}, "Width ", width)];
  return { fields, address, suggest };
}

// The next image is asked for once this one is there, so that a slow connection only slows the cine down.
function cineOf(picture, next, stopped) {
  let isPlaying = false;
  let timer = 0;
  const button = element("button", {
    type: "button",
    onclick: () => {
      isPlaying = !isPlaying;
      button.textContent = isPlaying ? "Stop" : "Play";
      if (isPlaying) guarded(next)();
      else {
        clearTimeout(timer);
        stopped();
      }
    },
  }, "Play");
  const goOn = () => {
    if (!isPlaying) return;
    if (!picture.isConnected) {
      isPlaying = false; // the list was drawn anew
      return;
    }
    timer = window.setTimeout(guarded(next), PACE);
  };
  picture.addEventListener("load", goOn);
  picture.addEventListener("error", goOn);
  return { button, isPlaying: () => isPlaying };
}

function rows(tags, depth = 0) {
  return Object.entries(tags).flatMap(([name, value]) => {
    const cell = element("td", { class: "quiet", style: `padding-left:${0.6 + depth}rem` }, name);
    if (!Array.isArray(value)) return [element("tr", {}, cell, element("td", {}, value ?? "(too long to be shown)"))];
    return [
      element("tr", {}, cell, element("td", { class: "quiet" }, counted(value.length, "item", "items"))),
      ...value.flatMap((item) => rows(item, depth + 1)),
    ];
  });
}
