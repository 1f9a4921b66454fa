// The metrics: one card each, with the line of the last two minutes.

import { byId, element, getText } from "./api.js";

const section = byId("metrics");
const POINTS = 60;
const history = new Map();

export async function refresh() {
  const lines = (await getText("tools/metrics-prometheus")).trim().split("\n").filter(Boolean);
  for (const line of lines) {
    const [name, value] = line.split(" ");
    const values = history.get(name) ?? [];
    values.push(Number(value));
    history.set(name, values.slice(-POINTS));
  }
  if (section.hidden) return;
  section.replaceChildren(...[...history].map(card));
  if (!history.size) {
    section.append(element("p", { class: "empty" }, "Metrics are off. PUT 1 to /tools/metrics to switch them on."));
  }
}

function card([name, values]) {
  const last = values.at(-1);
  return element("div", { class: "card" },
    element("div", { class: "quiet" }, name.replace("orthanc_", "").replaceAll("_", " ")),
    element("div", { class: "value" }, last.toLocaleString(undefined, { maximumFractionDigits: 3 })),
    line(values));
}

function line(values) {
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const points = values.map((value, index) => `${index},${32 - (28 * (value - low)) / span}`).join(" ");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${POINTS - 1} 36`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  path.setAttribute("points", points);
  svg.append(path);
  return svg;
}
