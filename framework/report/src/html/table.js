"use strict";
// Makes the tables of the page sortable, filterable and savable, and compares two rows. Everything is read from the tables.
(() => {
  const make = (name, content, attributes = {}) => {
    const element = document.createElement(name);
    element.append(...[content].flat());
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const body = (table) => table.tBodies[0];
  // The rows as they were written, whatever order they are shown in.
  const written = new WeakMap();
  const rowsOf = (table) => {
    if (!written.has(table)) written.set(table, [...body(table).rows]);
    return written.get(table);
  };
  const raw = (cell) => cell.dataset.v ?? cell.textContent.trim();
  const missing = (cell) => ["", "–"].includes(raw(cell));
  const number = (cell) => {
    const text = raw(cell);
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  };
  const title = (head) => {
    const copy = head.cloneNode(true);
    copy.querySelectorAll(".q").forEach((link) => link.remove());
    return copy.textContent.trim();
  };

  const compare = (one, other) => {
    const [a, b] = [number(one), number(other)];
    if (!Number.isNaN(a) && !Number.isNaN(b)) return a - b;
    return raw(one).localeCompare(raw(other), "en", { numeric: true });
  };
  // Without a value a row is last, in both directions; equal rows stay as they were written.
  const sort = (table, column, direction) => {
    const sign = direction === "descending" ? -1 : 1;
    const sorted = rowsOf(table).map((row, index) => ({ row, index, cell: row.cells[column] }));
    sorted.sort((a, b) => {
      const [x, y] = [missing(a.cell), missing(b.cell)];
      return x - y || (x ? 0 : sign * compare(a.cell, b.cell)) || a.index - b.index;
    });
    body(table).append(...sorted.map((entry) => entry.row));
    [...table.tHead.rows[0].cells].forEach((head, index) => {
      if (index === column) head.setAttribute("aria-sort", direction);
      else head.removeAttribute("aria-sort");
    });
  };

  const save = (name, type, text) => {
    const url = URL.createObjectURL(new Blob([text], { type }));
    const link = make("a", "", { href: url, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  };
  const content = (table) => {
    const heads = [...table.tHead.rows[0].cells].map(title);
    const shown = [...body(table).rows].filter((row) => !row.hidden);
    const value = (cell) => {
      if (missing(cell)) return null;
      const of = number(cell);
      return Number.isNaN(of) ? cell.innerText.trim().replace(/\s+/g, " ") : of;
    };
    return [heads, shown.map((row) => [...row.cells].map(value))];
  };
  const csv = (table) => {
    const cell = (value) => {
      const text = String(value ?? "");
      return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const [heads, rows] = content(table);
    return [heads, ...rows].map((row) => row.map(cell).join(",") + "\n").join("");
  };
  const json = (table) => {
    const [heads, rows] = content(table);
    const objects = rows.map((row) => Object.fromEntries(row.map((value, column) => [heads[column], value])));
    return JSON.stringify(objects, null, 1) + "\n";
  };

  const enhance = (table) => {
    rowsOf(table);
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const link = head.querySelector(".q");
      const button = make("button", title(head), { type: "button" });
      button.addEventListener("click", () => {
        sort(table, column, head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending");
      });
      head.replaceChildren(button, ...(link ? [" ", link] : []));
    });
    const name = table.caption.textContent.trim();
    const tools = make("div", [], { class: "tools" });
    if (rowsOf(table).length > 4) {
      const input = make("input", [], { type: "search", "aria-label": `Filter the rows of: ${name}` });
      const count = make("span", "", { role: "status" });
      input.addEventListener("input", () => {
        const wanted = input.value.trim().toLowerCase();
        let shown = 0;
        for (const row of body(table).rows) {
          row.hidden = !row.textContent.toLowerCase().includes(wanted);
          shown += !row.hidden;
        }
        count.textContent = wanted ? `${shown} of ${rowsOf(table).length} rows` : "";
      });
      tools.append(make("label", ["Filter ", input]), count);
    }
    const file = name.replace(/[^\w.-]+/g, "-").slice(0, 60);
    for (const [kind, type, write] of [["CSV", "text/csv", csv], ["JSON", "application/json", json]]) {
      const button = make("button", kind, { type: "button", "aria-label": `Save as ${kind}: ${name}` });
      button.addEventListener("click", () => save(`${file}.${kind.toLowerCase()}`, type, write(table)));
      tools.append(button);
    }
    table.parentElement.before(tools);
  };

  // Two rows of a board on each task: moves the marks of the chart and lists the differences.
  const pair = (view) => {
    const table = document.getElementById(view.dataset.tasks);
    const duel = document.getElementById(view.dataset.duel);
    const marks = view.querySelector(".marks");
    if (!table || !marks) return;
    const names = [...table.tHead.rows[0].cells].slice(1).map(title);
    const tasks = rowsOf(table);
    const [left, low, scale, top, height] = marks.dataset.scale.split(" ").map(Number);
    const select = (label, name) => {
      const options = names.map((text, index) => make("option", text, { value: index }));
      const element = make("select", options);
      element.value = Math.max(0, names.indexOf(view.querySelector(name).textContent));
      element.addEventListener("change", show);
      tools.append(make("label", [label, element]));
      return element;
    };
    const tools = make("div", [], { class: "tools" });
    const result = make("p", "", { role: "status" });
    const list = make("div", []);
    const one = select("Row ", ".n1");
    const other = select("against ", ".n2");
    view.prepend(tools, result);
    view.append(list);
    function show() {
      const [a, b] = [Number(one.value), Number(other.value)];
      view.querySelector(".n1").textContent = names[a];
      view.querySelector(".n2").textContent = names[b];
      const draw = (column, shift, mark) => tasks.map((row, index) => {
        const score = number(row.cells[column + 1]);
        if (Number.isNaN(score)) return "";
        return `M${(left + (score - low) * scale).toFixed(1)} ${(top + (index + 0.5) * height + shift).toFixed(1)}${mark}`;
      }).join("");
      marks.querySelector(".c1").setAttribute("d", draw(a, 0, "h0"));
      marks.querySelector(".c2").setAttribute("d", draw(b, -5, "v10"));
      const rows = tasks.map((row) => [row.cells[0].textContent, number(row.cells[a + 1]), number(row.cells[b + 1])]);
      const both = rows.filter(([, x, y]) => !Number.isNaN(x) && !Number.isNaN(y));
      both.sort((x, y) => (y[1] - y[2]) - (x[1] - x[2]));
      const mean = both.reduce((sum, [, x, y]) => sum + x - y, 0) / (both.length || 1);
      const cell = duel && a !== b ? rowsOf(duel)[a].cells[b + 1].textContent.trim() : "";
      const [wins, ties, losses] = cell.split(/[/ ]/);
      const tied = cell.includes("≈") ? " They share a tie group: they cannot be told apart." : "";
      result.textContent = a === b ? "Both are the same row." :
        `${names[a]} wins ${wins}, ties ${ties} and loses ${losses} of ${both.length} tasks against ${names[b]}; ` +
        `the mean difference is ${mean < 0 ? "−" : "+"}${Math.abs(mean).toFixed(2)} points (${view.dataset.up === "1" ? "more" : "less"} is better).${tied}`;
      const head = make("tr", ["task", names[a], names[b], "difference"].map((text) => make("th", text, { scope: "col" })));
      const lines = both.map(([task, x, y]) => make("tr", [
        make("th", task, { scope: "row" }),
        ...[x, y, x - y].map((value) => make("td", value.toFixed(2))),
      ]));
      const id = `${table.id}-pair`;
      const caption = make("caption", `${names[a]} against ${names[b]} on the ${both.length} tasks with both: ${table.caption.textContent}`, { id });
      const made = make("table", [caption, make("thead", head), make("tbody", lines)]);
      const open = list.querySelector("details")?.open;
      const details = make("details", [
        make("summary", "The differences as a table"),
        make("div", made, { class: "t", tabindex: 0, role: "group", "aria-labelledby": id }),
      ]);
      details.open = open ?? false;
      list.replaceChildren(details);
      enhance(made);
    }
    show();
    duel?.addEventListener("click", (event) => {
      const cell = event.target.closest("td");
      const row = cell ? rowsOf(duel).indexOf(cell.parentElement) : -1;
      if (row < 0) return;
      [one.value, other.value] = [row, cell.cellIndex - 1];
      show();
      view.closest("details").open = true;
      view.scrollIntoView();
      one.focus({ preventScroll: true });
    });
  };

  // The cell of a map under the pointer.
  const map = (svg) => {
    const table = document.getElementById(svg.dataset.tasks);
    const output = svg.closest("details").querySelector("output");
    const [, , columns, rows] = svg.getAttribute("viewBox").split(" ").map(Number);
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const column = Math.floor((event.clientX - box.left) / box.width * columns);
      const row = Math.floor((event.clientY - box.top) / box.height * rows);
      const task = rowsOf(table)[column];
      const head = table.tHead.rows[0].cells[row + 1];
      if (task && head) output.textContent = `${title(head)} on ${task.cells[0].textContent}: ${task.cells[row + 1].textContent}`;
    });
  };

  // A link into something closed opens it.
  const reveal = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target) target.scrollIntoView();
  };

  document.documentElement.classList.add("js");
  document.querySelectorAll("table").forEach(enhance);
  document.querySelectorAll(".pair").forEach(pair);
  document.querySelectorAll("svg.map").forEach(map);
  addEventListener("hashchange", reveal);
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
  reveal();
})();
