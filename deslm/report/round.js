// One round, from question to payment.

function drawRound(round, kinds) {
  return el("div", {}, roundHead(round), decision(round), tally(round), generatorTable(round, kinds),
    discriminatorTable(round, kinds), payments(round, kinds));
}

function roundHead(round) {
  const audit = { none: "not audited", canary: "audited: a canary", random: "audited at random" }[round.audit];
  const facts = [`Round ${round.number}`, `block ${round.height}`, round.task_class,
    round.taught ? "taught subject" : "subject nobody was taught", audit];
  return el("header", {}, el("p", { class: "chips" }, facts.map((fact) => el("span", {}, fact))),
    el("h3", { class: "question" }, round.question),
    el("p", { class: "truth" }, round.truth ? ["Truth: ", el("strong", {}, round.truth)] : "The truth is not known."),
    el("p", { class: "note id" }, "task ", el("code", {}, round.task_id)));
}

function decision(round) {
  const wording = { right: "accepted, and right", wrong: "accepted, but wrong", unknown: "accepted; truth not known" };
  const said = round.accepted === null
    ? [el("strong", {}, "Abstained"), round.reason && `: ${round.reason}`]
    : [el("strong", {}, round.candidates[round.accepted].text), `, ${wording[round.status]}`];
  return el("div", { class: `decision ${round.status}` },
    el("p", { class: "verdict" }, outcomeKey(round.status), el("span", {}, said)),
    gauge(round),
    el("ul", { class: "rules" }, round.rules.map((rule) => el("li", { class: rule.passed ? "passed" : "failed" },
      el("span", { class: "mark", "aria-hidden": "true" }, rule.passed ? "✓" : "✗"),
      el("span", {}, rule.text, el("span", { class: "hidden" }, rule.passed ? " (met)" : " (not met)"),
        el("span", { class: "soft" }, ` ${rule.figures}`))))),
    el("p", { class: "note" }, `The threshold rises with the seats' disagreement (d = ${fixed(round.difficulty)}) and with past `
      + `errors found by audits (I = ${signed(round.integral)}); τ = ${fixed(round.threshold)} asks for a probability of `
      + `${percent(1 / (1 + Math.exp(-round.threshold)), 1)}.`));
}

// Lambda as a bar from zero, tau as the line it has to reach.
function gauge(round) {
  const holder = el("div", { class: "gauge" });
  responsive(holder, (width) => {
    const low = Math.min(0, round.margin), high = Math.max(round.margin, round.threshold, 0.5) * 1.12;
    const x = scale([low, high], [1, width - 1]);
    const reached = round.margin >= round.threshold;
    const anchor = (at) => (at > width * 0.8 ? "end" : at < width * 0.2 ? "start" : "middle");
    return picture(width, 50, "Margin against threshold", `Lambda ${fixed(round.margin)}, tau ${fixed(round.threshold)}`,
      svg("rect", { class: reached ? "margin" : "margin short", x: Math.min(x(0), x(round.margin)), y: 21,
        width: Math.max(2, Math.abs(x(round.margin) - x(0))), height: 11 }),
      svg("path", { class: "base", d: `M1 32.5H${width - 1}` }),
      svg("path", { class: "threshold", d: `M${x(round.threshold)} 15V38` }),
      svg("text", { x: x(round.threshold), y: 11, "text-anchor": anchor(x(round.threshold)) },
        `threshold τ ${fixed(round.threshold)}`),
      svg("text", { x: x(round.margin), y: 47, "text-anchor": anchor(x(round.margin)), class: "strong" },
        `margin Λ ${fixed(round.margin)}`));
  });
  return holder;
}

// Each candidate's score as parts that add up: what speaks for it to the right of zero, what against it to the left.
function tally(round) {
  if (!round.candidates.length) return el("p", { class: "note" }, "No answer was revealed.");
  const parts = (candidate) => [["generators", candidate.generator_score], ["discriminators", candidate.discriminator_score],
    ["kappa", -round.kappa]];
  const side = (candidate, sign) => parts(candidate).reduce((sum, [, value]) => sum + Math.max(0, sign * value), 0);
  const right = Math.max(0.5, ...round.candidates.map((candidate) => side(candidate, 1)));
  const left = Math.max(0.2, ...round.candidates.map((candidate) => side(candidate, -1)));
  return el("section", {}, el("h4", {}, "How the votes add up"),
    el("p", { class: "legend" }, [["generators", "generators"], ["discriminators", "discriminators"],
      ["kappa", "κ, since wrong answers coincide too"]].map(([part, label]) => el("span", { class: "item" },
      svg("svg", { width: 14, height: 14, class: "key", "aria-hidden": "true" }, svg("rect", { class: `part ${part}`, x: 1, y: 2, width: 12, height: 10 })), label))),
    byScore(round).map((candidate) => {
      const chart = el("div", {});
      responsive(chart, (width) => scoreBar(width, candidate, parts(candidate), left, right));
      const truth = candidate.is_true === null ? "" : candidate.is_true ? " ✓ true" : " ✗ false";
      return el("div", { class: "candidate" },
        el("p", {}, el("strong", {}, candidate.text), el("span", { class: candidate.is_true ? "soft" : "soft wrong" }, truth),
          el("span", { class: "score" }, signed(candidate.score))), chart,
        el("p", { class: "note" }, parts(candidate).map(([part, value]) =>
          `${part === "kappa" ? "κ" : part} ${signed(value)}`).join(" · ")));
    }));
}

const byScore = (round) => [...round.candidates].sort((one, other) => other.score - one.score);

function scoreBar(width, candidate, parts, left, right) {
  const x = scale([-left, right], [1, width - 1]);
  const ends = { "1": 0, "-1": 0 };
  const bars = parts.filter(([, value]) => value !== 0).map(([part, value]) => {
    const sign = Math.sign(value), from = ends[sign];
    ends[sign] += value;
    return svg("rect", { class: `part ${part}`, x: Math.min(x(from), x(from + value)), y: 4,
      width: Math.max(1, Math.abs(x(value) - x(0))), height: 12 });
  });
  return picture(width, 20, `Score of ${candidate.text}`, `${signed(candidate.score)} in all`, bars,
    svg("path", { class: "base", d: `M${x(0)} 0V20` }),
    svg("path", { class: "net", d: `M${x(candidate.score)} 1V19` }));
}

function nodeCell(name, kinds) {
  const node = kinds.get(name);
  return el("th", { scope: "row" }, name, node.behaviour !== "honest" && el("span", { class: "liar" }, ` ${conduct(node)}`));
}

function tableOf(title, note, head, rows) {
  return el("section", { class: head.length > 6 && "many" }, el("h4", {}, title), note && el("p", { class: "note" }, note),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title }, el("table", {},
      el("thead", {}, el("tr", {}, head.map((name) => el("th", { scope: "col", class: NUMERIC.has(name) && "number" }, name)))),
      el("tbody", {}, rows))));
}

const NUMERIC = new Set(["Seats", "β", "Confidence", "Adds", "Amount"]);

const number = (...content) => el("td", { class: "number" }, content);
const revealedSeats = (seats) => seats.reduce((sum, seat) => sum + (seat.revealed ? seat.seats : 0), 0);
const discount = (seats, rho) => 1 + Math.max(0, revealedSeats(seats) - 1) * rho;

function generatorTable(round, kinds) {
  const divisor = discount(round.generators, round.rho_generators);
  const rows = round.generators.map((seat) => el("tr", {}, nodeCell(seat.node, kinds), number(seat.seats),
    seat.answer === null ? el("td", { class: "soft" }, "not revealed") : el("td", {}, round.candidates[seat.answer].text),
    number(seat.confidence === null ? "–" : percent(seat.confidence)), number(fixed(seat.beta)),
    number(seat.revealed ? signed((seat.seats * seat.evidence_logodds) / divisor) : "–")));
  return tableOf("Answers", `β is how loudly the network hears a node. A node's seats add to its answer's score; they are `
    + `divided by ${fixed(divisor)}, since generators err together.`,
  ["Generator", "Seats", "Answer", "Confidence", "β", "Adds"], rows);
}

function discriminatorTable(round, kinds) {
  const divisor = discount(round.discriminators, round.rho_discriminators);
  const sources = [...new Set(round.discriminators.flatMap((seat) => seat.verdicts.flatMap((verdict) => verdict.evidence)))];
  const ranked = byScore(round);
  const cell = (seat, verdict) => verdict
    ? el("td", {}, `${percent(verdict.p_fake)} `, el("span", { class: "adds" }, verdict.evidence.length
      ? `${signed((seat.seats * verdict.evidence_logodds) / divisor)} [${verdict.evidence.map((text) => sources.indexOf(text) + 1).join(", ")}]`
      : "no evidence"))
    : el("td", { class: "soft" }, "–");
  const rows = round.discriminators.map((seat) => el("tr", {}, nodeCell(seat.node, kinds), number(seat.seats), number(fixed(seat.beta)),
    seat.revealed
      ? ranked.map((candidate) => cell(seat, seat.verdicts.find((verdict) => round.candidates[verdict.candidate] === candidate)))
      : el("td", { class: "soft", colspan: Math.max(1, round.candidates.length) }, "not revealed")));
  const drawn = round.drawn === null ? "" : ` Scored for pay on: ${round.candidates[round.drawn].text}.`;
  return [tableOf("Verdicts", `Stated probability that the answer is false, what the node's seats add to its score (divided by `
    + `${fixed(divisor)}), and the evidence read.${drawn}`,
  ["Discriminator", "Seats", "β", ...ranked.map((candidate) => `${candidate.text} is false`)], rows),
  sources.length > 0 && el("ol", { class: "evidence" }, sources.map((text) => el("li", {}, text)))];
}

function payments(round, kinds) {
  if (!round.payments.length) return el("p", { class: "note" }, "Nobody was paid or slashed in this round.");
  const digits = decimals(round.payments.map((payment) => payment.tokens));
  return tableOf("Who was paid, and why", "Tokens.", ["Node", "Amount", "Reason"], round.payments.map((payment) =>
    el("tr", {}, nodeCell(payment.node, kinds),
      el("td", { class: payment.tokens < 0 ? "number loss" : "number" }, signed(payment.tokens, digits)), el("td", {}, payment.reason))));
}
