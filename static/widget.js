// @ts-check
/*! Leadring callback widget 1. No build, no dependency; options: docs/embed.md. A parameter's default tells its type. */
(() => {
'use strict';
const win = /** @type {any} */ (window);
if (win.CallbackWidget?.version) return; // loaded twice: the first one stays

const script = /** @type {HTMLScriptElement} */ (document.currentScript || document.querySelector('script[src*="/widget/v1."]'));
const page = script.dataset;
const api = (page.api || new URL(script.src).origin).replace(/\/$/, '');

/** @typedef {Record<string, any>} Dict */
/** A language is an entry here, or in `window.callbackStrings`. @type {Record<string, Dict>} */
const texts = {
en: {
  title: 'We call you back', close: 'Close', name: 'Name (optional)', phone: 'Phone', s0: 'Request received',
  intro: 'Leave your number and we call you right away.',
  closed: 'We are closed now. Leave your number and we call you: {n}.', send: 'Call me now', later: 'Call me back',
  sending: 'Sending…', cancel: 'Cancel the call', again: 'Ask for another call', tel: 'You can also phone us:',
  missing: 'Please write your number.', impossible: 'This is not a phone number. Please check it.',
  not_callable: 'We cannot call this number.', consent: 'Please tick this box.',
  fail: 'Sorry, that did not work. Nothing you wrote is lost: please try again.',
  wait: 'Too many requests. Please try again in {n} seconds.', waiting: 'We call you as soon as somebody is free.',
  position: 'You are number {n} in line.', at: 'We call you: {n}.', us: 'our team', dialing: 'Calling {n} now.',
  agent_answered: '{n} is on the line.', s1: 'Our phone rings', s2: 'Your phone rings', next: 'Your phone will ring next.',
  from: 'Your phone will ring from {n}.', lead_ringing: 'Your phone is ringing. Please pick up.', connected: 'Connected',
  lead_no_answer: 'You did not answer.', lead_busy: 'Your line was busy.', exhausted: 'Sorry, we could not reach you.',
  expired: 'Sorry, nobody was free in time.', failed: 'Sorry, the call failed.', cancelled: 'Cancelled. We will not call you.',
},
he: {
  title: 'נחזור אליכם בטלפון', close: 'סגירה', name: 'שם (לא חובה)', phone: 'טלפון', s0: 'הבקשה התקבלה',
  intro: 'השאירו מספר ונתקשר אליכם מיד.',
  closed: 'אנחנו סגורים כרגע. השאירו מספר ונתקשר אליכם: {n}.', send: 'התקשרו אליי עכשיו', later: 'חזרו אליי',
  sending: 'שולח…', cancel: 'ביטול השיחה', again: 'בקשת שיחה נוספת', tel: 'אפשר גם להתקשר אלינו:',
  missing: 'נא לכתוב מספר.', impossible: 'זה לא מספר טלפון. נא לבדוק אותו.',
  not_callable: 'לא נוכל להתקשר למספר הזה.', consent: 'נא לסמן את התיבה.',
  fail: 'מצטערים, זה לא הצליח. מה שכתבתם נשאר כאן: נסו שוב.',
  wait: 'יותר מדי בקשות. נסו שוב בעוד {n} שניות.', waiting: 'נתקשר אליכם ברגע שמישהו יתפנה.',
  position: 'מקומכם בתור: {n}.', at: 'נתקשר אליכם: {n}.', us: 'הצוות שלנו', dialing: 'מתקשרים עכשיו אל {n}.',
  agent_answered: '{n} על הקו.', s1: 'הטלפון שלנו מצלצל', s2: 'הטלפון שלכם מצלצל', next: 'מיד יצלצל הטלפון שלכם.',
  from: 'מיד יצלצל הטלפון שלכם מהמספר {n}.', lead_ringing: 'הטלפון שלכם מצלצל. נא לענות.', connected: 'מחוברים',
  lead_no_answer: 'לא הייתה תשובה.', lead_busy: 'הקו שלכם היה תפוס.', exhausted: 'מצטערים, לא הצלחנו להשיג אתכם.',
  expired: 'מצטערים, אף אחד לא התפנה בזמן.', failed: 'מצטערים, השיחה לא הצליחה.', cancelled: 'בוטל. לא נתקשר אליכם.',
},
...win.callbackStrings,
};

const sheet = new CSSStyleSheet(); // a constructed sheet is the one kind of style a strict page policy lets in
sheet.replaceSync(`
:host{all:initial;color-scheme:inherit;display:block;--a:var(--leadring-accent,light-dark(#0a6c5b,#58d3b6));
--t:var(--leadring-accent-text,lab(from var(--a) clamp(0,(49.5 - l)*999,100) 0 0));
--bg:var(--leadring-background,light-dark(#fff,#17201d));--fg:var(--leadring-text,light-dark(#17211e,#e9f0ed));
--mu:var(--leadring-muted,light-dark(#52605b,#a9b8b3));--bo:var(--leadring-border,#7b8985);
--er:var(--leadring-error,light-dark(#b3261e,#ffb4ab));--r:var(--leadring-radius,14px);
font:max(16px,1rem)/1.5 var(--leadring-font,system-ui,sans-serif)}
:host([hidden]),[hidden],p:empty{display:none!important}
*{box-sizing:border-box}
button,input{font:inherit;min-height:48px;min-width:48px;padding:8px 14px;border:1px solid var(--bo);
border-radius:calc(var(--r)*.6);color:inherit;background:none}
button{cursor:pointer;margin-top:16px}
[part=submit],[part=launcher]{width:100%;font-weight:600;color:var(--t);background:var(--a);border-color:transparent}
[aria-disabled=true]{opacity:.7;cursor:progress}
:focus-visible{outline:3px solid var(--fg);outline-offset:2px}
[part=panel]{color:var(--fg);background:var(--bg);border:1px solid color-mix(in srgb,var(--bo) 40%,transparent);border-radius:var(--r);padding:24px;overflow-wrap:anywhere}
dialog{width:min(420px,100% - 32px);box-shadow:0 24px 64px #0006}
h2{font-size:1.35em;margin:0;padding-inline-end:36px}
p{margin:6px 0 0}
a{color:inherit}
label,a{display:block;font-weight:600;margin-top:14px}
input{display:block;width:100%;margin-top:4px}
[dir=rtl] [dir=ltr]{text-align:right}
[aria-invalid=true]{border:2px solid var(--er)}
[part=intro],li{color:var(--mu)}
[part=error]{color:var(--er);font-weight:600}
[type=checkbox]{float:inline-start;width:24px;min-width:24px;min-height:24px;margin:0;margin-inline-end:10px;accent-color:var(--a)}
[part=status]:not(:empty){margin-top:14px;font-size:1.1em;outline:0}
[part=close]{position:absolute;inset-block-start:8px;inset-inline-end:8px;margin:0;border:0;font-size:1.5em}
ol{list-style:none;margin:16px 0 0;padding:0}
li::before{content:"○"/"";display:inline-block;width:28px;color:var(--a)}
li:has(~[aria-current=step])::before{content:"✓"/""}
[aria-current=step]{color:inherit;font-weight:700}
[aria-current=step]::before{content:"●"/"";animation:p 1s infinite}
@keyframes p{50%{opacity:.2}}
[part=launcher]{position:fixed;z-index:2147483000;inset-block-end:var(--leadring-offset,20px);inset-inline-end:20px;
width:auto;border-radius:99px;padding-inline:24px;box-shadow:0 6px 24px #0005}
[aria-hidden]{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
@media(forced-colors:active){button{border-color:ButtonText!important}}
@media(prefers-reduced-motion){*,::before{animation:none!important}}`);

/** `part` names it for ::part(). @param {Dict} props attributes @param {any[]} inside @returns {any} */
const el = (tag = '', part = '', props = {}, ...inside) => {
  const node = document.createElement(tag);
  if (part) props.part = part;
  for (const key in props) if (props[key]) node.setAttribute(key, props[key]);
  node.append(...inside);
  return node;
};

/** First touch: where the visitor came from, kept for the tab. @type {Dict} */
let origin = { referrer: document.referrer };
new URLSearchParams(location.search).forEach((value, key) => {
  if (/^(utm_\w+|(g|fb|tt|ms)clid|[gw]braid)$/.test(key)) origin[key] = value.slice(0, 300);
});
try {
  origin = JSON.parse(sessionStorage.leadring || (sessionStorage.leadring = JSON.stringify(origin)));
} catch {} // storage is forbidden here: this page's own campaign has to do

const sleep = (s = 0) => new Promise((done) => setTimeout(done, s * 1000));
/** Names and numbers keep their own direction inside Hebrew. */
const put = (text = '', n = '') => text.replace('{n}', () => `\u2068${n}\u2069`);

/** One request, 10 s in all; never rejects (no status: no answer). No header of ours, so no preflight. */
const ask = async (url = '', init = {}) => {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), 10000);
  /** @type {Dict} */
  const answer = { data: {} };
  try {
    const got = await fetch(url, { credentials: 'omit', signal: abort.signal, ...init });
    Object.assign(answer, { ok: got.ok, status: got.status, after: Number(got.headers.get('Retry-After')) });
    answer.data = await got.json();
  } catch {} // what is known by now is the answer
  clearTimeout(timer);
  return answer;
};

/** Tells of every change: by events, or by asking when the stream breaks or a proxy swallows it. */
const follow = (url = '', heard = (/** @type {Dict} */ status) => !status /* it is over */) => {
  let over = false;
  let pause = 2;
  const source = new EventSource(url.replace('?', '/events?'));
  const stop = () => {
    over = true;
    clearTimeout(timer);
    source.close();
  };
  const poll = async () => {
    source.close();
    clearTimeout(timer);
    const { ok, status, data } = await ask(url);
    if (over) return;
    if ((ok && heard(data)) || status === 404) return stop();
    pause = data.state === 'dialing' ? 2 : Math.min(pause * 1.2, 20);
    timer = setTimeout(poll, pause * 1000);
  };
  let timer = setTimeout(poll, 5000);
  source.addEventListener('status', (event) => {
    clearTimeout(timer);
    if (heard(JSON.parse(event.data))) stop();
  });
  source.addEventListener('end', poll);
  source.onerror = poll;
  return stop;
};

const build = (host = document.body) => {
  const option = (name = '') => host.getAttribute(name) || page[name] || '';
  const site = option('site');
  const tel = option('tel');
  const mode = host.getAttribute('mode') || 'inline';
  const wanted = (option('lang') || host.closest('[lang]')?.getAttribute('lang') || '').slice(0, 2).replace('iw', 'he');
  const lang = texts[wanted] ? wanted : 'en';
  const t = { ...texts.en, ...texts[lang] };

  let began = Date.now();
  let typed = '';
  let url = ''; // of the live lead
  let news = '';
  let stop = () => {};
  /** @type {any} */
  let opener;
  /** @type {URLSearchParams} */
  let body;

  /** `more` never names the visitor. */
  const emit = (name = '', more = {}, cancelable = false) => {
    const detail = { site, ...more };
    win.dataLayer?.push({ event: `callback_${name}`, ...detail });
    return host.dispatchEvent(new CustomEvent(`callback:${name}`, { bubbles: true, composed: true, cancelable, detail }));
  };
  const moment = (iso = '') => {
    const at = new Date(iso);
    const today = at.toDateString() === new Date().toDateString();
    return at.toLocaleString(lang, { timeStyle: 'short', dateStyle: today ? undefined : 'full' });
  };

  /** @type {Dict} */
  const fields = {};
  const field = (name = '', label = '', input = host) => {
    const error = el('p', 'error', { id: `${name}-error` });
    const row = [el('label', 'label', { for: name }, label), input];
    if (name === 'consent') row.reverse();
    fields[name] = Object.assign(input, { id: name, name, error });
    input.setAttribute('aria-describedby', error.id);
    return el('div', 'field', {}, ...row, error);
  };
  const button = (part = '', text = '', click = () => {}) => {
    const node = el('button', part, { type: part === 'submit' ? part : 'button' }, text);
    node.onclick = click;
    return node;
  };

  const send = button('submit', t.send);
  const extra = el('div', '');
  const form = el('form', 'form', { novalidate: 'true' },
    field('name', t.name, el('input', 'input', { autocomplete: 'name' })),
    field('phone', t.phone, el('input', 'input', { type: 'tel', autocomplete: 'tel', dir: 'ltr', required: 'true' })),
    extra, el('div', '', { 'aria-hidden': 'true' }, el('input', '', { name: '_gotcha', tabindex: '-1', autocomplete: 'off' })), send);
  const intro = el('p', 'intro', {}, t.intro);
  const say = el('div', 'status', { role: 'status', tabindex: '-1' });
  const steps = el('ol', 'steps', {}, ...[t.s0, t.s1, t.s2, t.connected].map((text) => el('li', 'step', {}, text)));
  const call = el('p', 'telephone', {}, t.tel, el('a', '', { href: `tel:${tel.replace(/[^+\d*]/g, '')}`, dir: 'ltr' }, tel));
  const cancel = button('cancel', t.cancel, async () => {
    say.focus();
    const { ok } = await ask(url, { method: 'DELETE' });
    if (ok) stop(), show({ state: 'cancelled' });
    else speak(t.fail);
  });
  const again = button('again', t.again, () => {
    began = Date.now();
    look(true);
    fields.phone.focus();
  });
  const panel = el(mode === 'inline' ? 'section' : 'dialog', 'panel',
    { lang, dir: /he|ar|fa|ur|yi/.test(lang) && 'rtl', 'aria-labelledby': 'title' },
    el('h2', 'heading', { id: 'title' }, option('heading') || t.title), intro, form, say, steps, call, cancel, again);
  const modal = 'open' in panel;

  const speak = (text = '') => (say.textContent = text);
  /** Either the form, or what became of it. */
  const look = (asking = true) => {
    form.hidden = intro.hidden = !asking;
    steps.hidden = call.hidden = again.hidden = true;
    speak();
  };
  const busy = (on = true) => send.setAttribute('aria-disabled', `${on}`);
  /** Shows errors by field; true when there are none. */
  const mark = (/** @type {Dict} */ errors) => {
    const names = Object.keys(errors);
    for (const name in fields) {
      fields[name].error.textContent = errors[name];
      fields[name].ariaInvalid = name in errors;
    }
    fields[names.find((name) => fields[name]) || '']?.focus();
    speak(names.map((name) => (fields[name] ? '' : errors[name])).join(' '));
    if (names[0]) emit('invalid', { fields: names });
    return !names[0];
  };

  /** Says in words how it stands; true when it is over. */
  const show = (/** @type {Dict} */ s) => {
    const { state } = s;
    const over = /^(connected|exhausted|expired|cancelled|failed)$/.test(state);
    if (over) url = '';
    if (news === (news = JSON.stringify(s))) return over;
    const past = (s.timeline || []).map((/** @type {Dict} */ entry) => entry.event).reverse();
    let step = 0;
    let text = t[state];
    if (over) step = state === 'connected' ? 3 : -1;
    else if (state === 'dialing') {
      const event = /^(agent_answered|lead_ringing|connected)$/.test(past[0]) ? past[0] : state;
      step = { [state]: 1, connected: 3 }[event] || 2;
      text = put(t[event], s.agent_name || t.us);
      if (step < 2 || /^a/.test(event)) text += ' ' + put(s.caller_id ? t.from : t.next, s.caller_id);
    } else {
      text = s.expected_call_at ? put(t.at, moment(s.expected_call_at)) : s.position ? put(t.position, s.position) : t.waiting;
      const tried = past.find((/** @type {string} */ event) => /^lead_(no_|busy)/.test(event));
      if (tried) text = `${t[tried]} ${text}`;
    }
    if (step && cancel.matches(':focus')) say.focus();
    look(false);
    speak(text);
    steps.hidden = step < 0;
    [...steps.children].forEach((item, i) => (item.ariaCurrent = i === step ? 'step' : 'false'));
    cancel.hidden = over || state === 'dialing';
    again.hidden = !over;
    call.hidden = !tel || step >= 0;
    emit('status', { state, event: past[0] });
    return over;
  };
  const live = (on = true) => {
    stop();
    if (on && url) stop = follow(url, show);
  };

  form.onsubmit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (send.ariaDisabled === 'true') return;
    /** @type {Dict} */
    const values = Object.fromEntries(new FormData(form));
    const digits = values.phone.replace(/\D/g, '').length;
    /** @type {Dict} */
    const errors = {};
    if (digits < 7 || digits > 16) errors.phone = digits ? t.impossible : t.missing;
    if (fields.consent?.required && !values.consent) errors.consent = t.consent;
    if (!mark(errors) || !emit('submit', {}, true)) return;
    if (values.consent) values.consent_text = fields.consent.nextSibling.textContent;
    for (const input of host.querySelectorAll('input')) if (input.type === 'hidden') values[input.name] = input.value;
    // The same words are the same submission, to the byte.
    if (typed !== (typed = JSON.stringify(values)))
      body = new URLSearchParams({
        ...origin, site, source: 'widget', language: lang, page_url: location.href, ...values,
        elapsed_ms: `${Date.now() - began}`,
        submission_id: crypto.randomUUID?.() || crypto.getRandomValues(new Uint8Array(16)).join(''), // http has no UUIDs
      });
    busy();
    call.hidden = true;
    speak(t.sending);
    let tries = 4;
    let answer;
    while (tries--) {
      answer = await ask(`${api}/v1/leads`, { method: 'POST', body, keepalive: true });
      if (answer.status !== 409) break;
      await sleep(Math.min(answer.after || 2, 30));
    }
    const { ok, status, data, after } = answer || {};
    const wait = status === 429 ? Math.min(after || 30, 300) : 0;
    busy(wait > 0);
    if (ok) {
      typed = news = '';
      url = data.status_url && new URL(data.status_url, api).href;
      look(false);
      cancel.hidden = !url;
      speak(data.message || t.waiting);
      say.focus();
      emit('success', { lead_id: data.lead_id, outcome: data.outcome });
      return live();
    }
    if (status === 422) {
      typed = '';
      for (const { field, code, message } of data.errors || []) errors[field] = t[code] || message;
      if (!mark(errors)) return;
    }
    call.hidden = !tel;
    emit('error', { status, code: data.code });
    speak(wait ? put(t.wait, `${wait}`) : t.fail);
    if (!wait) return;
    await sleep(wait);
    busy(false);
    speak();
  };

  /** What the site wants said and asked. */
  const learn = async () => {
    if (!site) return;
    const { data } = await ask(`${api}/v1/sites/${site}`);
    if (extra.firstChild) return; // opened twice
    const closed = data.open === false;
    if (closed) send.textContent = t.later;
    if (data.message && data.language === lang) intro.textContent = data.message;
    else if (closed && data.opens_at) intro.textContent = put(t.closed, moment(data.opens_at));
    if (data.consent_text)
      extra.append(field('consent', data.consent_text,
        el('input', 'consent', { type: 'checkbox', value: 'true', required: data.consent_required })));
  };

  /** `from` gets the focus back. */
  const open = (/** @type {any} */ from) => {
    if (panel.open) return;
    if (modal) {
      learn();
      opener = from;
      panel.showModal();
      emit('open');
    }
    (form.hidden ? say : fields.name).focus();
  };
  const close = () => panel.close?.();
  panel.onclose = () => {
    opener?.focus();
    emit('close');
  };

  const root = host.attachShadow({ mode: 'open' });
  root.adoptedStyleSheets = [sheet];
  const launcher = button('launcher', t.later, () => open(launcher));
  launcher.lang = lang;
  if (mode === 'float') root.append(launcher);
  root.append(panel);
  look();
  cancel.hidden = true;
  if (modal) {
    const x = button('close', '×', close);
    x.ariaLabel = t.close;
    panel.append(x);
  } else learn();
  queueMicrotask(() => emit('ready', { mode }));
  return { site, modal, open, close, live, fields };
};

/** @type {WeakMap<Element, ReturnType<typeof build>>} moved within the page, a widget keeps what was typed */
const widgets = new WeakMap();
class CallbackElement extends HTMLElement {
  connectedCallback() {
    if (!widgets.has(this)) widgets.set(this, build(this));
    widgets.get(this)?.live();
  }
  disconnectedCallback() {
    widgets.get(this)?.live(false);
  }
}
const all = () => [...document.querySelectorAll('callback-widget')].flatMap((node) => widgets.get(node) || []);
const make = (mode = '', site = '') => document.body.append(el('callback-widget', '', { mode, site }));
const open = (site = '', opener = document.activeElement) => {
  const find = () => {
    const fit = all().filter((one) => !site || one.site === site);
    return fit.find((one) => one.modal) || fit[0];
  };
  if (!find()) make('dialog', site);
  find().open(opener);
};
/** @type {Dict} */
const methods = {
  open,
  close: () => all().forEach((one) => one.close()),
  prefill: (/** @type {Dict} */ values) => all().forEach(({ fields }) => {
    for (const name in values) fields[name].value = values[name];
  }),
};
const queue = win.CallbackWidget?.q || [];
const command = (/** @type {[string, ...any]} */ ...[method, ...args]) => methods[method](...args);
win.CallbackWidget = Object.assign(command, { version: 1 });

const start = () => {
  customElements.define('callback-widget', CallbackElement);
  if ('auto' in page) make('float');
  for (const [method, ...args] of queue) command(method, ...args);
};
addEventListener('click', (event) => {
  const opener = /** @type {Element} */ (event.target).closest('[data-callback-open]');
  if (!opener) return;
  event.preventDefault();
  open(opener.getAttribute('data-callback-open') || '', opener);
});
if (document.readyState === 'loading') addEventListener('DOMContentLoaded', start);
else start();
})();
