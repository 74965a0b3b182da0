// The phones page: draws what the event stream says, sends what a hand does. No state of its own but the clock offset.
const words = JSON.parse(document.getElementById("words").textContent);
const link = document.getElementById("link");
const toast = document.getElementById("toast");
const spoken = document.getElementById("spoken");
const shown = { agents: new Map(), leads: new Map() };
let clockAhead = 0; // sandbox seconds minus ours
let toastTimer = 0;

const now = () => Date.now() / 1000 + clockAhead;

function setText(root, selector, text) {
  const node = root.querySelector(selector);
  if (node && node.textContent !== text) node.textContent = text;
}

function pretty(number) {
  const local = /^972\d{8,9}$/.test(number) ? "0" + number.slice(3) : number;
  const mobile = local.match(/^(0\d{2})(\d{3})(\d{4})$/);
  return mobile ? `${mobile[1]}-${mobile[2]}-${mobile[3]}` : local;
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${String(Math.floor(whole / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
}

// idle | off | ringing | quiet | dialing | talking | ended
function stateOf(phone, side) {
  const call = phone.call;
  if (call && call.live) {
    const leg = call[side];
    if (leg.state === "ringing") return leg.ignored ? "quiet" : "ringing";
    if (side === "agent" && call.lead.state === "ringing") return "dialing";
    if (leg.state === "talking") return "talking";
  }
  if (!phone.online) return "off";
  return call && !call.live && now() - call.ended_at < 6 ? "ended" : "idle";
}

function outcome(call) {
  if (call.live) return words.live_call;
  if (call.agent.status !== "ANSWER") {
    const declined = call.agent.cause !== "" || call.agent.status !== "CANCEL";
    return words[declined ? `agent_${call.agent.status}` : "agent_TERMINATED"] ?? call.agent.status;
  }
  if (call.lead.status === "ANSWER") return words.yes_answer;
  return words[`lead_${call.lead.status}`] ?? words[call.lead.status] ?? call.lead.status;
}

function sentence(state, side) {
  return {
    idle: words.idle, off: words.off, quiet: words.ringing_out, dialing: words.dialing,
    ringing: side === "agent" ? words.incoming : words.incoming_mobile,
    talking: words.connected, ended: words.ended,
  }[state];
}

const usable = {
  ringing: ["answer", "decline", "ignore"], quiet: ["answer", "decline"],
  dialing: ["hangup"], talking: ["hangup"],
};

function make(kind, number, side) {
  const node = document.getElementById(kind).content.firstElementChild.cloneNode(true);
  node.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || !node.dataset.number) return;
    act(node, button.hasAttribute("data-switch") ? (node.dataset.online === "true" ? "offline" : "online") : button.dataset.deed, side);
  });
  if (number !== null) node.dataset.number = number;
  return node;
}

async function act(node, deed, side) {
  const path = `sandbox/phones/${encodeURIComponent(node.dataset.number)}/${deed}?side=${side}`;
  let ok = false;
  try {
    ok = (await fetch(path, { method: "POST" })).ok;
  } catch {
    ok = false; // the network says no; the sentence below says so to the person
  }
  toast.hidden = ok;
  toast.textContent = ok ? "" : words.failed;
  clearTimeout(toastTimer);
  if (!ok) toastTimer = setTimeout(() => { toast.hidden = true; }, 4000);
}

function paint(node, phone, side) {
  const state = stateOf(phone, side);
  const call = phone.call;
  const before = node.dataset.state;
  node.dataset.state = state;
  node.dataset.online = String(phone.online);
  const who = phone.name || phone.number;
  const label = side === "agent" ? `${words.desk_phone} ${who}` : `${words.mobile} ${pretty(phone.number)}`;
  node.setAttribute("aria-label", label);
  const live = ["ringing", "quiet", "dialing", "talking"].includes(state);
  const leg = live ? call[side] : null;
  const since = state === "talking" ? call.lead.answered_at : state === "dialing" ? call.lead.rang_at : leg?.rang_at;
  node.dataset.since = since ?? "";
  node.dataset.until = state === "ringing" || state === "quiet" ? leg.rang_at + leg.max_dial_time
    : state === "dialing" ? call.lead.rang_at + call.lead.max_dial_time : "";
  node.dataset.ended = state === "ended" ? call.ended_at : "";
  if (side === "agent") {
    setText(node, ".who", who);
    setText(node, ".lcd-state", state === "ended" ? outcome(call) : sentence(state, side));
    setText(node, ".lcd-number", live || state === "ended" ? pretty(call.lead.number) : phone.number === who ? "" : phone.number);
    variables(node.querySelector(".lcd-vars"), live ? call.variables : {});
  } else {
    setText(node, ".m-state", sentence(state, side));
    setText(node, ".m-title", live ? call.caller_name || "Leadring" : pretty(phone.number));
    setText(node, ".m-number", live ? pretty(phone.number) : "");
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
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    node.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
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
  if (until) text = `${Math.max(0, Math.ceil(Number(until) - now()))} ${words.seconds_left}`;
  else if (since) text = clock(now() - Number(since));
  setText(node, ".lcd-time, .m-time", text);
  const face = node.querySelector(".clock");
  if (face) setText(node, ".clock", new Date().toTimeString().slice(0, 5));
  if (state === "ended" && now() - Number(ended) >= 6 && latest) draw(latest);
}

function drawSide(side, kind, phones) {
  const box = document.getElementById(side === "agent" ? "agents" : "leads");
  const known = shown[side === "agent" ? "agents" : "leads"];
  const wanted = phones.length ? phones : [{ number: null, name: "", online: true, call: null }];
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
    const cells = [[time, "ltr"], [call.agent.number, "ltr"], [pretty(call.lead.number), "ltr"], [outcome(call), ""]];
    row.append(...cells.map(([text, dir]) => {
      const cell = document.createElement("td");
      const inner = document.createElement("span");
      inner.textContent = text;
      if (dir) inner.dir = dir;
      cell.append(inner);
      return cell;
    }));
    row.lastChild.firstChild.className = `pill ${call.live ? "live" : call.lead.status === "ANSWER" ? "good" : "bad"}`;
    return row;
  }));
}

let latest = null;
function draw(picture) {
  latest = picture;
  drawSide("agent", "desk-phone", picture.agents);
  drawSide("lead", "mobile", picture.leads);
  drawRecent(picture.recent);
}

function linkState(state, text) {
  link.dataset.state = state;
  setText(link, ".link-text", text);
}

const stream = new EventSource("sandbox/events");
stream.addEventListener("state", (event) => {
  const picture = JSON.parse(event.data);
  clockAhead = picture.now - Date.now() / 1000;
  linkState("live", words.listening);
  draw(picture);
});
stream.addEventListener("error", () => linkState("lost", words.lost));
setInterval(() => { for (const side of Object.values(shown)) side.forEach(tick); }, 500);
