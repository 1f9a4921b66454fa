// A tree following the ARIA pattern. Its lines are kept in one store for all views, and arrive level by level.
function newStore() {
  return { levels: new Map(), nodes: new Map(), views: new Set() };
}

function receive(store, message) {
  const put = (parent, nodes, more) => {
    store.levels.set(parent, { nodes, more });
    for (const node of nodes) store.nodes.set(node.id, node);
  };
  if (message.kind === "levels") for (const level of message.levels) put(level.parent, level.nodes, level.more);
  else if (message.kind === "more") {
    const nodes = [...(store.levels.get(message.parent)?.nodes ?? []), ...message.nodes];
    put(message.parent, nodes, message.more);
  } else if (message.kind === "forget") store.levels.delete(message.parent);
  else if (message.kind === "clear") store.levels.clear();
  for (const draw of store.views) draw();
}

function make(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function newItem(id, checks) {
  const item = document.createElement("li");
  item.setAttribute("role", "treeitem");
  item.dataset.id = id;
  item.tabIndex = -1;
  const line = make("div", "orthanc-line");
  const twist = make("span", "orthanc-twist");
  const label = make("span", "orthanc-label");
  const note = make("span", "orthanc-quiet");
  twist.setAttribute("aria-hidden", "true");
  line.append(twist);
  if (checks) {
    const box = make("span", "orthanc-box");
    box.setAttribute("aria-hidden", "true");
    line.append(box);
  }
  line.append(label, note);
  const group = document.createElement("ul");
  group.setAttribute("role", "group");
  item.append(line, group);
  return Object.assign(item, { line, twist, label, note, group });
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function place(container, children) {
  children.forEach((child, position) => {
    if (container.children[position] !== child) container.insertBefore(child, container.children[position] ?? null);
  });
  while (container.children.length > children.length) container.lastChild.remove();
}

function renderTree(store, model, el) {
  el.classList.add("orthanc-lab");
  keepKeys(el);
  const checks = model.get("mode") === "check";
  const scroll = make("div", "orthanc-tree");
  const root = document.createElement("ul");
  root.setAttribute("role", "tree");
  root.setAttribute("aria-multiselectable", String(checks));
  const empty = make("div", "orthanc-none");
  scroll.append(root, empty);
  el.append(scroll);
  const items = new Map();
  let typed = "";
  let typedAt = 0;
  let entry = null; // the item that the tabulator key reaches

  const itemOf = (key) => {
    if (!items.has(key)) items.set(key, newItem(key, checks));
    return items.get(key);
  };

  function isChecked(id, checked) {
    for (let node = store.nodes.get(id); node; node = store.nodes.get(node.parent)) {
      if (checked.has(node.id) || checked.has(node.parent)) return true;
    }
    return false;
  }

  function drawLevel(parent, container, depth, state) {
    const level = store.levels.get(parent);
    if (!level) return place(container, []);
    const size = level.more ? -1 : level.nodes.length;
    const children = level.nodes.map((node, position) => {
      const item = itemOf(node.id);
      const open = state.opened.has(node.id);
      setText(item.label, node.label);
      setText(item.note, node.note);
      setText(item.twist, node.is_leaf ? "" : "▸");
      item.title = node.note ? `${node.label}\n${node.note}` : node.label;
      item.setAttribute("aria-level", depth);
      item.setAttribute("aria-posinset", position + 1);
      item.setAttribute("aria-setsize", size);
      item.setAttribute("aria-label", node.note ? `${node.label}, ${node.note}` : node.label);
      if (!node.is_leaf) item.setAttribute("aria-expanded", String(open));
      item.toggleAttribute("aria-busy", false);
      if (open && !store.levels.has(node.id)) item.setAttribute("aria-busy", "true");
      if (checks) {
        const value = isChecked(node.id, state.checked) ? "true" : state.mixed.has(node.id) ? "mixed" : "false";
        item.setAttribute("aria-checked", value);
      } else item.setAttribute("aria-selected", String(node.id === state.current));
      drawLevel(open ? node.id : null, item.group, depth + 1, state);
      return item;
    });
    if (level.more) {
      const item = itemOf(`more:${parent}`);
      item.classList.add("orthanc-further");
      item.dataset.more = parent;
      setText(item.label, "Show more …");
      item.querySelector(".orthanc-box")?.remove();
      item.setAttribute("aria-level", depth);
      children.push(item);
    }
    place(container, children);
  }

  function draw() {
    const home = /** @type {Document | ShadowRoot} */ (root.getRootNode());
    const focused = home.activeElement && root.contains(home.activeElement) ? home.activeElement : null;
    root.setAttribute("aria-label", model.get("label"));
    drawLevel("", root, 1, {
      opened: new Set(model.get("opened")),
      checked: new Set(model.get("checked")),
      mixed: new Set(model.get("mixed")),
      current: model.get("current"),
    });
    for (const [key, item] of items) if (!root.contains(item)) items.delete(key);
    const isEmpty = root.children.length === 0;
    root.hidden = isEmpty;
    empty.hidden = !isEmpty;
    setText(empty, store.levels.has("") ? model.get("empty") : "Loading …");
    if (focused && focused !== home.activeElement && root.contains(focused)) /** @type {HTMLElement} */ (focused).focus();
    if (!entry || !root.contains(entry)) enter(items.get(model.get("current")) ?? root.querySelector("[role=treeitem]"));
  }

  function enter(item) {
    if (entry) entry.tabIndex = -1;
    entry = item;
    if (item) item.tabIndex = 0;
  }

  function focus(item) {
    if (!item) return;
    enter(item);
    item.focus();
    item.line.scrollIntoView({ block: "nearest" });
  }

  function setOpen(item, open) {
    if (!item.hasAttribute("aria-expanded")) return;
    const others = model.get("opened").filter((id) => id !== item.dataset.id);
    model.set("opened", open ? [...others, item.dataset.id] : others);
    model.save_changes();
  }

  function act(item) {
    if (item.dataset.more !== undefined) {
      item.setAttribute("aria-busy", "true");
      const before = item.previousElementSibling;
      model.send({ kind: "more", id: item.dataset.more });
      if (before) focus(before);
    } else if (checks) model.send({ kind: "toggle", id: item.dataset.id });
    else {
      model.set("current", item.dataset.id);
      model.save_changes();
    }
  }

  /** @returns {any[]} */
  const visible = () => [...root.querySelectorAll("[role=treeitem]")];
  const isOpen = (item) => item.getAttribute("aria-expanded") === "true";

  function typeAhead(item, key, now) {
    typed = now - typedAt < 700 ? typed + key : key;
    typedAt = now;
    const all = visible();
    const start = all.indexOf(item) + (typed.length === 1 ? 1 : 0);
    const ordered = [...all.slice(start), ...all.slice(0, start)];
    focus(ordered.find((one) => one.label.textContent.toLowerCase().startsWith(typed.toLowerCase())));
  }

  function onKey(event) {
    const item = event.target.closest("[role=treeitem]");
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = visible();
    const position = all.indexOf(item);
    if (event.key === "ArrowDown") focus(all[position + 1]);
    else if (event.key === "ArrowUp") focus(all[position - 1]);
    else if (event.key === "Home") focus(all[0]);
    else if (event.key === "End") focus(all[all.length - 1]);
    else if (event.key === "ArrowRight") {
      if (isOpen(item)) focus(item.group.firstElementChild);
      else setOpen(item, true);
    } else if (event.key === "ArrowLeft") {
      if (isOpen(item)) setOpen(item, false);
      else focus(item.parentElement.closest("[role=treeitem]"));
    } else if (event.key === "Enter" || (event.key === " " && event.timeStamp - typedAt > 700)) act(item);
    else if (event.key.length === 1) typeAhead(item, event.key, event.timeStamp);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function onClick(event) {
    const item = event.target.closest("[role=treeitem]");
    if (!item) return;
    focus(item);
    const twisted = event.target.classList.contains("orthanc-twist");
    if (twisted && item.hasAttribute("aria-expanded")) setOpen(item, !isOpen(item));
    else act(item);
  }

  function onDoubleClick(event) {
    const item = event.target.closest("[role=treeitem]");
    if (item && !checks && !event.target.classList.contains("orthanc-twist")) setOpen(item, !isOpen(item));
  }

  root.addEventListener("keydown", onKey);
  root.addEventListener("click", onClick);
  root.addEventListener("dblclick", onDoubleClick);
  root.addEventListener("focusin", (event) => enter(/** @type {HTMLElement} */ (event.target).closest("[role=treeitem]")));
  const traits = ["opened", "checked", "mixed", "current", "label", "empty"].map((name) => `change:${name}`).join(" ");
  model.on(traits, draw);
  store.views.add(draw);
  draw();
  return () => {
    store.views.delete(draw);
    model.off(traits, draw);
  };
}

export default () => {
  const store = newStore();
  return {
    initialize({ model }) {
      model.on("msg:custom", (message) => receive(store, message));
      model.send({ kind: "hello" });
    },
    render: ({ model, el }) => renderTree(store, model, el),
  };
};
