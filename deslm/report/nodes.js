// Stake and reputation of every node over the run: small pictures of one size, so that nodes can be compared.

function nodeCharts(holder, nodes) {
  const own = el("input", { type: "checkbox", id: "own-scale" });
  const panels = el("div", {});
  const draw = () => panels.replaceChildren(...[["generator", "Generators"], ["discriminator", "Discriminators"]]
    .map(([role, heading]) => {
      const members = nodes.filter((node) => node.role === role);
      if (!members.length) return null;
      const gains = members.flatMap((node) => node.stake.map(([, stake]) => stake - node.stake_before));
      const shared = [Math.min(0, ...gains), Math.max(0, ...gains)];
      return el("section", {}, el("h3", {}, heading), el("div", { class: "grid panels" },
        members.map((node) => nodePanel(node, own.checked ? null : shared))));
    }).filter(Boolean));
  own.addEventListener("change", draw);
  draw();
  holder.append(el("p", { class: "controls" },
    el("label", {}, own, " A scale of its own for every node (small changes become visible, nodes not comparable)")), panels);
}

// How a node behaves, in words; what is not honest carries a mark as well as a colour.
function conduct(node) {
  if (node.behaviour === "honest") return "honest";
  return node.behaviour === node.name ? "◆" : `◆ ${node.behaviour.replaceAll("_", " ")}`;
}

function nodePanel(node, shared) {
  const honest = node.behaviour === "honest";
  const gain = node.stake_after - node.stake_before;
  const chart = el("div", { class: "chart" });
  responsive(chart, (width) => drawNode(width, node, honest, shared));
  return el("figure", { class: honest ? "panel" : "panel dishonest" },
    el("figcaption", {},
      el("strong", {}, node.name), el("span", { class: "behaviour" }, conduct(node)),
      el("span", { class: gain < 0 ? "number loss" : "number" }, signed(gain))),
    chart);
}

function drawNode(width, node, honest, shared) {
  const stakeHeight = 64, reputationHeight = 34, gap = 22, right = 62;
  const height = stakeHeight + gap + reputationHeight + 16;
  const gains = node.stake.map(([at, stake]) => [at, stake - node.stake_before]);
  const own = [Math.min(0, ...gains.map(([, value]) => value)), Math.max(0, ...gains.map(([, value]) => value))];
  const domain = shared || (own[0] === own[1] ? [-1, 1] : own);
  const heights = [...node.stake, ...node.reputation].map(([at]) => at);
  const x = scale([Math.min(...heights), Math.max(...heights)], [1, width - right]);
  const yStake = scale(domain, [stakeHeight + 10, 12]);
  const yReputation = scale([0, 1], [height - 4, height - 4 - reputationHeight]);
  const colour = honest ? "var(--net)" : "var(--bad)";
  const dash = honest ? null : "5 3";
  const marker = honest ? MARKERS.circle : MARKERS.diamond;
  const line = (series, y) => {
    if (!series.length) return null;
    const points = stairs(series).map(([at, value]) => [x(at), y(value)]);
    const [px, py] = points[points.length - 1];
    return [svg("path", { class: "line thin", d: path(points), stroke: colour, "stroke-dasharray": dash }),
      svg("g", { fill: colour }, marker(px, py, 3.5))];
  };
  const last = (series) => (series.length ? series[series.length - 1][1] : 0);
  const description = `${node.behaviour}; stake from ${fixed(node.stake_before)} to ${fixed(node.stake_after)} tokens, ` +
    `reputation at the end ${fixed(last(node.reputation))}`;
  return picture(width, height, `${node.name}: stake and reputation`, description,
    svg("text", { x: 1, y: 9, class: "tiny" }, "stake"),
    svg("path", { class: "grid-line", d: `M1 ${yStake(0)}H${width - right}` }),
    line(gains, yStake),
    svg("text", { x: width - right + 7, y: yStake(last(gains)) + 4, class: "tiny strong" }, signed(last(gains), Math.abs(last(gains)) < 100 ? 1 : 0)),
    svg("text", { x: 1, y: height - reputationHeight - 10, class: "tiny" }, "reputation"),
    svg("path", { class: "grid-line", d: `M1 ${yReputation(0)}H${width - right}` }),
    svg("path", { class: "grid-line faint", d: `M1 ${yReputation(1)}H${width - right}` }),
    line(node.reputation, yReputation),
    svg("text", { x: width - right + 7, y: yReputation(last(node.reputation)) + 4, class: "tiny strong" }, fixed(last(node.reputation))));
}

// A balance holds until it changes: steps, not slopes; many points are thinned to what a small picture can show.
function stairs(series) {
  const every = Math.ceil(series.length / 240);
  const kept = series.filter((_, index) => index % every === 0 || index === series.length - 1);
  return kept.flatMap((point, index) => (index ? [[point[0], kept[index - 1][1]], point] : [point]));
}
