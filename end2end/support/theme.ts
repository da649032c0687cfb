// Shows a page in the light or the dark theme.

import type { Page } from '@playwright/test';

/** Changes the theme, and waits until no colour changes any more: on the way from one to the other, no contrast counts. */
export async function showTheme(page: Page, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.evaluate(async () => {
    const colours = () =>
      Array.from(document.querySelectorAll('*'), (element) => {
        const { color, backgroundColor } = getComputedStyle(element);
        return `${color} ${backgroundColor}`;
      }).join();
    let [last, frames] = ['', 0];
    while (frames < 5) {
      await new Promise(requestAnimationFrame);
      const now = colours();
      frames = now === last ? frames + 1 : 0;
      last = now;
    }
  });
}
