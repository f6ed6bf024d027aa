// What the other parts share. All text from the records becomes text nodes, never markup.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

/** An element with properties and children; a string becomes text. */
function make(tag, properties = {}, ...children) {
  const { dataset = {}, ...others } = properties;
  const element = Object.assign(document.createElement(tag), others);
  Object.assign(element.dataset, dataset);
  element.append(...children);
  return element;
}

/** Tell who listens instead of looking. */
function say(text) {
  byId("spoken").textContent = text;
}

/** The labels of the ticked boxes of a set of chips. */
function chosen(name) {
  return [...document.querySelectorAll(`[data-chips="${name}"] input:checked`)].map((box) => box.value);
}
