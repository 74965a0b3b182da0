// The phones page: draws what the event stream says, sends what a hand does. No state of its own but the clock offset.
const words = JSON.parse(document.getElementById("words").textContent);
const link = document.getElementById("link");
const toast = document.getElementById("toast");
const spoken = document.getElementById("spoken");
const shown = { agents: new Map(), leads: new Map() };
const find = document.getElementById("find");
let clockAhead = 0; // sandbox seconds minus ours
let toastTimer = 0;

const now = () => Date.now() / 1000 + clockAhead;

function setText(root, selector, text) {
  const node = root.querySelector(selector);
  if (node && node.textContent !== text) node.textContent = text;
}

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function pretty(number) {
  const local = /^972\d{8,9}$/.test(number) ? "0" + number.slice(3) : number;
  const mobile = local.match(/^(0\d{2})(\d{3})(\d{4})$/);
  return mobile ? `${mobile[1]}-${mobile[2]}-${mobile[3]}` : local;
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${String(Math.floor(whole / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
}

const otherLeg = (phone) => phone.call[phone.leg === "agent" ? "lead" : "agent"];

// idle | off | ringing | quiet | dialing | talking | hold | ended
function stateOf(phone) {
  const call = phone.call;
  if (call && call.live) {
    const leg = call[phone.leg];
    if (leg.state === "ringing") return leg.ignored ? "quiet" : "ringing";
    if (leg.state === "talking" && otherLeg(phone).state === "ringing") return "dialing";
    if (leg.state === "talking") return leg.held ? "hold" : "talking";
  }
  if (!phone.online) return "off";
  return call && !call.live && now() - call.ended_at < 6 ? "ended" : "idle";
}

function outcome(call) {
  if (call.incoming) return words.outside_call;
  if (call.live) return words.live_call;
  const sides = call.first === "agent" ? ["agent", "lead"] : ["lead", "agent"];
  const failed = sides.find((side) => call[side].status !== "ANSWER");
  if (!failed) return words.yes_answer;
  const { status, cause } = call[failed];
  if (failed === "agent" && status === "CANCEL" && cause === "") return words.agent_TERMINATED;
  return words[`${failed}_${status}`] ?? words[status] ?? status;
}

function sentence(state, side) {
  return {
    idle: words.idle, off: words.off, quiet: words.ringing_out, hold: words.on_hold,
    dialing: side === "agent" ? words.dialing : words.dialing_agent,
    ringing: side === "agent" ? words.incoming : words.incoming_mobile,
    talking: words.connected, ended: words.ended,
  }[state];
}

const usable = {
  ringing: ["answer", "decline", "ignore"], quiet: ["answer", "decline"],
  dialing: ["hangup"], talking: ["hold", "hangup"], hold: ["resume", "hangup"], idle: ["busy"], ended: ["busy"],
};

function make(kind, number, side) {
  const node = document.getElementById(kind).content.firstElementChild.cloneNode(true);
  node.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || !node.dataset.number) return;
    act(node, button.hasAttribute("data-switch") ? (node.dataset.online === "true" ? "offline" : "online") : button.dataset.deed, side);
  });
  node.querySelector("[data-status]")?.addEventListener("change", (event) => act(node, "status", side, { status: Number(event.target.value) }));
  if (number !== null) node.dataset.number = number;
  return node;
}

async function act(node, deed, side, body) {
  const path = `sandbox/phones/${encodeURIComponent(node.dataset.number)}/${deed}?side=${side}`;
  const said = body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  let ok = false;
  try {
    ok = (await fetch(path, { method: "POST", ...said })).ok;
  } catch {
    ok = false; // the network says no; the sentence below says so to the person
  }
  toast.hidden = ok;
  toast.textContent = ok ? "" : words.failed;
  clearTimeout(toastTimer);
  if (!ok) toastTimer = setTimeout(() => { toast.hidden = true; }, 4000);
}

function paint(node, phone, side) {
  const state = stateOf(phone);
  const call = phone.call;
  const before = node.dataset.state;
  node.dataset.state = state;
  node.dataset.online = String(phone.online);
  const who = phone.name || phone.number;
  const label = side === "agent" ? `${words.desk_phone} ${who}` : `${words.mobile} ${pretty(phone.number)}`;
  node.setAttribute("aria-label", label);
  const live = ["ringing", "quiet", "dialing", "talking", "hold"].includes(state);
  const leg = live ? call[phone.leg] : null;
  const other = call ? otherLeg(phone) : null;
  const connected = state === "talking" || state === "hold";
  const since = connected ? call.connected_at : state === "dialing" ? other.rang_at : leg?.rang_at;
  node.dataset.since = since ?? "";
  node.dataset.until = state === "ringing" || state === "quiet" ? leg.rang_at + leg.max_dial_time
    : state === "dialing" ? other.rang_at + other.max_dial_time : "";
  node.dataset.ended = state === "ended" ? call.ended_at : "";
  if (side === "agent") {
    setText(node, ".who", who);
    setText(node, ".lcd-state", live && call.incoming ? words.outside_call : sentence(state, side));
    setText(node, ".lcd-number", live || state === "ended" ? pretty(other.number) : phone.number === who ? "" : phone.number);
    variables(node.querySelector(".lcd-vars"), live ? call.variables : {});
  } else {
    setText(node, ".m-state", sentence(state, side));
    // What a caller's telephone can know: the name or number that was sent. Whose telephone it is stands below it.
    const inCall = live || state === "ended";
    const callerId = inCall ? pretty(call.caller_id) : "";
    setText(node, ".m-title", inCall ? call.caller_name || callerId || "Leadring" : pretty(phone.number));
    setText(node, ".m-number", inCall && call.caller_name ? callerId : "");
    setText(node, ".own", inCall ? pretty(phone.number) : "");
  }
  const status = node.querySelector("[data-status]");
  if (status) {
    status.hidden = phone.number === "" || !phone.extension;
    status.setAttribute("aria-label", `${words.login_status}: ${label}`);
    if (document.activeElement !== status) status.value = String(phone.status ?? 1);
  }
  for (const button of node.querySelectorAll("[data-deed]")) {
    button.hidden = !(usable[state] ?? []).includes(button.dataset.deed);
    button.setAttribute("aria-label", `${button.textContent.trim()}: ${label}`);
  }
  const toggle = node.querySelector("[data-switch]");
  toggle.setAttribute("aria-checked", String(phone.online));
  toggle.setAttribute("aria-label", `${words.device}: ${label}`);
  toggle.disabled = live;
  if (before !== undefined && before !== state && state === "ringing") {
    // In a narrow frame only one telephone fits: the one that rings is the one to see.
    // Only this page moves: scrollIntoView would move the page that frames it, away from what a person reads.
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const { top, height } = node.getBoundingClientRect();
    const middle = scrollY + top - (innerHeight - height) / 2;
    document.scrollingElement.scrollTo({ top: middle, behavior: calm ? "auto" : "smooth" });
  }
  if (before !== state && ["ringing", "talking", "ended"].includes(state)) spoken.textContent = `${label}: ${sentence(state, side)}`;
  tick(node);
}

function variables(list, given) {
  const text = JSON.stringify(given);
  if (list.dataset.shown === text) return;
  list.dataset.shown = text;
  list.replaceChildren(...Object.entries(given).slice(0, 4).flatMap(([name, value]) => {
    const term = document.createElement("dt");
    const detail = document.createElement("dd");
    term.textContent = name.replace(/^var_/i, "");
    detail.textContent = value;
    detail.dir = "auto";
    return [term, detail];
  }));
}

function tick(node) {
  const { since, until, ended, state } = node.dataset;
  let text = "";
  if (until) text = fill(words.seconds_left, { n: Math.max(0, Math.ceil(Number(until) - now())) });
  else if (since) text = clock(now() - Number(since));
  setText(node, ".lcd-time, .m-time", text);
  const face = node.querySelector(".clock");
  if (face) setText(node, ".clock", new Date().toTimeString().slice(0, 5));
  if (state === "ended" && now() - Number(ended) >= 6 && latest) draw(latest);
}

function drawSide(side, kind, phones, waits) {
  const box = document.getElementById(side === "agent" ? "agents" : "leads");
  const known = shown[side === "agent" ? "agents" : "leads"];
  const wanted = phones.length || !waits ? phones : [{ number: null, name: "", online: true, call: null }];
  const keys = new Set(wanted.map((phone) => phone.number));
  for (const [number, node] of known) if (!keys.has(number)) { node.remove(); known.delete(number); }
  wanted.forEach((phone, index) => {
    let node = known.get(phone.number);
    if (!node) known.set(phone.number, (node = make(kind, phone.number, side)));
    if (box.children[index] !== node) box.insertBefore(node, box.children[index] ?? null);
    paint(node, phone.number === null ? { ...phone, number: "" } : phone, side);
    if (phone.number === null) placeholder(node, side);
  });
  box.dataset.count = String(wanted.length);
}

function placeholder(node, side) {
  node.dataset.state = "idle";
  node.setAttribute("aria-label", side === "agent" ? words.waiting_first : words.mobile);
  setText(node, ".who", words.agents);
  setText(node, ".lcd-state", words.waiting_first);
  setText(node, ".m-title", words.no_number);
  for (const one of node.querySelectorAll("[data-deed]")) one.hidden = true;
  const toggle = node.querySelector("[data-switch]");
  toggle.disabled = true;
  toggle.hidden = true;
}

function drawRecent(calls) {
  document.getElementById("recent-none").hidden = calls.length > 0;
  const table = document.getElementById("recent");
  table.hidden = calls.length === 0;
  table.tBodies[0].replaceChildren(...calls.map((call) => {
    const row = document.createElement("tr");
    const time = new Date((call.started_at - clockAhead) * 1000).toTimeString().slice(0, 8);
    const { number } = call.agent;
    const agent = call.agent_name === number ? [[pretty(number), "ltr"]] : [[call.agent_name, "auto"], [number, "ltr"]];
    const cells = [[[time, "ltr"]], agent, [[pretty(call.lead.number), "ltr"]], [[outcome(call), ""]]];
    row.append(...cells.map((parts) => {
      const cell = document.createElement("td");
      for (const [text, dir] of parts) {
        const inner = document.createElement("span");
        inner.textContent = text;
        if (dir) inner.dir = dir;
        cell.append(...(cell.firstChild ? [" "] : []), inner);
      }
      return cell;
    }));
    row.lastChild.firstChild.className = `pill ${call.live ? "live" : call.lead.status === "ANSWER" ? "good" : "bad"}`;
    return row;
  }));
}

let latest = null;
function draw(picture) {
  latest = picture;
  // Nobody found is not nobody there: only an account without agents shows a telephone that waits for one.
  drawSide("agent", "desk-phone", picture.agents, picture.agents_in_all === 0);
  drawSide("lead", "mobile", picture.leads, true);
  const title = picture.more_than_two ? words.title_many : words.title;
  setText(document, "#title", title);
  document.title = `${title} · Leadring`;
  drawRecent(picture.recent);
  // Leg 1 is whoever rings first: it is said of the last call.
  const leadFirst = picture.recent.find((call) => !call.incoming)?.first === "lead";
  setText(document, "#agents-leg", leadFirst ? words.leg2 : words.leg1);
  setText(document, "#leads-leg", leadFirst ? words.leg1 : words.leg2);
  document.getElementById("find-box").hidden = picture.agents_in_all <= 4;
  const counts = { shown: picture.agents.length, found: picture.agents_found, all: picture.agents_in_all };
  const said = counts.found === counts.all ? words.shown_of : counts.found ? words.shown_found : words.found_none;
  setText(document, "#found", fill(said, counts));
}

function linkState(state, text) {
  link.dataset.state = state;
  setText(link, ".link-text", text);
}

let stream = null;
function listen() {
  stream?.close();
  stream = new EventSource(`sandbox/events?find=${encodeURIComponent(find.value)}`);
  stream.addEventListener("state", (event) => {
    const picture = JSON.parse(event.data);
    clockAhead = picture.now - Date.now() / 1000;
    linkState("live", words.listening);
    draw(picture);
  });
  stream.addEventListener("error", () => linkState("lost", words.lost));
}
let typing = 0;
find.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(listen, 150); });
listen();
setInterval(() => { for (const side of Object.values(shown)) side.forEach(tick); }, 500);
