// Tells the kernel which slices are seen: at rest, or when one is missing; never while a drag finds all it needs.
const REST = 250; // ms without a change
const HURRY = 80; // ms between two messages when slices are missing
const MARGIN = 4; // slices that are to be there on either side

function makeTeller(store, model, state, isBusy) {
  let timer = 0;
  let told = { position: model.get("position"), second: model.get("second_position") };
  let last = 0;
  let wanted = /** @type {number | null} */ (null); // by the cine, ahead of what is seen
  const wholes = [false, false];

  const isMissing = (layer, position) =>
    [0, -MARGIN, MARGIN].some((by) => position + by >= 0 && position + by < layer.count && !layer.slices.has(position + by));

  function send() {
    timer = 0;
    last = performance.now();
    told = { position: wanted ?? state.position, second: state.second.position };
    wanted = null;
    model.set({ position: told.position, second_position: told.second });
    model.save_changes();
  }

  function later(time) {
    clearTimeout(timer);
    timer = setTimeout(send, time);
  }

  function follow(first, second) {
    const isNew = told.position !== state.position || (second.count && told.second !== state.second.position);
    if (!isNew) return;
    const isUrgent = isMissing(first, state.position) || (second.count > 0 && isMissing(second, state.second.position));
    if (isUrgent) {
      if (!timer || !isBusy()) later(Math.max(0, last + HURRY - performance.now()));
    } else if (!isBusy()) later(REST);
  }

  return {
    follow,
    isAhead: () => Boolean(timer) || isBusy(),
    ask(position) {
      if (wanted === position || timer) return;
      wanted = position;
      later(Math.max(0, last + HURRY - performance.now()));
    },
    whole(layer, is_wanted) {
      if (wholes[layer] === is_wanted) return;
      wholes[layer] = is_wanted;
      model.send({ kind: "whole", layer, is_wanted });
    },
    reset() {
      clearTimeout(timer);
      timer = 0;
      wanted = null;
      told = { position: model.get("position"), second: model.get("second_position") };
      wholes.fill(false);
    },
    close: () => clearTimeout(timer),
  };
}
