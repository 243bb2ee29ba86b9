// Where the model looked: an image stays clear there, and goes dark elsewhere (Xu et al. 2015). What is
// dark by itself is told by a warm light at the strongest places.

const DARK = { colour: [6, 9, 18], share: 0.82 };
const LIGHT = { colour: [255, 178, 64], share: 0.34 };

export function draw(canvas, map) {
  const { width, height } = canvas.getBoundingClientRect();
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  // Twice enlarged, the grid of 7 x 7 places does not show.
  const grid = veil(map);
  const middle = new OffscreenCanvas(map[0].length * 4, map.length * 4);
  enlarge(middle.getContext("2d"), grid, middle);
  enlarge(context, middle, canvas);
}

export function clear(canvas) {
  canvas.width = canvas.width; // which also empties it
}

// Says in words what the map shows, for those who do not see it.
export function place(map) {
  let [total, across, down] = [0, 0, 0];
  map.forEach((row, y) => row.forEach((weight, x) => {
    total += weight;
    across += weight * (x + 0.5) / row.length;
    down += weight * (y + 0.5) / map.length;
  }));
  if (!total) return "nowhere in particular";
  const horizontal = ["left", "centre", "right"][third(across / total)];
  const vertical = ["top", "middle", "bottom"][third(down / total)];
  if (horizontal === "centre" && vertical === "middle") return "the middle";
  if (horizontal === "centre") return `the ${vertical}`;
  return vertical === "middle" ? `the ${horizontal}` : `the ${vertical} ${horizontal}`;
}

// The mean of a map is seldom far from the middle, which thus is narrow.
const third = (share) => (share < 0.43 ? 0 : share > 0.57 ? 2 : 1);

function veil(map) {
  const [weakest, strongest] = [Math.min(...map.flat()), Math.max(...map.flat())];
  const image = new ImageData(map[0].length, map.length);
  map.flat().forEach((weight, index) => {
    const clear = (weight - weakest) / (strongest - weakest || 1);
    const [dark, light] = [DARK.share * (1 - clear), LIGHT.share * clear ** 2];
    const mixed = DARK.colour.map((value, c) => (dark * value + light * LIGHT.colour[c]) / (dark + light));
    image.data.set([...mixed, 255 * (dark + light)].map(Math.round), 4 * index);
  });
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function enlarge(context, source, target) {
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, target.width, target.height);
}
