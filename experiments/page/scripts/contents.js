// Where the reader is, in the list of sections; and links that lead into something closed open it.

function startContents() {
  const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
  const sections = [...document.querySelectorAll("main > section")];
  const update = () => {
    const now = sections.findLast((section) => section.getBoundingClientRect().top < innerHeight / 4) ?? sections[0];
    links.forEach((link) => link.removeAttribute("aria-current"));
    links.get(now.id).setAttribute("aria-current", "true");
    reveal(links.get(now.id));
  };
  const seen = new IntersectionObserver(update, { rootMargin: "-25% 0px -75% 0px" });
  sections.forEach((section) => seen.observe(section));
  addEventListener("hashchange", openTarget);
  openTarget();
}

/** Scroll the strip of sections, and only it. */
function reveal(link) {
  const strip = link.closest("ol");
  if (strip.scrollWidth > strip.clientWidth) strip.scrollLeft = link.offsetLeft - strip.clientWidth / 3;
}

function openTarget() {
  const target = byId(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
    target.querySelector("summary").focus({ preventScroll: true });
  }
}
