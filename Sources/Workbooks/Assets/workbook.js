"use strict";
// Parameters apply as soon as they change.
for (const form of document.querySelectorAll("form.parameters"))
  form.addEventListener("change", () => form.requestSubmit());

document.getElementById("theme")?.addEventListener("click", () => {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { }
});

// What a cell says: a cell that also has a drawing says it in a span.
const words = cell => (cell.querySelector("span") ?? cell).textContent.trim();

// Rows that hold the typed words.
for (const input of document.querySelectorAll("input.filter")) {
  const rows = input.nextElementSibling.querySelectorAll("tbody tr");
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = [...row.cells].map(words).join(" ").toLowerCase();
      row.hidden = !wanted.every(w => text.includes(w));
    }
  });
}

// A click on a heading sorts by its column; a second one turns the order round.
for (const table of document.querySelectorAll("table.grid")) {
  table.tHead.addEventListener("click", e => sort(table, e.target.closest("th")));
  table.tHead.addEventListener("keydown", e => { if (e.key === "Enter") sort(table, e.target.closest("th")); });
}
function sort(table, th) {
  if (!th) return;
  const column = th.cellIndex, down = th.getAttribute("aria-sort") === "ascending";
  for (const other of th.parentNode.cells) other.removeAttribute("aria-sort");
  th.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = row => row.cells[column] ? words(row.cells[column]) : "";
  const number = text => { const n = parseFloat(text.replace(/[,%]/g, "").replace("−", "-")); return Number.isNaN(n) ? null : n; };
  const rows = [...table.tBodies[0].rows].sort((a, b) => {
    const x = key(a), y = key(b), m = number(x), n = number(y);
    return (m !== null && n !== null && !/^\d{4}-/.test(x) ? m - n : x.localeCompare(y)) * (down ? -1 : 1);
  });
  table.tBodies[0].append(...rows);
}
