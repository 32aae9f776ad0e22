"use strict";
// Heads of a table that sort it, by mouse or keyboard. What is sorted is the page's own.
const valueOf = (shown) => {
  const found = parseFloat(shown.replace(/^\[/, ""));
  return Number.isNaN(found) ? null : found;
};
const compared = (a, b, sign) => {
  const [x, y] = [valueOf(a), valueOf(b)];
  if (x !== null && y !== null) return sign * (x - y);
  if (x !== null || y !== null) return x === null ? 1 : -1; // no number comes last, either way
  return sign * (a < b ? -1 : Number(a > b));
};
const sortable = (table, arrange) => {
  const heads = [...table.tHead.rows[0].cells];
  const sort = (head, at) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    arrange(at, down ? -1 : 1);
  };
  heads.forEach((head, at) => {
    if (!head.textContent) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head, at));
    head.append(button);
  });
};
// All tables of a place that may be sorted, and have no such heads yet.
const sortTables = (place) => {
  const text = (row, at) => row.cells[at].textContent.trim();
  for (const table of place.querySelectorAll("table.sortable")) {
    if (table.tHead.querySelector("button")) continue;
    sortable(table, (at, sign) => {
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => compared(text(a, at), text(b, at), sign));
      table.tBodies[0].append(...rows);
    });
  }
};
