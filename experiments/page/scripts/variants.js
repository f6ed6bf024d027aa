// One of several figures at a time, by a chooser that names them.

function startVariants(group) {
  const variants = [...group.querySelectorAll(":scope > .variant")];
  if (variants.length < 2) {
    variants.forEach((variant) => drawWithin(variant));
    return;
  }
  const select = make("select");
  variants.forEach((variant, place) => select.append(make("option", { value: String(place) }, variant.dataset.name)));
  const show = () => {
    variants.forEach((variant, place) => (variant.hidden = place !== select.selectedIndex));
    drawWithin(variants[select.selectedIndex]);
  };
  select.addEventListener("change", show);
  group.prepend(make("label", { className: "choice" }, `${group.dataset.choose} `, select));
  show();
}
