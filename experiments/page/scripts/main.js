startTheme(repaint);
document.querySelectorAll("[data-sortable]").forEach(startSorting);
document.querySelectorAll(".variants").forEach(startVariants);
for (const place of document.querySelectorAll(".plot")) {
  if (!place.closest(".variants") && place.dataset.plot !== "curves") near.observe(place);
}
startCurves();
startZoom();
startPictures();
startContents();
startNumbers();
for (const region of document.querySelectorAll(".scroll")) {
  // What scrolls must be reached by keyboard, and have a name then.
  if (region.scrollWidth <= region.clientWidth) continue;
  region.tabIndex = 0;
  region.role = "region";
  region.ariaLabel = region.querySelector("caption")?.textContent ?? "Table, scrolls sideways";
}
