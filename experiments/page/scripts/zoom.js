// A picture large, in a dialog; arrow keys go to the ones beside it. Escape closes it, as in every dialog.

let album = [];
let shownNow = 0;

function startZoom() {
  const dialog = byId("zoom");
  byId("zoom-close").addEventListener("click", () => dialog.close());
  byId("zoom-before").addEventListener("click", () => turn(-1));
  byId("zoom-after").addEventListener("click", () => turn(1));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") turn(-1);
    if (event.key === "ArrowRight") turn(1);
  });
  for (const button of document.querySelectorAll(".zoomable")) {
    button.addEventListener("click", () => openZoom([{ title: button.dataset.zoom, note: "", views: () => [whole(button)] }], 0));
  }
}

/** pages: [{title, note, views}], views a function that gives the elements to show. */
function openZoom(pages, place) {
  album = pages;
  shownNow = place;
  showZoom();
  byId("zoom").showModal();
}

function turn(step) {
  const next = shownNow + step;
  if (next < 0 || next >= album.length) return;
  shownNow = next;
  showZoom();
  say(album[shownNow].title);
}

function showZoom() {
  const { title, note, views } = album[shownNow];
  byId("zoom-title").textContent = title;
  byId("zoom-note").textContent = note;
  byId("zoom-view").replaceChildren(...views());
  byId("zoom-before").hidden = byId("zoom-after").hidden = album.length < 2;
  byId("zoom-before").disabled = shownNow === 0;
  byId("zoom-after").disabled = shownNow === album.length - 1;
}

function whole(button) {
  const image = button.querySelector("img");
  return make("figure", { className: "wide" }, make("img", { src: image.src, alt: image.alt }));
}
