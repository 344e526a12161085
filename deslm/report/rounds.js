// The round explorer: a list to search and filter, and everything that happened in the chosen round.

const FILTERS = [
  ["all", "All", () => true],
  ["accepted", "Accepted", (round) => round.accepted !== null],
  ["abstained", "Abstained", (round) => round.accepted === null],
  ["wrong", "Wrong", (round) => round.status === "wrong"],
  ["audited", "Audited", (round) => round.audit !== "none"],
  ["untaught", "Untaught", (round) => !round.taught],
];
const PAGE = 80; // rows of the list drawn at a time

function roundExplorer(holder, rounds, nodes) {
  const state = { shown: rounds, current: null, filter: "all", query: "", drawn: 0 };
  const words = new Map(rounds.map((round) => [round, [round.number, round.question, round.truth,
    ...round.candidates.map((candidate) => candidate.text)].join("\n").toLowerCase()]));
  const byNumber = new Map(rounds.map((round) => [round.number, round]));
  const kinds = new Map(nodes.map((node) => [node.name, node]));

  const list = el("ol", { class: "list", tabindex: -1 });
  const count = el("p", { class: "note", "aria-live": "polite" });
  const detail = el("article", { class: "detail", tabindex: -1 });
  const steps = el("p", { class: "stepper" });
  const search = el("input", { type: "search", id: "round-search", placeholder: "Peru, Lima, 17 …", autocomplete: "off" });
  const filters = el("fieldset", { class: "filters" }, el("legend", { class: "hidden" }, "Show"),
    FILTERS.map(([key, label, keep]) => el("label", {},
      el("input", { type: "radio", name: "filter", value: key, checked: key === "all", on: { change: () => choose(key) } }),
      el("span", {}, label, " ", el("small", {}, rounds.filter(keep).length)))));
  holder.append(el("div", { class: "tools" },
    el("label", { class: "search", for: "round-search" }, el("span", {}, "Search"), search), filters),
  el("div", { class: "explorer" },
    el("nav", { class: "index", "aria-label": "Rounds" }, count, list), detail));

  function drawRows(until) {
    while (state.drawn < Math.min(until, state.shown.length)) {
      const round = state.shown[state.drawn];
      const answer = round.accepted === null ? "no answer" : round.candidates[round.accepted].text;
      list.append(el("li", {}, el("a", { href: `#round-${round.number}`, "data-number": round.number, tabindex: -1 },
        el("span", { class: "row-number" }, round.number), outcomeKey(round.status),
        el("span", { class: "row-text" }, round.question,
          el("span", { class: "row-answer" }, answer, el("span", { class: "hidden" }, `, ${OUTCOMES[round.status]}`))))));
      state.drawn += 1;
    }
  }

  function drawList() {
    const keep = FILTERS.find(([key]) => key === state.filter)[2];
    state.shown = rounds.filter((round) => keep(round) && words.get(round).includes(state.query));
    state.drawn = 0;
    list.replaceChildren();
    drawRows(PAGE);
    count.textContent = state.shown.length ? plural(state.shown.length, "round", "rounds") : "No round matches.";
    markCurrent(false);
    if (state.current) steps.replaceChildren(...stepper(state.current));
  }

  function markCurrent(scroll) {
    const index = state.shown.indexOf(state.current);
    if (index >= state.drawn) drawRows(index + PAGE);
    const rows = [...list.querySelectorAll("a")];
    for (const row of rows) {
      const chosen = state.current !== null && row.dataset.number === String(state.current.number);
      row.tabIndex = -1;
      if (chosen) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    const row = rows[Math.max(0, index)];
    if (!row) return;
    row.tabIndex = 0; // one stop for the Tab key; the arrows move within
    if (scroll) list.scrollTop += row.getBoundingClientRect().top - list.getBoundingClientRect().top - list.clientHeight / 3;
  }

  function choose(filter) {
    state.filter = filter;
    drawList();
  }

  function show(round, reveal) {
    state.current = round;
    steps.replaceChildren(...stepper(round));
    detail.replaceChildren(drawRound(round, kinds), steps);
    markCurrent(true);
    if (reveal) detail.scrollIntoView({ block: "start", behavior: "auto" });
  }

  function stepper(round) {
    const index = state.shown.indexOf(round);
    const step = (label, target) => el("button", { type: "button", disabled: !target,
      on: { click: () => { open(target.number); detail.focus({ preventScroll: true }); } } }, label);
    return [step("← Previous", state.shown[index - 1]),
      el("span", { class: "note" }, index < 0 ? "not in this selection" : `${index + 1} of ${state.shown.length}`),
      step("Next →", state.shown[index + 1])]; // from outside the selection, its first
  }

  function open(number) {
    if (location.hash === `#round-${number}`) show(byNumber.get(number), true);
    else location.hash = `round-${number}`;
  }

  function follow(reveal) {
    const match = /^#round-(\d+)$/.exec(location.hash);
    const round = match && byNumber.get(Number(match[1]));
    if (round) show(round, reveal);
    return Boolean(round);
  }

  search.addEventListener("input", () => {
    state.query = search.value.trim().toLowerCase();
    drawList();
  });
  list.addEventListener("scroll", () => {
    if (list.scrollTop + list.clientHeight > list.scrollHeight - 200) drawRows(state.drawn + PAGE);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const rows = [...list.querySelectorAll("a")];
    const next = rows[Math.min(rows.length - 1, Math.max(0, rows.indexOf(document.activeElement) + step))];
    if (next) next.focus();
  });
  addEventListener("hashchange", () => follow(true));
  drawList();
  if (!follow(true) && rounds.length) {
    const first = rounds.find((round) => round.accepted !== null && round.candidates.length > 1);
    show(first || rounds[0], false);
  }
  return { open };
}
