// Sorts a table by the column whose name is clicked: the better first, then the other way. Rows without a value stay last.
for (const table of document.querySelectorAll("table.board")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, place) => head.querySelector("button").addEventListener("click", () => {
    const first = head.dataset.first;
    const other = first === "descending" ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    for (const each of heads) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "descending" ? -1 : 1;
    const keyed = [...body.rows].map((row) => [row.cells[place].dataset.value, row]);
    keyed.sort(([a], [b]) => {
      if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
      return sign * (place ? Number(a) - Number(b) : a.localeCompare(b));
    });
    body.append(...keyed.map(([, row]) => row));
  }));
}
