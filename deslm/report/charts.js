// The charts about the network as a whole: the wall of questions, accuracy against coverage, calibration.

const KINDS = {
  consensus: { colour: "var(--net)", marker: "circle", dash: null },
  best_node: { colour: "var(--node)", marker: "triangle", dash: "7 4" },
  majority: { colour: "var(--major)", marker: "square", dash: "2 4" },
  all_nodes_majority: { colour: "var(--other)", marker: "diamond", dash: "10 4 2 4" },
};

function lineKey(kind) {
  const style = KINDS[kind];
  return svg("svg", { width: 34, height: 14, "aria-hidden": "true", class: "key" },
    svg("path", { d: "M1 7H33", stroke: style.colour, "stroke-width": 2.5, "stroke-dasharray": style.dash }),
    svg("g", { fill: style.colour }, MARKERS[style.marker](17, 7, 4)));
}

// Axes, grid and a place to draw in; x and y map data to pixels.
function frame(width, height, margin, xDomain, yDomain, xTicks, yTicks, xLabel, yLabel) {
  const x = scale(xDomain, [margin.left, width - margin.right]);
  const y = scale(yDomain, [height - margin.bottom, margin.top]);
  const axes = svg("g", { class: "axes" },
    yTicks.map((value) => [
      svg("path", { class: "grid-line", d: `M${margin.left} ${y(value)}H${width - margin.right}` }),
      svg("text", { x: margin.left - 8, y: y(value) + 4, "text-anchor": "end" }, percent(value)),
    ]),
    xTicks.map((value) => [
      svg("path", { class: "tick", d: `M${x(value)} ${height - margin.bottom}v5` }),
      svg("text", { x: x(value), y: height - margin.bottom + 19, "text-anchor": "middle" }, percent(value)),
    ]),
    svg("path", { class: "base", d: `M${margin.left} ${height - margin.bottom}H${width - margin.right}` }),
    svg("text", { x: (margin.left + width - margin.right) / 2, y: height - 4, "text-anchor": "middle" }, xLabel),
    svg("text", { x: 0, y: 11, "text-anchor": "start" }, yLabel));
  return { x, y, axes };
}

// Accuracy of a curve at a coverage: the last point that does not accept more.
function accuracyAt(curve, coverage) {
  const reached = curve.points.filter(([at]) => at <= coverage + 1e-9);
  return reached.length && coverage <= curve.points[curve.points.length - 1][0] + 0.005
    ? reached[reached.length - 1][1] : null;
}

function coverageChart(holder, curves, scores) {
  const ours = scores.find((score) => score.kind === "consensus");
  const at = ours.accepted / ours.asked;
  const shown = curves.flatMap((curve) => curve.points.filter(([coverage]) => coverage >= 0.05));
  const low = Math.min(0.9, Math.floor(10 * Math.min(1, ...shown.map(([, accuracy]) => accuracy))) / 10);
  const step = 1 - low > 0.35 ? 0.1 : 0.05;
  const yTicks = Array.from({ length: Math.round((1 - low) / step) + 1 }, (_, index) => low + index * step);
  const readout = el("table", { class: "readout" });
  const read = (coverage) => readout.replaceChildren(
    el("caption", {}, `Right when ${percent(coverage)} are answered`),
    el("tbody", {}, curves.map((curve) => {
      const accuracy = accuracyAt(curve, coverage);
      return el("tr", {}, el("th", { scope: "row" }, lineKey(curve.kind), " ", curve.label),
        el("td", { class: "number" }, accuracy === null ? "–" : percent(accuracy, 1)));
    })));
  read(at);
  const chart = el("div", {});
  responsive(chart, (width) => {
    const height = Math.round(Math.min(430, Math.max(270, width * 0.62)));
    const margin = { left: 48, right: 20, top: 26, bottom: 46 };
    const { x, y, axes } = frame(width, height, margin, [0, 1], [low, 1], [0, 0.25, 0.5, 0.75, 1], yTicks,
      "answered", "right");
    const cursor = svg("path", { class: "cursor", d: `M${x(at)} ${y(low)}V${margin.top}` });
    const drawing = picture(width, height, "Accuracy against coverage",
      curves.map((curve) => `${curve.label}: ${percent(accuracyAt(curve, at) ?? 0, 1)} right at ${percent(at)}`).join("; "),
      axes, cursor, curves.map((curve) => coverageLine(curve, x, y, low)),
      svg("circle", { class: "operating", cx: x(at), cy: y(1 - ours.wrong_accepted / Math.max(1, ours.accepted)), r: 9 }));
    const follow = (event) => {
      const box = drawing.getBoundingClientRect();
      const coverage = (event.clientX - box.left - x(0)) / (x(1) - x(0));
      const kept = Math.min(1, Math.max(0.02, coverage));
      cursor.setAttribute("d", `M${x(kept)} ${y(low)}V${margin.top}`);
      read(kept);
    };
    drawing.addEventListener("pointermove", follow);
    drawing.addEventListener("pointerdown", follow);
    drawing.addEventListener("pointerleave", () => {
      cursor.setAttribute("d", `M${x(at)} ${y(low)}V${margin.top}`);
      read(at);
    });
    return drawing;
  });
  const steps = Array.from({ length: 10 }, (_, index) => (index + 1) / 10);
  holder.append(chart, el("div", {}, readout,
    el("p", { class: "note" }, "The ring marks the network's own threshold. Point at the chart to read another coverage."),
    figures("Accuracy by coverage as a table", ["Answered", ...curves.map((curve) => curve.label)],
      steps.map((coverage) => [percent(coverage), ...curves.map((curve) => {
        const accuracy = accuracyAt(curve, coverage);
        return accuracy === null ? "–" : percent(accuracy, 1);
      })]))));
}

function coverageLine(curve, x, y, low) {
  const style = KINDS[curve.kind];
  const points = curve.points.map(([coverage, accuracy]) => [x(coverage), y(Math.max(low, accuracy))]);
  const every = Math.max(1, Math.round(points.length / 8));
  return svg("g", {},
    svg("path", { class: "line", d: path(points), stroke: style.colour, "stroke-dasharray": style.dash }),
    svg("g", { fill: style.colour }, points.filter((_, index) => index % every === every - 1)
      .map(([px, py]) => MARKERS[style.marker](px, py, 4))));
}

function reliabilityChart(holder, reliability) {
  const total = reliability.bins.reduce((sum, [, , size]) => sum + size, 0);
  const largest = Math.max(1, ...reliability.bins.map(([, , size]) => size));
  const chart = el("div", {});
  responsive(chart, (available) => {
    const width = Math.min(available, 430);
    const height = Math.round(width * 0.92);
    const margin = { left: 48, right: 20, top: 26, bottom: 46 };
    const ticks = [0, 0.25, 0.5, 0.75, 1];
    const { x, y, axes } = frame(width, height, margin, [0, 1], [0, 1], ticks, ticks, "stated", "came true");
    const points = reliability.bins.map(([stated, observed]) => [x(stated), y(observed)]);
    return picture(width, height, reliability.label,
      reliability.bins.map(([stated, observed, size]) => `${percent(stated)} stated, ${percent(observed)} true, ${size}`).join("; "),
      axes, svg("path", { class: "diagonal", d: `M${x(0)} ${y(0)}L${x(1)} ${y(1)}` }),
      reliability.bins.map(([stated, observed, size]) => {
        const error = Math.sqrt((observed * (1 - observed)) / size);
        return svg("path", { class: "whisker", d: `M${x(stated)} ${y(Math.max(0, observed - error))}V${y(Math.min(1, observed + error))}` });
      }),
      svg("path", { class: "line", d: path(points), stroke: "var(--net)" }),
      reliability.bins.map(([, , size], index) => svg("circle",
        { class: "dot", cx: points[index][0], cy: points[index][1], r: 3 + 6 * Math.sqrt(size / largest) })));
  });
  holder.append(el("figure", {},
    el("figcaption", {}, el("h3", {}, reliability.label),
      el("p", { class: "note" }, `Mean gap ${fixed(100 * reliability.ece, 1)} points over ${total.toLocaleString("en")} statements`)),
    chart,
    figures("As a table", ["Stated", "Came true", "Statements"],
      reliability.bins.map(([stated, observed, size]) => [percent(stated, 1), percent(observed, 1), size]))));
}

const OUTCOMES = {
  right: "accepted, right", wrong: "accepted, wrong", abstained: "abstained", unknown: "accepted, truth not known",
};

// One mark a question: filled right, hollow abstained, crossed wrong. The explorer below lists the same with the keyboard.
function outcomeMark(status, x, y, size) {
  const box = { x: x + 0.75, y: y + 0.75, width: size - 1.5, height: size - 1.5, rx: 1.5 };
  const cross = `M${x + 2} ${y + 2}L${x + size - 2} ${y + size - 2}M${x + size - 2} ${y + 2}L${x + 2} ${y + size - 2}`;
  return svg("g", { class: `outcome ${status}` }, svg("rect", box), status === "wrong" && svg("path", { d: cross }));
}

function outcomeKey(status) {
  return svg("svg", { width: 14, height: 14, "aria-hidden": "true", class: "key" }, outcomeMark(status, 1, 1, 12));
}

function wall(holder, rounds, open) {
  const groups = [["Questions about taught subjects", rounds.filter((round) => round.taught)],
    ["Questions about subjects nobody was taught", rounds.filter((round) => !round.taught)]];
  const seen = Object.keys(OUTCOMES).filter((status) => rounds.some((round) => round.status === status));
  holder.append(el("p", { class: "legend" },
    seen.map((status) => el("span", { class: "item" }, outcomeKey(status), OUTCOMES[status]))));
  for (const [title, members] of groups) {
    if (!members.length) continue;
    const counts = seen.map((status) => `${members.filter((round) => round.status === status).length} ${OUTCOMES[status]}`);
    const strip = el("div", { class: "strip" });
    holder.append(el("figure", { class: "wall" }, el("figcaption", {}, el("span", {}, title), " ",
      el("span", { class: "soft" }, counts.join(" · "))), strip));
    responsive(strip, (width) => {
      const pitch = width < 500 ? 14 : 16;
      const columns = Math.floor(width / pitch);
      const drawing = picture(width, pitch * Math.ceil(members.length / columns), title, counts.join(", "),
        members.map((round, index) => {
          const mark = outcomeMark(round.status, (index % columns) * pitch, Math.floor(index / columns) * pitch, pitch - 2);
          mark.append(svg("title", {}, `${round.number}. ${round.question} – ${OUTCOMES[round.status]}`));
          return mark;
        }));
      drawing.addEventListener("click", (event) => {
        const box = drawing.getBoundingClientRect();
        const column = Math.floor((event.clientX - box.left) / pitch);
        const round = members[Math.floor((event.clientY - box.top) / pitch) * columns + column];
        if (round && column < columns) open(round.number);
      });
      return drawing;
    });
  }
}
