// A named person with a separate browser: the person's actions, and the parts of the screen that show the results.

import { randomUUID } from 'node:crypto';
import { type Locator, type Page, expect } from '@playwright/test';

/** Long enough for the password rule. The database exists only during the tests. */
export const PASSWORD = 'una-contraseña-larga-de-prueba';

export class Person {
  readonly name: string;
  readonly page: Page;
  readonly email = `${randomUUID()}@example.test`;

  constructor(name: string, page: Page) {
    this.name = name;
    this.page = page;
  }

  // What is on the screen.

  get composer(): Locator {
    return this.page.getByTestId('composer');
  }

  get connection(): Locator {
    return this.page.getByTestId('connection').first();
  }

  get typing(): Locator {
    return this.page.getByTestId('typing').first();
  }

  get messages(): Locator {
    return this.page.getByTestId('message');
  }

  /** The texts of all messages, from top to bottom. */
  get texts(): Locator {
    return this.messages.locator('.text');
  }

  /** Own messages that are not acknowledged. */
  get pending(): Locator {
    return this.page.locator('[data-testid="message"][data-state="pending"]');
  }

  /** The text in the group's details about how complete the conversation is. */
  get continuity(): Locator {
    return this.page.getByTestId('continuity');
  }

  /** The gap in the timeline. */
  get gap(): Locator {
    return this.page.getByTestId('gap');
  }

  /** The id of the group that is open. */
  get groupId(): string {
    return new URL(this.page.url()).pathname.split('/')[2] ?? '';
  }

  /** The ids of the unsent messages that the browser keeps for all pages of this person. */
  async kept(): Promise<string[]> {
    const keys = await this.page.evaluate(() => Object.keys(localStorage));
    return keys.filter((key) => key.startsWith('caravana.outbox.'));
  }

  /** The rows that show exactly this text. More than one means that the message was doubled. */
  message(text: string): Locator {
    // The pattern matches the whole text: otherwise «parada 1» followed by the time 20:28 would also match «parada 12».
    const whole = new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
    return this.messages.filter({ has: this.page.locator('.text', { hasText: whole }) });
  }

  // What a person does.

  /** Creates an account by REST, which takes one page less than the form, and waits for the list of groups. */
  async signUp(): Promise<void> {
    await this.post('/auth/register', { email: this.email, password: PASSWORD, display_name: this.name });
    await this.page.goto('/');
    await expect(this.page.getByTestId('new-group')).toBeVisible();
  }

  /** Sends a REST request in this person's name. */
  async post<T>(path: string, data: object = {}): Promise<T> {
    const answer = await this.page.request.post(`/api/v1${path}`, { headers: { 'sec-fetch-site': 'same-origin' }, data });
    expect(answer.ok(), `${path}: ${answer.status()}`).toBe(true);
    return (await answer.json()) as T;
  }

  /** Fills in the form for a new account that is on the screen, and sends it. */
  async fillInAccount(): Promise<void> {
    await this.page.getByTestId('display-name').fill(this.name);
    await this.page.getByTestId('email').fill(this.email);
    await this.page.getByTestId('password').fill(PASSWORD);
    await this.page.getByTestId('submit').click();
  }

  /** Fills in the sheet for a new group and sends it; without scripts, the form that the browser submits itself. */
  async startGroup(name: string): Promise<void> {
    await this.page.getByTestId('new-group').click();
    const field = this.page.getByTestId('new-group-name').or(this.page.getByTestId('plain-group-name'));
    await field.filter({ visible: true }).fill(name);
    await field.filter({ visible: true }).press('Enter');
  }

  /** Creates a group and opens it. A group that is made with the sheet has an invite link from the start, this one has none. */
  async createGroup(name: string): Promise<void> {
    // By the page: the tests' own requests do not know every name that the browser knows.
    const id = await this.page.evaluate(async (name) => {
      const body = JSON.stringify({ name });
      const answer = await fetch('/api/v1/groups', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      return ((await answer.json()) as { group: { id: string } }).group.id;
    }, name);
    await this.page.goto(new URL(`/g/${id}`, this.page.url()).href);
    await this.isIn(name);
  }

  /** Creates an invite link, copies it as a person would, and reads it from the clipboard. */
  async inviteLink(): Promise<string> {
    await this.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await this.page.getByRole('button', { name: 'Invitar' }).first().click();
    await this.page.getByTestId('copy-invite').click();
    const shown = await this.page.getByTestId('invite-link').inputValue();
    await expect.poll(() => this.page.evaluate(() => navigator.clipboard.readText())).toBe(shown);
    await this.page.keyboard.press('Escape');
    return shown;
  }

  /** Opens an invite link and joins the group. */
  async accept(link: string): Promise<void> {
    await this.page.goto(link);
    await this.page.getByTestId('accept-invite').click();
    await expect(this.composer).toBeVisible();
    await this.isOnline();
  }

  async send(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** Ends the page like a browser that has run out of memory: the page can neither send nor save anything. */
  async crash(): Promise<void> {
    const devtools = await this.page.context().newCDPSession(this.page);
    const crashed = this.page.waitForEvent('crash');
    // The crashed page does not answer.
    void devtools.send('Page.crash').catch(() => {});
    await crashed;
  }

  // The results that a person sees.

  async isIn(group: string): Promise<void> {
    await expect(this.page.getByRole('heading', { level: 1, name: group })).toBeVisible();
    await expect(this.composer).toBeVisible();
    await this.isOnline();
  }

  async isOnline(): Promise<void> {
    await expect(this.connection).toHaveAttribute('data-state', /^(online|restored)$/, { timeout: 30_000 });
  }

  /** Sees the message exactly once. */
  async sees(text: string): Promise<void> {
    await expect(this.message(text)).toHaveCount(1);
    await expect(this.message(text)).toBeVisible();
  }

  /** Sees that the server has acknowledged an own message. */
  async seesSent(text: string): Promise<void> {
    await expect(this.message(text)).toHaveCount(1);
    await expect(this.message(text)).toHaveAttribute('data-state', 'sent');
  }
}

/** Brings two people into one new group, by REST: the ways through dialogs and links have tests of their own. */
export async function together(host: Person, guest: Person, group: string): Promise<void> {
  await host.createGroup(group);
  const { token } = await host.post<{ token: string }>(`/groups/${host.groupId}/invites`);
  await guest.post(`/invites/${token}/accept`);
  await guest.page.goto(new URL(host.page.url()).pathname);
  await guest.isIn(group);
}
