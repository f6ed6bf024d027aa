"use strict";

const study = JSON.parse(document.getElementById("study").textContent);
const questions = new Map(
  study.parts.flatMap((part) => part.blocks.flat().map((question) => [question.id, { ...question, kind: part.kind }])),
);
const kept = `study-${study.hash}`; // where this browser keeps the answers
const SCREENS = ["start", "back", "intro", "question", "end"];
const WORDS = {
  quality: {
    title: "Quality",
    lead: "Take the picture that looks most like a real one. If two look equally real, take the one that keeps the source’s pose.",
    asked: (domain) => ["Which picture looks most like a real ", domain, "?"],
  },
  style: {
    title: "Style",
    lead: "Now there is a reference picture. Take the picture that has the reference’s look in the source’s pose.",
    asked: () => ["Which picture takes the reference’s style best?"],
  },
};
const FLASH = 140; // milliseconds that a choice is shown
const LARGEST = 384; // pixels of the screen; pictures are compared side by side
const SMALLEST = 96;
const NUMBER = 34; // below each row of pictures, with the gap

let rater = recall(); // null until somebody has agreed to take part
let since = null; // when the pictures of the question appeared; null while none can be chosen

function element(id) {
  return document.getElementById(id);
}

// What this browser keeps

function recall() {
  try {
    return JSON.parse(localStorage.getItem(kept));
  } catch {
    return null;
  }
}

function keep() {
  try {
    localStorage.setItem(kept, JSON.stringify(rater));
  } catch {
    element("warning").textContent = "This browser keeps nothing: save your answers before you close the page.";
  }
}

function forget() {
  try {
    localStorage.removeItem(kept);
  } catch {
    // It has kept nothing.
  }
  rater = null;
  start();
}

// Chance

function below(count) {
  const drawn = new Uint32Array(1);
  crypto.getRandomValues(drawn);
  return Math.floor((drawn[0] / 2 ** 32) * count);
}

function shuffled(items) {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = below(last + 1);
    [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
  }
  return mixed;
}

function token(letters) {
  return Array.from({ length: letters }, () => below(16).toString(16)).join("");
}

// Screens

function open(screen) {
  for (const name of SCREENS) element(name).hidden = name !== screen;
  for (const name of document.querySelectorAll(".rater")) name.textContent = rater ? rater.name : "";
  const done = rater ? rater.answers.length : 0;
  for (const count of document.querySelectorAll(".answered")) count.textContent = done;
  element("progress").hidden = element("count").hidden = rater === null;
  element("progress").value = done;
  element("count").textContent = `${done} / ${questions.size}`;
  element("undo").hidden = !["intro", "question", "end"].includes(screen) || done === 0;
  element("save-now").hidden = !["intro", "question"].includes(screen) || done === 0;
  choosable(false);
  scrollTo(0, 0);
}

function start() {
  element("part").textContent = document.title;
  element("name").value = `rater-${token(4)}`;
  element("agree").checked = false;
  open("start");
}

function enrol(name) {
  const order = study.parts.flatMap((part) => shuffled(part.blocks).flatMap(shuffled)).map((question) => question.id);
  rater = { name, token: token(16), order, answers: [], spent: {}, begun: [] };
  keep();
}

function go() {
  if (rater.answers.length === rater.order.length) return finish();
  const question = questions.get(rater.order[rater.answers.length]);
  element("part").textContent = WORDS[question.kind].title;
  return study.parts.length > 1 && !rater.begun.includes(question.kind) ? introduce(question.kind) : ask(question);
}

function introduce(kind) {
  const number = study.parts.findIndex((part) => part.kind === kind) + 1;
  element("intro").querySelector("h1").textContent = `Part ${number} of ${study.parts.length}: ${WORDS[kind].title}`;
  element("intro").querySelector("p").textContent = WORDS[kind].lead;
  open("intro");
  element("begin").focus({ preventScroll: true });
}

function begin() {
  rater.begun.push(questions.get(rater.order[rater.answers.length]).kind);
  keep();
  go();
}

function finish() {
  element("part").textContent = document.title;
  element("saved").textContent = "";
  open("end");
  element("save").focus({ preventScroll: true });
}

async function ask(question) {
  const options = shuffled(question.options);
  const [before, domain = "", after = ""] = WORDS[question.kind].asked(question.to);
  const strong = document.createElement("em");
  strong.textContent = domain;
  element("asked").replaceChildren(before, strong, after);
  element("source").src = question.source;
  element("from").textContent = question.kind === "style" ? ": the pose" : `: ${question.from}`;
  element("reference-figure").hidden = question.reference === null;
  if (question.reference !== null) element("reference").src = question.reference;
  element("options").replaceChildren(...options.map((option, place) => button(question, options, place)));
  open("question");
  element("asked").focus({ preventScroll: true });
  const pictures = [...element("question").querySelectorAll("img")].filter((picture) => picture.src);
  await Promise.all(pictures.map((picture) => picture.decode().catch(() => {})));
  fit();
  choosable(true);
}

function choosable(now) {
  since = now ? performance.now() : null;
  element("options").ariaBusy = String(!now);
}

function button(question, options, place) {
  const made = document.createElement("button");
  const picture = document.createElement("img");
  const number = document.createElement("span");
  made.type = "button";
  made.dataset.option = options[place].id;
  picture.src = options[place].picture;
  picture.alt = `Picture ${place + 1}`;
  number.textContent = place + 1;
  number.ariaHidden = "true";
  made.append(picture, number);
  made.addEventListener("click", () => choose(question, options, place));
  return made;
}

function choose(question, options, place) {
  if (since === null) return;
  const seconds = (rater.spent[question.id] ?? 0) + (performance.now() - since) / 1000;
  choosable(false);
  rater.answers.push({
    question: question.id,
    options: options.map((option) => option.id),
    choice: options[place].id,
    seconds: Math.round(seconds * 100) / 100,
  });
  keep();
  element("options").children[place].classList.add("chosen");
  setTimeout(go, FLASH);
}

function undo() {
  if (element("undo").hidden) return;
  const last = rater.answers.pop();
  rater.spent[last.question] = last.seconds;
  keep();
  go();
}

// The largest squares that fit, whole multiples of the pictures' own pixels where these are smaller.
function fit() {
  if (element("question").hidden) return;
  const own = element("source").naturalWidth;
  const count = element("options").children.length;
  const width = element("question").clientWidth;
  const taken = element("asked").offsetHeight + document.querySelector("header").offsetHeight;
  const height = innerHeight - taken - document.querySelector("footer").offsetHeight - 76; // gaps and captions
  let side = 0;
  let columns = 1;
  for (let tried = 1; tried <= count; tried++) {
    const rows = Math.ceil(count / tried) + 1;
    const possible = Math.min((width - 14 * (Math.max(tried, 2) - 1)) / Math.max(tried, 2), (height - (rows - 1) * NUMBER) / rows);
    if (possible > side) [side, columns] = [possible, tried];
  }
  side = Math.min(LARGEST, Math.max(SMALLEST, side));
  const times = Math.floor((side * devicePixelRatio) / own);
  if (times >= 1) side = (times * own) / devicePixelRatio;
  element("question").style.setProperty("--side", `${side}px`);
  element("question").style.setProperty("--columns", columns);
  element("question").classList.toggle("enlarged", times > 1);
}

// The file

function save() {
  const content = {
    format: study.format,
    study: study.id,
    hash: study.hash,
    rater: { name: rater.name, token: rater.token },
    finished: rater.answers.length === rater.order.length,
    answers: rater.answers,
  };
  const address = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `answers-${study.id}-${rater.name.replace(/[^A-Za-z0-9_-]+/g, "-")}-${rater.token.slice(0, 4)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  element("saved").textContent = `Saved as ${link.download}, where your browser puts downloads.`;
}

// What a person does

element("consent").addEventListener("submit", (event) => {
  event.preventDefault();
  enrol(element("name").value.trim() || element("name").value);
  go();
});
element("continue").addEventListener("click", go);
element("begin").addEventListener("click", begin);
element("undo").addEventListener("click", undo);
for (const name of ["save", "save-now"]) element(name).addEventListener("click", save);
for (const name of ["another", "next-rater"]) {
  element(name).addEventListener("click", () => {
    element("forget").returnValue = ""; // what was pressed last stays where Escape closes it
    element("forget").showModal();
  });
}
element("forget").addEventListener("close", () => {
  if (element("forget").returnValue === "forget") forget();
});
addEventListener("resize", fit);
addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || element("forget").open) return;
  if (event.target.tagName === "INPUT") return;
  if (["ArrowLeft", "Backspace"].includes(event.key)) undo();
  const chosen = element("options").children[Number(event.key) - 1];
  if (chosen && !element("question").hidden) chosen.click();
});

if (rater === null) start();
else open("back");
