// Elements, numbers and scales. Text goes in through textContent alone: nothing here parses markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") for (const [event, run] of Object.entries(value)) node.addEventListener(event, run);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

// A picture with a name and a description for those who do not see it.
function picture(width, height, title, description, ...children) {
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": title },
    svg("title", {}, title), svg("desc", {}, description), children);
}

const minus = (text) => text.replace("-", "−");
const fixed = (value, digits = 2) => minus(value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
const signed = (value, digits = 2) => (Number(value.toFixed(digits)) > 0 ? "+" : "") + fixed(Number(value.toFixed(digits)) || 0, digits);
const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;
const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

// Decimals that tell the smallest of some amounts from nothing: two to six.
function decimals(amounts) {
  const smallest = Math.min(...amounts.map(Math.abs).filter((amount) => amount > 0), 1);
  return Math.min(6, Math.max(2, 1 - Math.floor(Math.log10(smallest))));
}

// Linear map from data to pixels.
const scale = (from, to) => (value) => to[0] + ((value - from[0]) / (from[1] - from[0] || 1)) * (to[1] - to[0]);

const path = (points) =>
  points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

// Draws now and again whenever the width available changes, so that text in charts keeps its size.
function responsive(holder, draw) {
  let drawn = 0;
  const redraw = () => {
    const width = Math.floor(holder.clientWidth);
    if (!width || width === drawn) return;
    drawn = width;
    holder.replaceChildren(draw(width));
  };
  queueMicrotask(redraw); // once the caller has put the holder on the page
  new ResizeObserver(() => requestAnimationFrame(redraw)).observe(holder);
}

// Builds a part of the page when it is about to be seen.
function lazily(holder, build) {
  const observer = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) {
      observer.disconnect();
      build();
    }
  }, { rootMargin: "400px" });
  observer.observe(holder);
}

// The same figures as a table, for screen readers and for whoever wants the numbers.
function figures(summary, head, rows) {
  return el("details", { class: "figures" }, el("summary", {}, summary),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": summary },
      el("table", {},
        el("thead", {}, el("tr", {}, head.map((name) => el("th", { scope: "col" }, name)))),
        el("tbody", {}, rows.map(([name, ...cells]) => el("tr", {}, el("th", { scope: "row" }, name),
          cells.map((cell) => el("td", { class: "number" }, cell))))))));
}

// Shapes that stay apart without colour. Centre x, y and radius r.
const MARKERS = {
  circle: (x, y, r) => svg("circle", { cx: x, cy: y, r }),
  square: (x, y, r) => svg("rect", { x: x - r * 0.9, y: y - r * 0.9, width: r * 1.8, height: r * 1.8 }),
  triangle: (x, y, r) => svg("path", { d: `M${x} ${y - r * 1.2}L${x + r * 1.15} ${y + r * 0.9}H${x - r * 1.15}Z` }),
  diamond: (x, y, r) => svg("path", { d: `M${x} ${y - r * 1.3}L${x + r * 1.3} ${y}L${x} ${y + r * 1.3}L${x - r * 1.3} ${y}Z` }),
};
