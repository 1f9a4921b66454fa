// Requests to the server, and the one place where an error is put into words.

export class ServerError extends Error {}

// Where a path of the server is. The document's own address may contain a password, with which fetch() refuses it;
// location does not show the password.
export const address = (path) => new URL(`../${path}`, location.href).href;

async function request(method, path, body) {
  let answer;
  try {
    answer = await fetch(address(path), { method, body });
  } catch {
    throw new ServerError("The server does not answer. Is it still running?");
  }
  if (answer.ok) return answer;
  const text = await answer.text();
  let words = text || `${method} /${path} was answered with ${answer.status} ${answer.statusText}`;
  try {
    const error = JSON.parse(text);
    words = error.Details ? `${error.Message}: ${error.Details}` : error.Message;
  } catch { /* an answer without the JSON error object: its text is all there is */ }
  throw new ServerError(words);
}

export const get = (path) => request("GET", path).then((answer) => answer.json());
export const getText = (path) => request("GET", path).then((answer) => answer.text());
export const post = (path, body) =>
  request("POST", path, body instanceof Blob || typeof body === "string" ? body : JSON.stringify(body))
    .then((answer) => answer.text())
    .then((text) => (text ? JSON.parse(text) : null));
export const send = (method, path, body = "") => request(method, path, body);
export const remove = (path) => request("DELETE", path);

// The only maker of elements: text goes in as text, so that no tag of a file is read as HTML.
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

// An element that is in the page as it is served.
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

export function notice(error) {
  const bar = byId("notice");
  bar.hidden = !error;
  bar.textContent = error ? error.message : "";
}

export const guarded = (action) => async (...parameters) => {
  try {
    await action(...parameters);
    notice(null);
  } catch (error) {
    notice(error);
  }
};
