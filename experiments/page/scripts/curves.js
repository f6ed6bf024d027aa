// The loss curves of the chosen term and arms.

const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3], [12, 4]];
const ARM_COLOURS = 8;

function startCurves() {
  if (!data.curves) return;
  const boxes = [...document.querySelectorAll('[data-chips="curves"] input')];
  boxes.forEach((box, arm) => box.nextElementSibling.append(lineKey(arm)));
  const place = document.querySelector('[data-plot="curves"]');
  const show = async () => {
    const shown = chosenCurves(boxes);
    fillNumbers(shown);
    fillPlot(await draw(place), shown);
    place.setAttribute("aria-label", describe(shown));
  };
  byId("curve-term").addEventListener("change", show);
  boxes.forEach((box) => box.addEventListener("change", show));
  new IntersectionObserver((entries, observer) => {
    if (entries.some((entry) => entry.isIntersecting)) {
      observer.disconnect();
      show();
    }
  }, { rootMargin: "600px" }).observe(place);
}

/** [{arm, label, seed, x, y}] of the term and the arms that are chosen. */
function chosenCurves(boxes) {
  const term = Number(byId("curve-term").value);
  return data.curves.curves
    .filter(([own, arm]) => own === term && boxes[arm].checked)
    .map(([, arm, seed, updates, y]) => ({ arm, label: boxes[arm].value, seed, x: data.curves.updates[updates], y }));
}

function fillPlot(models, shown) {
  const named = (name) => models.find((model) => model.name === name);
  const lines = { xs: [], ys: [], role: [], colour: [], dash: [], name: [] };
  const ends = { x: [], y: [], name: [] };
  const labelled = new Set();
  for (const { arm, label, seed, x, y } of shown) {
    lines.xs.push(x);
    lines.ys.push(y.map((value) => value ?? NaN));
    lines.role.push(`arm-${arm % ARM_COLOURS}`);
    lines.colour.push(colourNow(`arm-${arm % ARM_COLOURS}`));
    lines.dash.push(DASHES[Math.floor(arm / ARM_COLOURS) % DASHES.length]);
    lines.name.push(`${label}, seed ${seed}`);
    if (labelled.has(arm) || y.at(-1) === null) continue;
    labelled.add(arm);
    ends.x.push(x.at(-1));
    ends.y.push(y.at(-1));
    ends.name.push(label);
  }
  named("curves").data = lines;
  named("ends").data = ends;
  named("across").setv({ start: 0, end: 1.08 * Math.max(1, ...shown.map(({ x }) => x.at(-1))) });
  named("up").setv(limits(lines.ys.flat().filter(Number.isFinite)));
}

/** The ends of an axis that holds these values. */
function limits(values) {
  if (!values.length) return { start: 0, end: 1 };
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const margin = 0.06 * (high - low) || 0.5;
  return { start: low - margin, end: high + margin };
}

function fillNumbers(shown) {
  const rows = shown.map(({ label, seed, y }) => {
    const known = y.filter((value) => value !== null);
    const numbers = known.length ? [known[0], Math.min(...known), known.at(-1)] : [];
    const cells = [seed, ...numbers].map((value) => make("td", { className: "number" }, String(value)));
    return make("tr", {}, make("th", { scope: "row", className: "text" }, make("bdi", {}, label)), ...cells);
  });
  byId("curve-numbers").tBodies[0].replaceChildren(...rows);
}

function describe(shown) {
  const term = byId("curve-term").selectedOptions[0].textContent;
  const arms = [...new Set(shown.map((curve) => curve.label))].join(", ") || "no arm";
  return `Loss curves of ${arms}: ${term}, over generator updates; the table has first, lowest and last values`;
}

/** A piece of an arm's line, for its chip. */
function lineKey(arm) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  Object.entries({ width: 22, height: 8, viewBox: "0 0 22 8" }).forEach((pair) => svg.setAttribute(...pair));
  Object.entries({ x1: 0, x2: 22, y1: 4, y2: 4, "stroke-width": 2.5 }).forEach((pair) => line.setAttribute(...pair));
  line.setAttribute("stroke-dasharray", DASHES[Math.floor(arm / ARM_COLOURS) % DASHES.length].join(" "));
  line.style.stroke = `var(--arm-${arm % ARM_COLOURS})`;
  svg.append(line);
  return svg;
}
