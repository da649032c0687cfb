// What the journey needs of a browser, whatever its engine: few actions, and a function that runs in the page.

/** One person's browser with one page. */
export interface Tab {
  /** Errors of the page: panics, hydration errors, violations of the page's policy. */
  readonly problems: string[];
  /** Loads an address. A server that does not answer is no error: the browser shows its own page then. */
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  back(): Promise<void>;
  /** Runs a function in the page. It must not use anything from outside of itself but its argument. */
  evaluate<A, R>(act: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
  /** A click of the mouse on the first element, which must be visible. */
  click(selector: string): Promise<void>;
  /** Presses keys in the focused element, one after the other. */
  type(text: string): Promise<void>;
  press(key: Key): Promise<void>;
  /** Turns the wheel over the middle of the element; a negative number shows what is above. */
  wheel(selector: string, pixels: number): Promise<void>;
  /** A picture of what is visible, as PNG. */
  screenshot(): Promise<Uint8Array>;
  close(): Promise<void>;
}

export type Key = 'Enter' | 'Shift+Enter' | 'Escape';

export interface Size {
  width: number;
  height: number;
}

/** Starts browsers of one engine. */
export interface Engine {
  open(size: Size): Promise<Tab>;
  close(): Promise<void>;
}

/** Which lines of a browser's console are faults of the page. */
export const FAULT = /uncaught|panicked|hydrat|Content Security Policy|Non-fatal error|unreachable|RuntimeError/i;

/** What every engine is told about the person: the same language and time zone as in the other browser tests. */
export const LANGUAGES = ['es-MX', 'es'];
export const TIME_ZONE = 'America/Mexico_City';
