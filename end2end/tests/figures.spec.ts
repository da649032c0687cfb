// The figures of docs/performance.md about loading the chat page. They depend on the machine, so nothing is asserted and the
// CI leaves this file out: `FIGURES=1 cargo xtask e2e figures --workers=1`.

import type { Browser, CDPSession, Page } from '@playwright/test';
import { NO_HASTE, fill } from '../support/crowd.ts';
import { type Person, together } from '../support/person.ts';
import { expect, test } from '../support/test.ts';
import { Traffic } from '../support/traffic.ts';

test.use({ serverFlags: NO_HASTE });
test.describe.configure({ timeout: 600_000 });

/** A page with so many messages, as most groups have. */
const MESSAGES = 60;
const REPETITIONS = 3;
const NETWORKS = [
  { name: '400 kbps, 400 ms', kilobits: 400, latency: 400 },
  { name: '1.6 Mbps, 150 ms', kilobits: 1_600, latency: 150 },
];
/** How much slower a phone's processor is than this machine's. */
const SLOWER = 4;

interface Load {
  /** Bytes over the wire, headers included. */
  bytes: number;
  /** Milliseconds until the text is painted, and until the page answers: its code took over and the socket is open. */
  painted: number;
  usable: number;
  /** The longest task of the main thread, in milliseconds; 0 if none lasted 50. */
  longest: number;
}

async function slow(page: Page, network: (typeof NETWORKS)[number]): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const throughput = (network.kilobits * 1_000) / 8;
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: network.latency,
    downloadThroughput: throughput,
    uploadThroughput: throughput,
  });
  await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  return session;
}

async function load(page: Page, traffic: Traffic, url: string): Promise<Load> {
  await page.goto(url, { waitUntil: 'commit' });
  await expect(page.getByTestId('connection').first()).toHaveAttribute('data-state', 'online', { timeout: 60_000 });
  const times = await page.evaluate(() => {
    const { firstOnline, longest } = window as unknown as { firstOnline: number; longest: number };
    const painted = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0;
    return { painted: Math.round(painted), usable: Math.round(firstOnline), longest: Math.round(longest) };
  });
  await page.waitForLoadState('networkidle');
  const bytes = (await traffic.take()).reduce((sum, asked) => sum + asked.bytes, 0);
  return { bytes, ...times };
}

/** Notes in the page itself when it is usable, so that the test's own round trips do not count. */
function note(): void {
  const page = window as unknown as { firstOnline: number; longest: number };
  page.longest = 0;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) page.longest = Math.max(page.longest, task.duration);
  }).observe({ type: 'longtask', buffered: true });
  const look = () => {
    if (document.querySelector('[data-testid="connection"][data-state="online"]') === null) requestAnimationFrame(look);
    else page.firstOnline = performance.now();
  };
  look();
}

async function visits(browser: Browser, person: Person, url: string, network: (typeof NETWORKS)[number]): Promise<[Load, Load]> {
  const context = await browser.newContext({
    storageState: await person.page.context().storageState(),
    viewport: { width: 390, height: 844 },
  });
  const page = await context.newPage();
  await page.addInitScript(note);
  const traffic = await Traffic.of(page);
  await slow(page, network);
  const loads: [Load, Load] = [await load(page, traffic, url), await load(page, traffic, url)];
  await context.close();
  return loads;
}

const middle = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

test('loading the chat page on slow networks and processors', async ({ browser, signUp }) => {
  const [ana, bruno] = [await signUp('Ana'), await signUp('Bruno')];
  await together(ana, bruno, 'Oaxaca en abril');
  await fill([ana, bruno], MESSAGES);
  const url = ana.page.url();
  for (const network of NETWORKS) {
    const all: [Load, Load][] = [];
    for (let times = 0; times < REPETITIONS; times += 1) all.push(await visits(browser, ana, url, network));
    for (const [which, name] of ['first', 'again'].entries()) {
      const loads = all.map((pair) => pair[which as 0 | 1]);
      const of = (figure: keyof Load) => middle(loads.map((load) => load[figure]));
      console.log(
        `${network.name}, CPU ${SLOWER} x slower, ${name}: ${of('bytes')} bytes, painted ${of('painted')} ms, ` +
          `usable ${of('usable')} ms, longest task ${of('longest')} ms`,
      );
    }
  }
});
