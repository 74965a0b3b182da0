// @ts-check
// The page that makes the snippet works without this; with it, every piece of text has a button that copies it.
(() => {
  'use strict';
  if (!navigator.clipboard) return; // only where the address is https or this machine
  for (const piece of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('pre[data-copy]'))) {
    const { copy = '', copied = '' } = piece.dataset;
    const button = document.createElement('button');
    const said = document.createElement('span');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = copy;
    // What it copies is told to whoever does not see where it stands.
    const heading = piece.closest('section')?.querySelector('h2');
    if (heading) button.setAttribute('aria-describedby', heading.id);
    said.setAttribute('role', 'status');
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(piece.textContent || '');
      said.textContent = copied;
      setTimeout(() => (said.textContent = ''), 4000);
    });
    const row = document.createElement('p');
    row.className = 'copying';
    row.append(button, said);
    piece.after(row);
  }
})();
