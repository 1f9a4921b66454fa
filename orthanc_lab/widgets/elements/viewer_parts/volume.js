// Planes across a stack of parallel slices, made of the values that the browser holds.
const PARALLEL = 1e-3;

// How the slices lie along their common normal, or the reason why no planes can be made of them.
function stackLayout(places, spacing, rows, columns) {
  if (places.length < 3 || places.some((place) => !place)) return { problem: "Its slices do not say where they lie." };
  if (spacing.kind !== "patient") return { problem: "It has no spacing in the patient." };
  const [first] = places;
  if (places.some((place) => [3, 4, 5, 6, 7, 8].some((at) => Math.abs(place[at] - first[at]) > PARALLEL)))
    return { problem: "Its slices are not parallel." };
  const normal = normalOf(first);
  const order = places
    .map((place, position) => {
      const from = minus(originOf(place), originOf(first));
      const shift = { x: dot(from, rowOf(first)) / spacing.column, y: dot(from, columnOf(first)) / spacing.row };
      return { position, distance: dot(from, normal), shift }; // the shift of a tilted gantry, in pixels
    })
    .sort((one, other) => one.distance - other.distance);
  const steps = order.slice(1).map((one, at) => one.distance - order[at].distance);
  const step = [...steps].sort((one, other) => one - other)[Math.floor(steps.length / 2)];
  if (Math.min(...steps) < 0.01 * Math.max(step, 0.01)) return { problem: "Several of its slices lie at the same place." };
  const start = order[0].distance;
  const count = Math.round((order[order.length - 1].distance - start) / step) + 1;
  if (count > 4096) return { problem: "Its slices lie too far apart." };
  const levels = Array.from({ length: count }, () => /** @type {any} */ (undefined)); // what lies at each step, if anything
  for (const one of order) {
    const at = Math.round((one.distance - start) / step);
    if (Math.abs(one.distance - start - at * step) <= step / 2) levels[at] ??= one;
  }
  return { normal, first, start, step, levels, order, rows, columns, spacing, isUneven: steps.some((one) => Math.abs(one - step) > 0.05 * step) };
}

// The order and the directions of the two axes of a plane, as pictures are usually hung: the head or the front on top,
// the left or the back at the right.
function hanging(across, upward) {
  const level = (vector) => Math.max(Math.abs(vector[2]), 0.5 * Math.abs(vector[1]));
  const isTurned = level(across) > level(upward) + 1e-6;
  const [wide, high] = isTurned ? [upward, across] : [across, upward];
  const sign = (vector, signs) => {
    const axis = vector.map(Math.abs).indexOf(Math.max(...vector.map(Math.abs)));
    return Math.sign(vector[axis]) === signs[axis] ? 1 : -1;
  };
  return { isTurned, isFlippedX: sign(wide, [1, 1, 1]) < 0, isFlippedY: sign(high, [1, 1, -1]) < 0 };
}

// The picture of the plane of one column ("x") or one row ("y") of the stack; NaN where no slice lies or is there yet.
function planeAcross(layout, sliceAt, axis, index) {
  const { levels, first, normal, spacing, step, start } = layout;
  const isOfRow = axis === "y";
  const length = isOfRow ? layout.columns : layout.rows;
  const across = isOfRow ? rowOf(first) : columnOf(first);
  const distances = isOfRow ? spacing.column : spacing.row;
  const { isTurned, isFlippedX, isFlippedY } = hanging(across, normal);
  const [columns, rows] = isTurned ? [levels.length, length] : [length, levels.length];
  const values = new Float32Array(columns * rows).fill(NaN);
  const strides = isTurned ? { level: 1, across: columns } : { level: columns, across: 1 };
  const flipped = isTurned ? { level: isFlippedX, across: isFlippedY } : { level: isFlippedY, across: isFlippedX };
  const used = /** @type {any[]} */ ([]);
  levels.forEach((one, level) => {
    const slice = one && sliceAt(one.position);
    if (!slice?.values || slice.kind === "rgb") return;
    used.push(slice);
    const base = (flipped.level ? levels.length - 1 - level : level) * strides.level;
    const fixed = Math.round((index - (isOfRow ? one.shift.y : one.shift.x)) / slice.step);
    if (fixed < 0 || fixed >= (isOfRow ? slice.rows : slice.columns)) return;
    const offset = isOfRow ? one.shift.x : one.shift.y;
    const most = isOfRow ? slice.columns : slice.rows;
    for (let at = 0; at < length; at++) {
      const from = Math.round((at - offset) / slice.step);
      if (from < 0 || from >= most) continue;
      const to = base + (flipped.across ? length - 1 - at : at) * strides.across;
      values[to] = slice.values[isOfRow ? fixed * slice.columns + from : from * slice.columns + fixed];
    }
  });
  const [wide, high] = isTurned ? [normal, across] : [across, normal];
  const [wideStep, highStep] = isTurned ? [step, distances] : [distances, step];
  const corner = along(originOf(first), [normal, start], [isOfRow ? columnOf(first) : rowOf(first), index * (isOfRow ? spacing.row : spacing.column)]);
  const origin = along(corner, [wide, isFlippedX ? (columns - 1) * wideStep : 0], [high, isFlippedY ? (rows - 1) * highStep : 0]);
  const turned = (vector, isFlipped) => vector.map((one) => (isFlipped ? -one : one) + 0);
  return {
    kind: "float32",
    values,
    rows,
    columns,
    step: 1,
    held: used.length,
    place: [...origin, ...turned(wide, isFlippedX), ...turned(high, isFlippedY)],
    spacing: { row: highStep, column: wideStep, kind: "patient", regions: [] },
    ...commonMeaning(used),
  };
}

// What the values of all slices have in common.
function commonMeaning(slices) {
  const [one = { slope: 1, intercept: 0, unit: "" }] = slices;
  const isSame = slices.every(({ slope, intercept }) => slope === one.slope && intercept === one.intercept);
  return { unit: one.unit, slope: isSame ? one.slope : 1, intercept: isSame ? one.intercept : 0 };
}

// The column, the row and the slice of the stack that are nearest to a point.
function stackPosition(layout, point) {
  const from = minus(point, originOf(layout.first));
  const clamp = (value, most) => Math.max(0, Math.min(most - 1, Math.round(value)));
  const distance = dot(from, layout.normal);
  const nearest = layout.order.reduce((best, one) => (Math.abs(one.distance - distance) < Math.abs(best.distance - distance) ? one : best));
  return {
    x: clamp(dot(from, rowOf(layout.first)) / layout.spacing.column, layout.columns),
    y: clamp(dot(from, columnOf(layout.first)) / layout.spacing.row, layout.rows),
    position: nearest.position,
  };
}
