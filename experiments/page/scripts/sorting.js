// Tables that sort by a click or a key on a heading: first from small to large, then back, then as they came.

const ORDERS = ["ascending", "descending", null];

function startSorting(table) {
  const rows = [...table.tBodies[0].rows];
  for (const [column, heading] of [...table.tHead.rows[0].cells].entries()) {
    const button = make("button", { type: "button" }, ...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sortBy(table, rows, column, heading));
  }
}

function sortBy(table, rows, column, heading) {
  const before = heading.getAttribute("aria-sort");
  const order = ORDERS[(ORDERS.indexOf(before) + 1) % ORDERS.length];
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  if (order) heading.setAttribute("aria-sort", order);
  table.tBodies[0].append(...(order ? sorted(rows, column, order === "ascending" ? 1 : -1) : rows));
  say(order ? `Sorted by ${heading.dataset.text}, ${order}` : "In the ladder's order");
}

/** Rows without a value come last either way; equal ones stay in order. */
function sorted(rows, column, sign) {
  const value = (row) => row.cells[column].dataset.value;
  const compare = (a, b) => (isNaN(a) || isNaN(b) ? a.localeCompare(b, "en", { numeric: true }) : a - b);
  const known = rows.filter((row) => value(row) !== undefined);
  return [...known.sort((a, b) => sign * compare(value(a), value(b))), ...rows.filter((row) => !known.includes(row))];
}
