// What each pane shows: a slice, a slice with another over it, or a plane across the stack.
const MODES = [
  { value: "one", label: "One series" },
  { value: "beside", label: "Two side by side" },
  { value: "over", label: "Two, one over the other" },
  { value: "planes", label: "Three planes" },
];

const emptyScene = (name, words) => ({
  name, words, picture: null, isLate: false, label: words, key: "", window: { center: 0, width: 1 }, isInverted: false,
  letters: "", titles: [], crosses: [], isPlane: false, measures: [], over: null, layer: 0, measureKey: "", count: 0, position: 0,
});

// A slice of a layer. `state` has windows, isInverted and measurements; see viewer.js.
function sliceScene(name, layer, position, state, words = "") {
  const slice = layer.slices.get(position);
  const caption = layer.about.captions?.[position] ?? "";
  const text = words || (slice ? slice.words : "");
  const key = `${layer.stack}/${position}`;
  return {
    ...emptyScene(name, text || (slice ? "" : "Loading …")),
    picture: slice?.values ? slice : null,
    isLate: !slice && !words,
    label: [layer.about.title, caption, text].filter(Boolean).join(" · "),
    key,
    window: state.windows[layer.number],
    isInverted: Boolean(layer.about.is_inverted) !== state.isInverted,
    letters: layer.about.letters,
    layer: layer.number,
    measureKey: key,
    measures: state.measures.get(key) ?? [],
    count: layer.count,
    position,
  };
}

// The planes across the stack at `focus`, or why there are none.
function planeScenes(layer, position, focus, state) {
  const slice = layer.slices.get(position) ?? layer.slices.values().next().value;
  if (!slice) return ["x", "y"].map((axis) => emptyScene(axis, "Loading …"));
  const layout = state.layoutOf(layer, slice);
  const problem = slice.kind === "rgb" ? "Planes are made of gray values only." : layout.problem;
  if (problem) return ["x", "y"].map((axis) => emptyScene(axis, problem));
  return ["y", "x"].map((axis) => {
    const index = focus[axis];
    const picture = state.planeOf(layout, layer, axis, index);
    const key = `${layer.stack}/${axis}${index}`;
    const count = axis === "y" ? layout.rows : layout.columns;
    const name = planeName(picture.place);
    return {
      ...sliceScene(axis, layer, position, state),
      picture, key, isLate: false, words: "",
      label: `${layer.about.title} · ${name} ${index + 1} of ${count}`,
      titles: [`${name} ${index + 1} of ${count}`, ...(picture.held < layer.count ? [`${picture.held} of ${layer.count} slices`] : layout.isUneven ? ["slices not evenly spaced"] : [])],
      letters: "", measureKey: key, measures: state.measures.get(key) ?? [], count, position: index, isPlane: true, axis,
    };
  });
}

function scenesOf(state, first, second, words) {
  const main = sliceScene("main", first, state.position, state, words);
  if (state.mode === "planes" && !words && first.count) {
    const place = main.picture?.place;
    return [{ ...main, titles: [`${place ? planeName(place) : "slice"} ${state.position + 1} of ${first.count}`], isPlane: true }, ...planeScenes(first, state.position, state.focus, state)];
  }
  if (!second.count || (state.mode !== "beside" && state.mode !== "over")) {
    return state.mode === "beside" && !words && first.count ? [main, emptyScene("second", "Choose the second series")] : [main];
  }
  const other = sliceScene("second", second, state.second.position, state);
  const how = linkWords(state.second);
  if (state.mode === "beside") return [{ ...main, titles: [first.about.title] }, { ...other, titles: [second.about.title, how] }];
  const { isByPlace } = state.second;
  if (isByPlace && main.picture && other.picture && isMeasured(other.picture) && !isParallel(main.picture, other.picture))
    return [{ ...main, titles: [second.about.title, "not shown: it lies in another direction"] }];
  const over = other.picture && { picture: other.picture, key: other.key, window: other.window, opacity: state.opacity, isByPlace };
  return [{ ...main, over, titles: [second.about.title, how] }];
}

// How far the slice of the second series is from that of the first.
function linkWords({ isByPlace, distance }) {
  if (!isByPlace) return "same part of the series";
  return distance < 0.05 ? "same place" : `${numberWords(distance, 1)} mm away`;
}

// The cursor in every pane: at a point of the patient where both have one, else only where it was set.
function withCursor(scenes, cursor) {
  if (!cursor) return scenes;
  return scenes.map((scene) => {
    const { picture } = scene;
    if (!picture) return scene;
    if (scene.name === cursor.name) return { ...scene, crosses: [{ x: cursor.x, y: cursor.y }] };
    if (!cursor.point || !isMeasured(picture)) return scene;
    if (scene.layer !== cursor.layer && !cursor.isShared) return scene;
    const at = pixelOf(picture, cursor.point);
    const isNear = scene.isPlane || isParallel(picture, cursor) || Math.abs(at.distance) < 2;
    return isNear ? { ...scene, crosses: [at] } : scene;
  });
}
