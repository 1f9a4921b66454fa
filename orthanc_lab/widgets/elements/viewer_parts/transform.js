// How a picture is laid on a pane: `scale` is CSS pixels for a column, null to fit; (x, y) is the pixel in the middle.
function fitted(picture, pane) {
  const [wide, high] = [picture.columns * picture.step, picture.rows * picture.step * aspectOf(picture)];
  return Math.min(pane.width / wide, pane.height / high);
}

function aspectOf(picture) {
  const { spacing } = picture;
  if (spacing.kind !== "regions") return spacing.row / spacing.column;
  return spacing.regions.length ? spacing.regions[0].row / spacing.regions[0].column : 1;
}

// The view with its numbers filled in.
function settled(view, picture, pane) {
  const middle = { x: (picture.columns * picture.step - 1) / 2, y: (picture.rows * picture.step - 1) / 2 };
  const aspect = aspectOf(picture);
  if (view.scale === null) return { ...middle, scale: fitted(picture, pane), aspect };
  return { x: view.x ?? middle.x, y: view.y ?? middle.y, scale: view.scale, aspect };
}

const toPane = (view, pane, x, y) => ({
  x: (x - view.x) * view.scale + pane.width / 2,
  y: (y - view.y) * view.scale * view.aspect + pane.height / 2,
});

const toPicture = (view, pane, x, y) => ({
  x: (x - pane.width / 2) / view.scale + view.x,
  y: (y - pane.height / 2) / (view.scale * view.aspect) + view.y,
});

// Zoom by a factor; the pixel at (x, y) of the pane stays where it is.
function zoomed(view, pane, factor, x, y) {
  const scale = Math.max(0.02, Math.min(100, view.scale * factor));
  const fixed = toPicture(view, pane, x, y);
  const moved = { ...view, scale };
  const now = toPicture(moved, pane, x, y);
  return { scale, x: view.x + fixed.x - now.x, y: view.y + fixed.y - now.y };
}

const panned = (view, right, down) => ({ scale: view.scale, x: view.x - right / view.scale, y: view.y - down / (view.scale * view.aspect) });

// The view of a second picture that shows the same part of the patient at the same size; else the same part of it.
function likewise(view, picture, other, isByPlace) {
  if (view.scale === null) return view;
  if (isByPlace && isMeasured(picture) && isMeasured(other) && isParallel(picture, other)) {
    const { x, y } = pixelOf(other, pointOf(picture, view.x, view.y));
    return { scale: (view.scale * other.spacing.column) / picture.spacing.column, x, y };
  }
  const share = (other.columns * other.step) / (picture.columns * picture.step);
  return { scale: view.scale / share, x: view.x * share, y: view.y * ((other.rows * other.step) / (picture.rows * picture.step)) };
}
