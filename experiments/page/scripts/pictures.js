// The same sources, latents and references in the chosen arms, put together from the runs' own grids of tiles.

async function startPictures() {
  if (!data.pictures) return;
  const images = [...document.querySelectorAll(".sheets img")];
  await Promise.all(images.map((image) => image.decode().catch(() => {})));
  const controls = [byId("grid-guide"), byId("grid-domain"), byId("grid-seed")];
  const boxes = document.querySelectorAll('[data-chips="grid"] input');
  for (const control of [...controls, ...boxes]) control.addEventListener("change", showGrid);
  showGrid();
}

/** What the choosers say. */
function gridChoice() {
  const guide = byId("grid-guide").value;
  const seed = Number(byId("grid-seed").value);
  const labels = new Set(chosen("grid"));
  const columns = data.pictures.pictures
    .filter((picture) => picture.guide === guide && picture.seed === seed)
    .map((picture) => ({ ...data.pictures.arms[picture.arm], image: byId(picture.id) }))
    .filter(({ label, image }) => labels.has(label) && image.naturalWidth);
  return { guide, seed, target: Number(byId("grid-domain").value), columns, ...data.pictures.guides[guide] };
}

function showGrid() {
  const choice = gridChoice();
  const { columns, guide, seed, target, domains } = choice;
  const words = `${domains[target]}, guided by ${guide === "latent" ? "latents" : "references"}, seed ${seed}`;
  if (!columns.length) {
    byId("grid").replaceChildren(make("p", { className: "note" }, `No chosen arm has such a picture (into ${words}).`));
    return;
  }
  const rows = sourcesOf(choice);
  const pages = rows.flatMap((row) => columns.flatMap((column) => tilesOf(choice, column, row)));
  const body = make("tbody");
  let page = 0;
  for (const row of rows) {
    const cells = columns.flatMap((column) =>
      tilesOf(choice, column, row).map((_, place) => make("td", { className: place ? "" : "first" }, tileButton(pages, page++))),
    );
    const source = make("td", {}, tile(columns[0].image, row.source, choice.tile));
    body.append(make("tr", {}, make("th", { scope: "row" }, make("bdi", {}, row.name)), source, ...cells));
  }
  const caption = make("caption", { className: "unseen" }, `Translations into ${words}: a row a source image, a column an arm`);
  byId("grid").replaceChildren(make("table", { className: "tiles" }, caption, gridHead(choice), body));
  say(`${columns.length} arms, into ${words}`);
}

/** The source images that are translated: their names and places, [row, column]. */
function sourcesOf({ guide, target, domains, sources }) {
  const rows = domains.flatMap((name, domain) =>
    Array.from({ length: sources }, (_, number) => ({ domain, name, row: domain * sources + number + (guide === "reference") })),
  );
  const others = rows.filter(({ domain }) => domain !== target);
  return (others.length ? others : rows).map((row) => ({ ...row, source: [row.row, 0] }));
}

/** The places of an arm's outputs for a source, as pages of the zoom. */
function tilesOf(choice, { label, title, image }, row) {
  const { guide, target, domains, sources, latents, seed } = choice;
  const several = guide === "latent" ? latents : sources;
  return Array.from({ length: several }, (_, number) => {
    const column = 1 + target * several + number;
    const by = guide === "latent" ? `latent ${number + 1}` : `reference ${number + 1}`;
    const views = [["source", row.source], ...(guide === "reference" ? [["reference", [0, column]]] : []), [`${label}: output`, [row.row, column]]];
    return {
      title: `${label}: ${row.name} → ${domains[target]}, ${by}`,
      note: `${title}; seed ${seed}`,
      place: [row.row, column],
      image,
      views: () => views.map(([name, place]) => make("figure", {}, tile(image, place, choice.tile), make("figcaption", {}, name))),
    };
  });
}

function gridHead(choice) {
  const { columns, guide, target, sources, latents, tile: side } = choice;
  const several = guide === "latent" ? latents : sources;
  const names = columns.map(({ label, title }) => {
    const heading = make("th", { scope: "colgroup", colSpan: several, className: "first" });
    heading.append(make("bdi", { className: "label" }, label), make("span", {}, title));
    heading.lastChild.style.maxWidth = `calc(${several} * var(--tile, 4.5rem))`;
    return heading;
  });
  const head = make("thead", {}, make("tr", {}, make("td"), make("th", { scope: "col" }, "source"), ...names));
  if (guide === "reference") {
    const references = columns.flatMap(({ image }) =>
      Array.from({ length: sources }, (_, number) =>
        make("td", { className: number ? "" : "first" }, tile(image, [0, 1 + target * sources + number], side)),
      ),
    );
    head.append(make("tr", {}, make("th", { scope: "row" }, "reference"), make("td"), ...references));
  }
  return head;
}

function tileButton(pages, place) {
  const page = pages[place];
  const button = make("button", { type: "button" }, tile(page.image, page.place, data.pictures.guides[byId("grid-guide").value].tile));
  button.setAttribute("aria-label", `Enlarge ${page.title}`);
  button.addEventListener("click", () => openZoom(pages, place));
  return button;
}

/** One tile of a grid, [row, column], on a canvas. */
function tile(image, [row, column], side) {
  const canvas = make("canvas", { width: side, height: side });
  canvas.getContext("2d").drawImage(image, column * side, row * side, side, side, 0, 0, side, side);
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}
