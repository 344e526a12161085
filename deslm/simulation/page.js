// The page of a sweep: a heat map of two parameters, a band over one, a sortable table, each setting with its configuration.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const show = (value) => (typeof value === "number" ? minus(String(Number(value.toPrecision(3)))) : String(value));
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const valuesOf = (axis) => [...new Set(data.points.map((point) => JSON.stringify(point[axis])))].map((text) => JSON.parse(text))
  .sort((a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b))));
const figure = (setting, name, statistic = 0) => data.figures[setting][data.names.indexOf(name)][statistic];

function choice(label, options, chosen, change) {
  const select = el("select", { on: { change: () => change(select.value) } }, options.map((option) => el("option", { value: option, selected: option === chosen }, option)));
  return el("label", {}, label, select);
}

// Continuous axes are put into ten classes, so that random designs make a map too.
function classes(axis) {
  const values = valuesOf(axis);
  if (values.length <= 16 || !values.every((value) => typeof value === "number")) return { names: values.map(show), at: (value) => values.findIndex((other) => JSON.stringify(other) === JSON.stringify(value)) };
  const low = values[0], high = values[values.length - 1], step = (high - low) / 10;
  return { names: Array.from({ length: 10 }, (_, i) => show(low + (i + 0.5) * step)), at: (value) => Math.min(9, Math.floor((value - low) / step)) };
}

function drawMap(width, across, down, name) {
  const columns = classes(across), rows = down === null ? { names: [""], at: () => 0 } : classes(down);
  const cells = rows.names.map(() => columns.names.map(() => []));
  data.points.forEach((point, i) => cells[down === null ? 0 : rows.at(point[down])][columns.at(point[across])].push(figure(i, name)));
  const means = cells.map((row) => row.map((found) => (found.length ? mean(found) : null)));
  const known = means.flat().filter((value) => value !== null);
  const left = 90, top = 8, height = 40, wide = Math.max(28, (width - left - 4) / columns.names.length);
  const tone = scale([Math.min(...known), Math.max(...known)], [0.08, 0.85]);
  const parts = [];
  means.forEach((row, r) => {
    parts.push(svg("text", { x: left - 8, y: top + r * height + 25, "text-anchor": "end" }, rows.names[r]));
    row.forEach((value, c) => {
      const x = left + c * wide, y = top + r * height;
      parts.push(svg("rect", { x, y, width: wide, height, class: value === null ? "cell none" : "cell", "fill-opacity": value === null ? null : tone(value) }));
      if (value !== null && wide > 40) parts.push(svg("text", { x: x + wide / 2, y: y + 25, "text-anchor": "middle", class: "on" }, show(value)));
    });
  });
  const bottom = top + rows.names.length * height;
  columns.names.forEach((text, c) => parts.push(svg("text", { x: left + (c + 0.5) * wide, y: bottom + 18, "text-anchor": "middle", class: "tiny" }, text)));
  parts.push(svg("text", { x: left, y: bottom + 40 }, `→ ${data.axes[across]}${down === null ? "" : `   ↓ ${data.axes[down]}`}`));
  return picture(left + columns.names.length * wide + 4, bottom + 48, `${name} by setting`, "A heat map; the table below has the numbers.", parts);
}

function drawBand(width, axis, name) {
  const groups = new Map();
  data.points.forEach((point, i) => {
    const [average, , low, high] = data.figures[i][data.names.indexOf(name)];
    const key = JSON.stringify(point[axis]);
    const found = groups.get(key) || { means: [], low: Infinity, high: -Infinity };
    groups.set(key, { means: [...found.means, average], low: Math.min(found.low, low), high: Math.max(found.high, high) });
  });
  const values = valuesOf(axis), numeric = values.every((value) => typeof value === "number");
  const at = values.map((value) => groups.get(JSON.stringify(value)));
  const places = numeric ? values : values.map((_, i) => i);
  const height = 260, left = 70, bottom = 210;
  const x = scale([places[0], places[places.length - 1]], [left + 10, width - 20]);
  const y = scale([Math.min(...at.map((g) => g.low)), Math.max(...at.map((g) => g.high))], [bottom, 12]);
  const upper = at.map((g, i) => [x(places[i]), y(g.high)]), lower = at.map((g, i) => [x(places[i]), y(g.low)]).reverse();
  const line = at.map((g, i) => [x(places[i]), y(mean(g.means))]);
  const ends = [Math.min(...at.map((g) => g.low)), Math.max(...at.map((g) => g.high))];
  const every = Math.ceil(values.length / 10);
  return picture(width, height, `${name} against ${data.axes[axis]}`, "Mean and range over the seeds.",
    svg("path", { d: `M${left} 12V${bottom}H${width - 10}`, class: "base" }),
    svg("path", { d: `${path([...upper, ...lower])}Z`, class: "band" }), svg("path", { d: path(line), class: "mean" }),
    line.map(([cx, cy]) => svg("circle", { cx, cy, r: 3.5, class: "dot" })),
    ends.map((value) => svg("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, show(value))),
    values.map((value, i) => i % every === 0 && svg("text", { x: x(places[i]), y: bottom + 18, "text-anchor": "middle" }, show(value))),
    svg("text", { x: left, y: bottom + 40 }, `${name} against ${data.axes[axis]}`));
}

const state = { across: 0, down: data.axes.length > 1 ? 1 : null, map: data.shown[0], axis: 0, band: data.shown[0], order: null, reverse: 1, columns: data.shown };

function redraw(holder, draw) {
  const chart = el("div");
  byId(holder).replaceChildren(chart);
  responsive(chart, draw);
}
const redrawMap = () => redraw("map-chart", (width) => drawMap(width, state.across, state.down, state.map));
const redrawBand = () => redraw("band-chart", (width) => drawBand(width, state.axis, state.band));

function drawTable() {
  const heads = [...data.axes, ...state.columns];
  const key = (i, head) => (data.axes.includes(head) ? data.points[i][data.axes.indexOf(head)] : figure(i, head));
  const order = data.points.map((_, i) => i);
  if (state.order !== null) order.sort((a, b) => {
    const one = key(a, state.order), other = key(b, state.order);
    return state.reverse * (typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other)));
  });
  const sort = (head) => { state.reverse = state.order === head ? -state.reverse : 1; state.order = head; drawTable(); };
  const headings = heads.map((head) => el("th", { scope: "col", class: "number", "aria-sort": state.order === head ? (state.reverse > 0 ? "ascending" : "descending") : null },
    el("button", { type: "button", "data-order": state.order === head ? state.reverse : null, on: { click: () => sort(head) } }, head)));
  const cells = (i) => heads.map((head) => el("td", { class: "number" }, show(key(i, head)), !data.axes.includes(head) && data.seeds.length > 1 ? el("small", {}, ` ±${show(figure(i, head, 1))}`) : null));
  const rows = order.map((i) => el("tr", { tabindex: 0, on: { click: () => open(i), keydown: (event) => { if (event.key === "Enter") open(i); } } }, cells(i)));
  byId("table").replaceChildren(el("thead", {}, el("tr", {}, headings)), el("tbody", {}, rows));
}

function open(i) {
  const changes = data.axes.map((axis, a) => `--set ${axis}=${JSON.stringify(data.points[i][a])}`).join(" ");
  const all = data.names.map((name, n) => { const [average, spread, low, high] = data.figures[i][n]; return el("tr", {}, el("th", { scope: "row" }, name), [average, spread, low, high].map((value) => el("td", { class: "number" }, show(value)))); });
  byId("detail").replaceChildren(
    el("h3", {}, data.axes.map((axis, a) => `${axis} = ${show(data.points[i][a])}`).join(", ") || "The setting"),
    el("pre", {}, `deslm simulate SCENARIO.toml --rounds ${data.rounds} --seeds ${data.seeds.length} ${changes}`),
    el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ["figure", "mean", "± seeds", "lowest", "highest"].map((head, h) => el("th", { scope: "col", class: h ? "number" : null }, head)))), el("tbody", {}, all))));
  byId("detail").scrollIntoView({ block: "nearest" });
}

const figuresChoice = (label, chosen, change) => choice(label, data.names, chosen, change);
if (data.axes.length) {
  byId("map-tools").append(figuresChoice("Figure", state.map, (name) => { state.map = name; redrawMap(); }),
    choice("Across", data.axes, data.axes[0], (axis) => { state.across = data.axes.indexOf(axis); redrawMap(); }),
    state.down === null ? "" : choice("Down", data.axes, data.axes[1], (axis) => { state.down = data.axes.indexOf(axis); redrawMap(); }));
  byId("band-tools").append(figuresChoice("Figure", state.band, (name) => { state.band = name; redrawBand(); }),
    choice("Parameter", data.axes, data.axes[0], (axis) => { state.axis = data.axes.indexOf(axis); redrawBand(); }));
  redrawMap();
  redrawBand();
} else {
  byId("map").remove();
  byId("bands").remove();
}
byId("table-tools").append(figuresChoice("Add a column", data.names[0], (name) => { state.columns = [...new Set([...state.columns, name])]; drawTable(); }));
drawTable();
