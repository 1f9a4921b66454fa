// The slices that the kernel has sent, of two stacks.
const CONFIRMED = 4 << 20; // bytes after which the kernel is told that they have come

function newStore() {
  return { layers: [0, 1].map(() => ({ stack: -1, slices: new Map(), confirmed: 0 })), views: new Set() };
}

function receive(store, message, buffers, send) {
  const layer = store.layers[message.layer];
  if (message.sent - layer.confirmed > CONFIRMED) {
    layer.confirmed = message.sent;
    send({ kind: "got", layer: message.layer, sent: message.sent });
  }
  if (message.stack < layer.stack) return; // of a stack that is gone
  if (message.stack > layer.stack) {
    layer.stack = message.stack;
    layer.slices.clear();
  }
  const view = buffers[0];
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  const values = message.kind === "none" ? null : new ARRAYS[message.kind](bytes);
  const bits = BITS[message.kind] ? new BITS[message.kind](bytes) : null;
  layer.slices.set(message.position, { ...message, values, bits });
  for (const position of message.dropped) layer.slices.delete(position);
  for (const hear of store.views) hear(message.layer, message.position);
}

// What is known of a stack: the first one, or the second.
function layerOf(store, model, number) {
  const told =
    number === 0
      ? Object.fromEntries(["stack", "count", "about", "windows", "low", "high"].map((name) => [name, model.get(name)]))
      : { ...model.get("second"), ...model.get("second_windows") };
  const held = store.layers[number].stack === told.stack ? store.layers[number].slices : new Map();
  const places = told.about?.places ?? [];
  const known = places.includes(null) ? places.map((place, position) => place ?? held.get(position)?.place ?? null) : places;
  return { ...told, about: { ...told.about, places: known }, number, slices: held };
}
