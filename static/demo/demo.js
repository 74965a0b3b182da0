// @ts-check
// The demo page's own script: a stopwatch from Send to the ring, and no phones panel when there is no sandbox.
(() => {
  'use strict';
  const meta = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="leadring-sandbox"]'));
  if (!meta.content) document.querySelector('.phones')?.remove();

  const clock = document.getElementById('clock');
  if (!clock) return;
  let sent = 0;
  /** @param {string | undefined} text */
  const tell = (text) => {
    clock.textContent = (text || '').replace('{n}', `\u2068${Math.round(performance.now() - sent).toLocaleString()}\u2069`);
  };
  let rang = false;
  document.addEventListener('callback:submit', () => {
    sent = performance.now();
    rang = false;
  });
  document.addEventListener('callback:success', () => tell(clock.dataset.stored));
  document.addEventListener('callback:status', (event) => {
    if (rang || /** @type {CustomEvent} */ (event).detail.event !== 'agent_ringing') return;
    rang = true;
    tell(clock.dataset.rang);
  });
})();
