// Where pixels lie in the patient, in millimetres: x grows to the left, y to the back, z to the head (PS3.3 C.7.6.2.1.1).
// A place is the nine numbers of ImagePositionPatient and ImageOrientationPatient. A picture has a place, and a spacing;
// a pixel is named by its column x and its row y, whose whole numbers are the centres of pixels.
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const minus = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const along = (origin, ...steps) => steps.reduce((at, [vector, length]) => at.map((one, axis) => one + vector[axis] * length), origin);

const originOf = (place) => place.slice(0, 3);
const rowOf = (place) => place.slice(3, 6); // towards the next column
const columnOf = (place) => place.slice(6, 9); // towards the next row
const normalOf = (place) => cross(rowOf(place), columnOf(place));

const AXES = ["LR", "PA", "HF"];
const OPPOSITE = { L: "R", R: "L", P: "A", A: "P", H: "F", F: "H" };

// The letters of a direction: those of the axes that it follows by more than ten degrees, the nearest axis first.
function lettersOf(direction) {
  return direction
    .map((share, axis) => ({ share: Math.abs(share), letter: AXES[axis][share > 0 ? 0 : 1] }))
    .filter((one) => one.share > Math.sin(Math.PI / 18))
    .sort((one, other) => other.share - one.share)
    .map((one) => one.letter)
    .join("");
}

const oppositeLetters = (letters) => [...letters].map((letter) => OPPOSITE[letter] ?? "").join("");

// The letters at the four edges; without a place those that PatientOrientation tells ("L\P": right edge, lower edge).
function edgeLetters(place, told) {
  const [right = "", bottom = ""] = place ? [rowOf(place), columnOf(place)].map(lettersOf) : (told || "").split("\\");
  const known = (letters) => (/^[LRAPHF]{1,3}$/.test(letters) ? letters : "");
  return { right: known(right), left: oppositeLetters(known(right)), bottom: known(bottom), top: oppositeLetters(known(bottom)) };
}

// "axial", "sagittal" or "coronal"; oblique by more than five degrees is said.
function planeName(place) {
  const shares = normalOf(place).map(Math.abs);
  const largest = Math.max(...shares);
  const name = ["sagittal", "coronal", "axial"][shares.indexOf(largest)];
  return largest > Math.cos(Math.PI / 36) ? name : `oblique ${name}`;
}

function pointOf(picture, x, y) {
  const { place, spacing } = picture;
  return along(originOf(place), [rowOf(place), x * spacing.column], [columnOf(place), y * spacing.row]);
}

// The pixel nearest to a point, with its distance from the plane.
function pixelOf(picture, point) {
  const { place, spacing } = picture;
  const from = minus(point, originOf(place));
  return { x: dot(from, rowOf(place)) / spacing.column, y: dot(from, columnOf(place)) / spacing.row, distance: dot(from, normalOf(place)) };
}

const isMeasured = (picture) => Boolean(picture.place) && picture.spacing.kind !== "none" && picture.spacing.kind !== "regions";

// The position of the slice that is nearest to a point, undefined if no slice has a place.
function nearestSlice(places, point) {
  let best;
  let least = Infinity;
  places.forEach((place, position) => {
    if (!place) return;
    const distance = Math.abs(dot(minus(point, originOf(place)), normalOf(place)));
    if (distance < least - 1e-6) [best, least] = [position, distance];
  });
  return best;
}

// Which slice of the second stack belongs to a slice of the first: by place if both have one in the same frame of
// reference, else the same part of the way through.
function counterpart(first, position, picture, second) {
  const isSameFrame = Boolean(first.about.frame) && first.about.frame === second.about.frame;
  if (isSameFrame && picture && isMeasured(picture)) {
    const centre = pointOf(picture, (picture.columns * picture.step - 1) / 2, (picture.rows * picture.step - 1) / 2);
    const nearest = nearestSlice(second.about.places, centre);
    if (nearest !== undefined) {
      const place = second.about.places[nearest];
      return { position: nearest, isByPlace: true, distance: Math.abs(dot(minus(centre, originOf(place)), normalOf(place))) };
    }
  }
  const share = first.count > 1 ? position / (first.count - 1) : 0;
  return { position: Math.round(share * Math.max(second.count - 1, 0)), isByPlace: false, distance: 0 };
}

const isParallel = (one, other) => Math.abs(dot(normalOf(one.place), normalOf(other.place))) > Math.cos(Math.PI / 36);

// The six numbers that draw pixels of `from` onto pixels of `onto`: x' = a x + c y + e, y' = b x + d y + f. What has no
// common place is stretched to the same size.
function mapping(from, onto, isByPlace) {
  if (isByPlace && isMeasured(from) && isMeasured(onto)) {
    const [start, right, down] = [[0, 0], [1, 0], [0, 1]].map(([x, y]) => pixelOf(onto, pointOf(from, x, y)));
    return [right.x - start.x, right.y - start.y, down.x - start.x, down.y - start.y, start.x, start.y];
  }
  const [wide, high] = [(onto.columns * onto.step) / (from.columns * from.step), (onto.rows * onto.step) / (from.rows * from.step)];
  return [wide, 0, 0, high, wide / 2 - 0.5, high / 2 - 0.5];
}
