// Bokeh's plots: drawn when they come near the window, in the colours that the style sheet has now.

const plots = new Map(data.plots.map(({ key, item }) => [key, { item }]));
const near = new IntersectionObserver(
  (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => draw(entry.target)),
  { rootMargin: "600px" },
);

/** Watch for the plots of a part of the page that is shown. */
function drawWithin(part) {
  part.querySelectorAll(".plot").forEach((place) => near.observe(place));
}

/** Draw a plot once; gives its models when they are there. */
function draw(place) {
  near.unobserve(place);
  const plot = plots.get(place.dataset.plot);
  plot.drawn ??= Bokeh.embed.embed_item(structuredClone(plot.item), place).then((views) => {
    plot.models = modelsOf(views);
    paint(plot.models);
    place.dataset.drawn = "";
    return plot.models;
  });
  return plot.drawn;
}

function modelsOf(views) {
  const found = new Set();
  for (const view of views) view.model.references().forEach((model) => found.add(model));
  return [...found];
}

/** Give every property and column that names a colour the one of that name. */
function paint(models) {
  for (const model of models) {
    for (const tag of model.tags ?? []) {
      const [property, name] = String(tag).split("=");
      const before = model[property];
      const colour = colourNow(name);
      model.setv({ [property]: before !== null && typeof before === "object" && "value" in before ? { value: colour } : colour });
    }
    if (model.data?.role) model.data = { ...model.data, colour: model.data.role.map(colourNow) };
  }
}

/** Where there is room beside a plot, its numbers stand there. */
function startNumbers() {
  const wide = matchMedia("(min-width: 90rem)");
  const update = () => document.querySelectorAll(".numbers").forEach((numbers) => (numbers.open = wide.matches));
  wide.addEventListener("change", update);
  update();
}

function repaint() {
  plots.forEach((plot) => plot.models && paint(plot.models));
}
