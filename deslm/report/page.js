// Puts the page together: reads the data, draws each part when it comes near, and keeps the chosen theme.

const data = JSON.parse(document.getElementById("data").textContent);
const named = (type, row) => Object.fromEntries(data.schema[type].map((field, index) => [field, row[index]]));
const place = (id) => document.getElementById(id);

function reviveRound(row) {
  const round = named("Round", row);
  round.candidates = round.candidates.map((candidate) => named("Candidate", candidate));
  round.generators = round.generators.map((seat) => named("GeneratorSeat", seat));
  round.discriminators = round.discriminators.map((seat) => named("DiscriminatorSeat", seat));
  for (const seat of round.discriminators) {
    seat.verdicts = seat.verdicts.map((verdict) => named("Verdict", verdict));
    for (const verdict of seat.verdicts) verdict.evidence = verdict.evidence.map((index) => data.texts[index]);
  }
  round.payments = round.payments.map((payment) => named("Payment", payment));
  for (const payment of round.payments) payment.reason = data.texts[payment.reason];
  round.rules = round.rules.map(([text, passed, shown]) => ({ text: data.texts[text], passed, figures: data.texts[shown] }));
  return round;
}

function themeButton() {
  const button = place("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const current = () => document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");
  const label = () => {
    button.textContent = current() === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${button.textContent.toLowerCase()} colours`);
  };
  // Some browsers refuse storage to a page opened from disk; the choice then lasts as long as the page.
  try {
    const kept = localStorage.getItem("deslm-theme");
    if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
  } catch { /* the system's preference holds */ }
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = current() === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("deslm-theme", current());
    } catch { /* as above */ }
    label();
  });
  dark.addEventListener("change", label);
  label();
  button.hidden = false;
}

function start() {
  themeButton();
  const list = (type, rows) => rows.map((row) => named(type, row));
  const rounds = data.rounds.map(reviveRound);
  const curves = list("Curve", data.curves), scores = list("Score", data.scores), nodes = list("Node", data.nodes);
  const explorer = roundExplorer(place("explorer"), rounds, nodes);
  wall(place("wall"), rounds, explorer.open);
  lazily(place("coverage-chart"), () => coverageChart(place("coverage-chart"), curves, scores));
  lazily(place("calibration-charts"), () => data.reliabilities.forEach(([label, bins, ece]) =>
    reliabilityChart(place("calibration-charts"), { label, bins, ece })));
  lazily(place("node-charts"), () => nodeCharts(place("node-charts"), nodes));
}

start();
