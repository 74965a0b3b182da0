/*! Leadring callback widget 1: docs/embed.md */
(() => {
if (window.CallbackWidget?.version) return;

const script = document.currentScript || document.querySelector('[src*="/widget/v1."]');
const page = script.dataset;
const api = page.api || new URL(script.src).origin;

const texts = {
en: {
  next: 'Your phone will ring next.', from: 'Your phone will ring from {n}.',
  impossible: 'This is not a phone number. Please check it.', lead_ringing: 'Your phone is ringing. Please pick up.',
  dialing: 'Calling {n} now.', send: 'Call me now', connected: 'Connected', later: 'Call me back',
  name: 'Name (optional)', s2: 'Your phone rings', when: 'When shall we call?', consent: 'Please tick this box.',
  move: 'Change the time', phone: 'Phone', title: 'We call you back', at: 'We call you: {n}.',
  tel: 'You can also phone us:', s0: 'Request received', agent_answered: '{n} is on the line.',
  position: 'You are number {n} in line.', cancel: 'Cancel the call',
  intro: 'Leave your number and we call you right away.', wait: 'Too many requests. Please try again in {n} seconds.',
  missing: 'Please write your number.', expired: 'Sorry, nobody was free in time.', lead_busy: 'Your line was busy.',
  close: 'Close', s1: 'Our phone rings', soon: 'Usual wait: {n} seconds.',
  waiting: 'We call you as soon as somebody is free.', cancelled: 'Cancelled. We will not call you.',
  not_callable: 'We cannot call this number.', exhausted: 'Sorry, we could not reach you.',
  failed: 'Sorry, the call failed.', us: 'our team', lead_no_answer: 'You did not answer.', sending: 'Sending…',
  again: 'Ask for another call', closed: 'We are closed now.', asap: 'As soon as possible',
  fail: 'Sorry, that did not work. Nothing you wrote is lost: please try again.',
},
he: {
  next: 'מיד יצלצל הטלפון שלכם.', from: 'מיד יצלצל הטלפון שלכם מהמספר {n}.',
  impossible: 'זה לא מספר טלפון. נא לבדוק אותו.', lead_ringing: 'הטלפון שלכם מצלצל. נא לענות.',
  dialing: 'מתקשרים עכשיו אל {n}.', send: 'התקשרו אליי עכשיו', connected: 'מחוברים', later: 'חזרו אליי',
  name: 'שם (לא חובה)', s2: 'הטלפון שלכם מצלצל', when: 'מתי להתקשר אליכם?', consent: 'נא לסמן את התיבה.',
  move: 'שינוי המועד', phone: 'טלפון', title: 'נחזור אליכם בטלפון', at: 'נתקשר אליכם: {n}.',
  tel: 'אפשר גם להתקשר אלינו:', s0: 'הבקשה התקבלה', agent_answered: '{n} על הקו.', position: 'מקומכם בתור: {n}.',
  cancel: 'ביטול השיחה', intro: 'השאירו מספר ונתקשר אליכם מיד.', wait: 'יותר מדי בקשות. נסו שוב בעוד {n} שניות.',
  missing: 'נא לכתוב מספר.', expired: 'מצטערים, אף אחד לא התפנה בזמן.', lead_busy: 'הקו שלכם היה תפוס.',
  close: 'סגירה', s1: 'הטלפון שלנו מצלצל', soon: 'זמן המתנה רגיל: {n} שניות.',
  waiting: 'נתקשר אליכם ברגע שמישהו יתפנה.', cancelled: 'בוטל. לא נתקשר אליכם.',
  not_callable: 'לא נוכל להתקשר למספר הזה.', exhausted: 'מצטערים, לא הצלחנו להשיג אתכם.',
  failed: 'מצטערים, השיחה לא הצליחה.', us: 'הצוות שלנו', lead_no_answer: 'לא הייתה תשובה.', sending: 'שולח…',
  again: 'בקשת שיחה נוספת', closed: 'אנחנו סגורים כרגע.', asap: 'בהקדם האפשרי',
  fail: 'מצטערים, זה לא הצליח. מה שכתבתם נשאר כאן: נסו שוב.',
},
};
const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host{all:initial;color-scheme:inherit;display:block;--a:var(--leadring-accent,light-dark(#0a6c5b,#58d3b6));
--er:var(--leadring-error,light-dark(#b3261e,#ffb4ab));--fg:var(--leadring-text,light-dark(#17211e,#e9f0ed));
--bg:var(--leadring-background,light-dark(#fff,#17201d));--r:var(--leadring-radius,14px);
font:max(16px,1rem)/1.5 var(--leadring-font,system-ui,sans-serif)}
:host([hidden]),[hidden],p:empty{display:none!important}
button,input,select{background:none;min-height:48px;padding:8px 16px;font:inherit;border:1px solid var(--leadring-border,#7b8985);
color:inherit;border-radius:calc(var(--r)*.6);min-width:48px}
button{margin-top:16px;cursor:pointer;margin-inline-end:8px}
[part=submit],[part=launcher]{width:100%;
color:var(--leadring-accent-text,color(from var(--a) xyz clamp(0,(.1791 - y)*1e9,1.1) clamp(0,(.1791 - y)*1e9,1.1) clamp(0,(.1791 - y)*1e9,1.1)));
background:var(--a);border-color:transparent;font-weight:600}
[part=panel]{background:var(--bg);color:var(--fg);overflow-wrap:anywhere;border:1px solid #8884;padding:24px;border-radius:var(--r)}
[part=panel]:has(>h2[hidden]){border:0;padding:0}
*{box-sizing:border-box}
[aria-invalid=true]{border:2px solid var(--er)}
dialog{width:min(420px,100% - 32px);box-shadow:0 6px 24px #0005}
[aria-disabled=true]{opacity:.7;cursor:progress}
h2{margin:0;padding-inline-end:32px;font-size:1.35em}
p{margin:6px 0 0}
[dir=rtl] [dir=ltr]{text-align:right}
label,a{display:block;margin-top:14px;font-weight:600}
input,select{width:100%;display:block;margin-top:4px;font-weight:400}
a{color:inherit}
[part=intro],li{color:var(--leadring-muted,light-dark(#52605b,#a9b8b3))}
:focus-visible{outline:3px solid var(--fg);outline-offset:2px}
[part=error]{color:var(--er);font-weight:600}
[type=checkbox]{accent-color:var(--a);min-width:24px;width:24px;float:inline-start;min-height:24px;margin:0;margin-inline-end:8px}
[part=status]:not(:empty){outline:0;font-size:1.1em;margin-top:14px}
[part=close]{position:absolute;top:8px;margin:0;border:0;inset-inline-end:8px;font-size:1.5em}
ol{list-style:none;margin:16px 0 0;padding:0}
li::before{content:"○"/"";display:inline-block;width:28px;color:var(--a)}
[aria-current=step]{color:inherit;font-weight:700}
option{background:var(--bg)}
li:has(~[aria-current=step])::before{content:"✓"/""}
[aria-current=step]::before{content:"●"/""}
[part=launcher]{margin:0;bottom:var(--leadring-offset,20px);inset-inline-end:20px;padding-inline:24px;border-radius:99px;width:auto;
z-index:999999;position:fixed;box-shadow:0 6px 24px #0005}
[aria-hidden]{position:absolute;clip-path:inset(50%)}`);

const el = (tag, part = '', props, ...inside) => {
  const node = document.createElement(tag);
  node.part = part;
  for (const key in props) if (props[key]) node.setAttribute(key, props[key]);
  node.append(...inside);
  return node;
};

let origin = { referrer: document.referrer };
new URLSearchParams(location.search).forEach((value, key) => {
  if (/^utm_|clk?id$|braid$/.test(key)) origin[key] = value.slice(0, 300);
});
try {
  origin = JSON.parse(sessionStorage.leadring ||= JSON.stringify(origin));
} catch {}

const sleep = (s) => new Promise((done) => setTimeout(done, s * 1000));
const put = (text, n) => text.replace('{n}', () => `\u2068${n}\u2069`);

const ask = async (url, init, seconds = 10) => {
  let got = {};
  let data = {};
  try {
    got = await fetch(url, { signal: AbortSignal.timeout(seconds * 1000), ...init });
    data = await got.json();
  } catch {}
  return Object.assign(got, { data });
};

const short = (tag) => (tag || '').slice(0, 2).toLowerCase().replace('iw', 'he');
const words = (lang) => texts[lang] ||= !/ar|es|fr|ru/.test(lang) ? {}
  : ask(`${api}/widget/words/${lang}.json`, {}, 3).then(({ data }) => texts[lang] = data);
words(short(page.lang || document.documentElement.lang));

const follow = (url, heard) => {
  let over;
  const source = new EventSource(url.replace('?', '/events?'));
  const stop = () => {
    over = true;
    clearTimeout(timer);
    source.close();
  };
  const poll = async () => {
    clearTimeout(timer);
    source.close();
    const { ok, status, data } = await ask(url);
    if (!over && !(ok && heard(data)) && status !== 404) timer = setTimeout(poll, data.state === 'dialing' ? 2000 : 9000);
  };
  let timer = setTimeout(poll, 5000);
  source.addEventListener('status', (event) => {
    clearTimeout(timer);
    if (heard(JSON.parse(event.data))) stop();
  });
  source.onerror = poll;
  return stop;
};

let errors = 0;

const build = async (host) => {
  const { outer } = host;
  const option = (name) => host.getAttribute(name) || page[name] || '';
  const site = option('site');
  const tel = option('tel');
  const mode = host.getAttribute('mode') || 'inline';
  const modal = /float|dialog/.test(mode);
  const wanted = short(option('lang') || host.closest('[lang]')?.lang);
  const own = window.callbackStrings?.[wanted];
  const root = host.attachShadow({ mode: 'open' });
  root.adoptedStyleSheets = [sheet];
  let set = words(wanted);
  if (set.then) {
    if (mode === 'inline') host.style.minHeight = '26em';
    set = await set;
    host.style.minHeight = '';
  }
  const lang = set.title || own ? wanted : 'en';
  const t = { ...texts.en, ...set, ...own };

  let typed, url, news, choose, stop, opener, body;

  const emit = (name, more) => {
    const detail = { site, ...more };
    window.dataLayer?.push({ ...detail, callback_event: detail.event, event: `callback_${name}` });
    return host.dispatchEvent(new CustomEvent(`callback:${name}`, { detail, bubbles: true, composed: true, cancelable: true }));
  };
  const moment = (iso) => new Date(iso).toLocaleString(lang,
    { weekday: 'short', day: 'numeric', month: 'short', hour: 'numeric', minute: 'numeric' });
  const field = (name, label, tag, props) => {
    const input = el(tag, 'input', { id: name, name, ...props });
    return el('div', 'field', {}, el('label', 'label', {}, label, input));
  };
  const button = (part, text, onclick) =>
    Object.assign(el('button', part, { type: onclick ? 'button' : 'submit' }, text), { onclick });

  const send = outer?.querySelector('[type=submit],button:not([type])') || button('submit', t.send);
  const form = outer || el('form', 'form', { novalidate: 'true' },
    field('name', t.name, 'input', { autocomplete: 'name' }),
    field('phone', t.phone, 'input', { type: 'tel', autocomplete: 'tel', dir: 'ltr', required: 'true' }),
    el('div', '', { 'aria-hidden': 'true' }, el('input', '', { name: '_gotcha', tabindex: '-1', autocomplete: 'off' })), send);
  const slot = field('call_at', t.when, 'select');
  const when = slot.querySelector('select');
  const title = el('h2', 'heading', { id: 'title' }, el('bdi', '', {}, option('heading') || t.title));
  const intro = el('p', 'intro', {}, t.intro);
  const say = el('div', 'status', { role: 'status', tabindex: '-1' });
  const steps = el('ol', 'steps');
  const call = el('p', 'telephone', {}, t.tel, el('a', '', { href: `tel:${tel.replace(/[^+\d*]/g, '')}`, dir: 'ltr' }, tel));
  const change = async (method, call_at) => {
    say.focus();
    const { ok, data } = await ask(url, { method, body: call_at && new URLSearchParams({ call_at }) });
    if (!ok) return fail(data.errors?.[0].message);
    if (!call_at) stop?.();
    show(call_at ? data : { state: 'cancelled' });
  };
  const move = button('move', t.move, () => change('PATCH', when.value || new Date().toISOString()));
  const cancel = button('cancel', t.cancel, () => change('DELETE'));
  const again = button('again', t.again, () => {
    begin();
    form.elements.phone.focus();
  });
  const panel = el(modal ? 'dialog' : 'section', 'panel',
    { lang, dir: /he|ar|fa|ur|yi/.test(lang) ? 'rtl' : 'ltr', 'aria-labelledby': 'title' },
    title, intro, outer ? '' : form, say, steps, call, move, cancel, again);

  const speak = (text) => (say.textContent = text);
  const fail = (text) => {
    call.hidden = !tel;
    speak(text || t.fail);
  };
  const look = (...shown) => {
    for (const node of [title, form, intro, slot, steps, call, move, cancel, again]) node.hidden = !shown.includes(node);
    if (outer) form.style.display = form.hidden ? 'none' : '';
    speak('');
  };
  const begin = () => {
    if (outer) return look(form);
    send.before(slot);
    look(title, form, intro, choose && slot);
  };
  const busy = (on) => (send.ariaDisabled = on);
  const mark = (wrong) => {
    const fields = Object.keys(wrong);
    let first;
    for (const input of form) {
      const text = wrong[input.name];
      if (text && !input.error) {
        const id = `callback-error-${++errors}`;
        (input.closest('label') || input).after(input.error = el('p', 'error', { id, class: 'callback-error' }));
        input.setAttribute('aria-describedby', `${input.getAttribute('aria-describedby') || ''} ${id}`);
      }
      if (input.error) {
        input.error.hidden = !text;
        input.error.textContent = text;
        input.ariaInvalid = !!text;
      }
      if (text) {
        first ||= input;
        delete wrong[input.name];
      }
    }
    first?.focus();
    speak(Object.values(wrong).join(' '));
    if (fields[0]) emit('invalid', { fields });
    return !fields[0];
  };

  const show = (s) => {
    const { state } = s;
    const over = !/ing$/.test(state);
    if (over) url = '';
    if (news === (news = JSON.stringify(s))) return over;
    const past = (s.timeline || []).map((entry) => entry.event);
    const last = past.at(-1);
    let step = 0;
    let text = t[state];
    if (over) step = state === 'connected' ? 3 : -1;
    else if (state === 'dialing') {
      const heard = { agent_answered: 2, lead_ringing: 2, connected: 3 }[last];
      step = heard || 1;
      text = put(t[heard ? last : state], s.agent_name || t.us);
      if (step < 2 || /^a/.test(last)) text += ' ' + put(s.caller_id ? t.from : t.next, s.caller_id);
    } else {
      text = s.expected_call_at ? put(t.at, moment(s.expected_call_at)) : s.position ? put(t.position, s.position) : t.waiting;
      const tried = past.findLast((event) => /^lead_(no_|busy)/.test(event));
      if (tried) text = `${t[tried]} ${text}`;
    }
    if (step && [cancel, move, when].includes(root.activeElement)) say.focus();
    const later = state === 'waiting' && when[1];
    look(title, step < 0 ? tel && call : steps, later && slot, later && move, state === 'waiting' && cancel, over && again);
    speak(text);
    steps.replaceChildren(...[t.s0, t.s1, t.s2, t.connected].map((text, i) => el('li', 'step', { 'aria-current': i === step && 'step' }, text)));
    emit('status', { state, event: last });
    return over;
  };
  const live = (on = true) => {
    stop?.();
    if (on && url) stop = follow(url, show);
  };

  const submit = async (submitter) => {
    if (send.ariaDisabled === 'true') return;
    const values = [...new FormData(form, submitter)].filter(([, value]) => value.trim);
    const wrong = {};
    if (!outer) {
      const { phone, consent } = form.elements;
      if (!/(\d\D*){7}/.test(phone.value)) wrong.phone = phone.value ? t.impossible : t.missing;
      if (consent?.checked) values.push(['consent_text', consent.parentNode.textContent]);
      else if (consent?.required) wrong.consent = t.consent;
      for (const { name, value } of host.querySelectorAll('[type=hidden]')) values.push([name, value]);
    }
    if (!mark(wrong) || !emit('submit')) return;
    if (typed !== (typed = JSON.stringify(values))) {
      body = new URLSearchParams(values);
      const more = {
        ...origin, site, source: outer ? 'form' : 'widget', language: wanted || lang, page_url: location.href,
        elapsed_ms: Math.round(performance.now()), submission_id: crypto.randomUUID?.() || Math.random(),
      };
      for (const name in more) if (!body.get(name)) body.set(name, more[name]);
    }
    busy(true);
    call.hidden = true;
    speak(t.sending);
    let answer = {};
    for (let tries = 4; tries--; await sleep(2)) {
      answer = await ask(`${api}/v1/leads`, { method: 'POST', body, keepalive: true });
      if (answer.status !== 409) break;
    }
    const { ok, status, data, headers } = answer;
    if (outer && !status && navigator.onLine && /^[^#]/.test(form.getAttribute('action') || '')) {
      form.onformdata = ({ formData }) => {
        body.forEach((_, name) => formData.delete(name));
        body.forEach((value, name) => formData.append(name, value));
      };
      try {
        el('form').submit.call(form);
      } catch {}
      form.onformdata = null;
      look(form, tel && call);
      if (!await new Promise((done) => setTimeout(stop = done, 8000, true))) return busy(false);
    }
    const wait = status === 429 && Math.min(headers.get('Retry-After') || 30, 300);
    busy(!!wait);
    if (ok) {
      typed = news = '';
      url = data.status_url && new URL(data.status_url, api).href;
      move.before(slot);
      look(title, url && cancel);
      speak(data.message || t.waiting);
      say.focus();
      emit('success', { lead_id: data.lead_id, outcome: data.outcome });
      if ('ga4' in page && data.outcome !== 'duplicate')
        (function (..._) { (window.dataLayer ||= []).push(arguments); })('event', 'generate_lead', { lead_source: 'callback', site });
      learn();
      return live();
    }
    if (status === 422) {
      typed = '';
      for (const { field, code, message } of data.errors || []) wrong[field] = t[code] || message;
      if (!mark(wrong)) return;
    }
    emit('error', { status, code: data.code });
    fail(wait ? put(t.wait, wait) : status === 503 && data.detail);
    if (!wait) return;
    await sleep(wait);
    busy(false);
    speak('');
  };
  if (!outer) form.onsubmit = (event) => {
    event.preventDefault();
    submit();
  };

  const learn = async () => {
    if (!site) return;
    const { data } = await ask(`${api}/v1/sites/${site}`);
    const { slots = [] } = data;
    const closed = data.open === false;
    const said = data.language === lang && data.message;
    choose = slots[0] && (closed || data.busy);
    when.replaceChildren(...['', ...slots].map((iso) => new Option(iso ? moment(iso) : t.asap, iso, false, iso === when.value)));
    if (form.hidden || outer) return;
    if (closed) send.textContent = t.later;
    slot.hidden = !choose;
    intro.textContent = closed ? `${t.closed} ${put(t.at, moment(data.opens_at))}` : data.busy ? t.waiting : said || t.intro;
    if (data.usually_within_seconds) intro.append(' ', put(t.soon, data.usually_within_seconds));
    if (data.consent_text && !form.elements.consent) {
      send.before(field('consent', '', 'input', { type: 'checkbox', value: 'true', required: data.consent_required }));
      form.elements.consent.after(el('bdi', '', {}, data.consent_text));
    }
    if (data.taking === false) {
      look(title);
      fail(said || t.closed);
      if (panel.open) say.focus();
    }
  };

  const open = (from) => {
    if (panel.open) return;
    if (modal) {
      learn();
      opener = from;
      panel.showModal();
      emit('open');
    }
    (form.hidden ? say : form[0]).focus();
  };
  const close = () => panel.close?.();
  panel.onclose = () => {
    opener?.focus();
    emit('close');
  };

  if (mode === 'float') {
    const launcher = button('launcher', t.later, () => open(launcher));
    launcher.lang = lang;
    root.append(launcher);
  }
  root.append(panel);
  begin();
  if (modal) {
    const x = button('close', '×', close);
    x.ariaLabel = t.close;
    panel.append(x);
  } else learn();
  setTimeout(() => emit('ready', { mode }));
  return { open, close, live, form, submit };
};

const tag = 'callback-widget';
const all = () => [...document.querySelectorAll(tag)];
const make = (mode, props) => {
  const node = el(tag, '', { mode, ...props });
  document.body.append(node);
  return node;
};
class CallbackElement extends HTMLElement {
  connectedCallback() {
    this.built ||= build(this);
    this.home = document.body;
    this.live();
  }
  async live(on = true) {
    (await this.built).live(on);
  }
  disconnectedCallback() {
    this.live(false);
    if (!this.hasAttribute('auto') || this.home === document.body) return;
    const twin = document.querySelector('[auto]');
    twin ? twin.replaceWith(this) : document.body.append(this);
  }
}
customElements.define(tag, CallbackElement);
const methods = {
  async open(site, opener = document.activeElement) {
    const fit = all().filter((node) => !site || (node.getAttribute('site') || page.site) === site);
    const node = fit.find((node) => /float|dialog/.test(node.getAttribute('mode'))) || fit[0] || make('dialog', { site });
    (await node.built).open(opener);
  },
  close: () => all().forEach(async (node) => (await node.built).close()),
  prefill: (values) => all().forEach(async (node) => {
    const { form } = await node.built;
    for (const name in values) (form.elements[name] || {}).value = values[name];
  }),
};
const queue = window.CallbackWidget?.q || [];
const command = (method, ...args) => methods[method](...args);
window.CallbackWidget = Object.assign(command, { version: 1 });

const start = () => {
  if ('auto' in page) make('float', { auto: 'true' });
  for (const [method, ...args] of queue) command(method, ...args);
};
addEventListener('pagehide', () => all().forEach((node) => node.live?.(false)));
addEventListener('pageshow', () => all().forEach((node) => node.live?.()));
addEventListener('click', (event) => {
  const opener = event.target.closest('[data-callback-open]');
  if (!opener) return;
  event.preventDefault();
  command('open', opener.dataset.callbackOpen, opener);
});
addEventListener('submit', async (event) => {
  const { target: outer, submitter } = event;
  const { callbackForm, tel, site = /\/f\/([^/?#]+)/.exec(outer.getAttribute('action'))?.[1] } = outer.dataset;
  if (event.defaultPrevented || !site || callbackForm == null || submitter?.hasAttribute('formaction')) return;
  event.preventDefault();
  if (!outer.speaker) {
    outer.speaker = el(tag, '', { mode: 'form', site, lang: outer.getAttribute('lang'), tel });
    outer.speaker.outer = outer;
    outer.after(outer.speaker);
  }
  (await outer.speaker.built).submit(submitter);
});
if (document.readyState === 'loading') addEventListener('DOMContentLoaded', start);
else start();
})();
