// A made-up trip, for the pictures of docs/design.md.

import { post, scriptOf } from '../support/crowd.ts';
import { type Person } from '../support/person.ts';

/** Who travels. The pictures are Lucía's. */
export const NAMES = ['Lucía', 'Mateo', 'Inés', 'Tomás'] as const;
type Name = (typeof NAMES)[number];
export type People = Record<Name, Person>;

export const TRIP = 'Patagonia en marzo';

const OTHERS: [name: string, emoji: string, author: Name, message: string][] = [
  ['Piso en Lisboa', '🏠', 'Inés', 'Las llaves están con la vecina'],
  ['Volcanes de Guatemala', '🌋', 'Lucía', 'Reservé el guía para el sábado'],
  ['Oaxaca con la familia', '🌮', 'Mateo', '¿Quién lleva la hielera?'],
  ['Fin de semana en Colonia', '⛵', 'Tomás', 'El ferry sale a las 9:45'],
];

interface Line {
  by: Name;
  text: string;
  reactions?: [emoji: string, by: Name[]][];
  isPinned?: boolean;
  /** Answers the line so many before it. */
  answers?: number;
}

const LINES: Line[] = [
  { by: 'Mateo', text: 'Ya tengo los boletos: *LATAM 285*, salimos el 12 a las 6:40 de la mañana', isPinned: true, reactions: [['🎉', ['Lucía', 'Inés', 'Tomás']]] },
  { by: 'Inés', text: '¿Quién se encarga del refugio en El Chaltén?' },
  { by: 'Tomás', text: 'Yo. Tienen dos cuartos libres, con desayuno', reactions: [['❤️', ['Inés', 'Mateo']], ['👍', ['Lucía']]] },
  { by: 'Lucía', text: 'Perfecto. ¿Alcanzamos a ver el mirador el primer día?', answers: 1 },
  { by: 'Lucía', text: 'Dicen que al amanecer se pone rojo 🏔️', reactions: [['😍', ['Inés']]] },
  { by: 'Mateo', text: 'Si llegamos antes de las tres, sí. Lleven:\n- botas\n- rompevientos\n- linterna para el mirador' },
  { by: 'Inés', text: 'Y hambre: la cena del viernes la invito yo 😋', reactions: [['😂', ['Lucía', 'Tomás']]] },
  { by: 'Lucía', text: '¡Hecho! Yo pongo el mate' },
];

async function idOf(person: Person): Promise<string> {
  return ((await (await person.page.request.get('/api/v1/session')).json()) as { user: { id: string } }).user.id;
}

async function put(person: Person, path: string): Promise<void> {
  const answer = await person.page.request.put(`/api/v1${path}`, { headers: { 'sec-fetch-site': 'same-origin' } });
  if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
}

async function say(person: Person, group: string, message: string, answered?: string): Promise<string> {
  const data = { message, ...(answered === undefined ? {} : { reply_to: answered }) };
  return (await post<{ message: { id: string } }>(person, `/groups/${group}/messages`, data)).message.id;
}

/** The person has read everything in the group. */
async function read(person: Person, group: string): Promise<void> {
  const { group: now } = (await (await person.page.request.get(`/api/v1/groups/${group}`)).json()) as { group: { head: number } };
  const script = await scriptOf(person, new URL(`/g/${group}`, person.page.url()).href);
  script.say('mark_read', { seq: now.head });
  while ((await script.hears('read')).seq !== now.head);
  script.close();
}

/** Lucía makes a group, and everybody joins. */
async function gather(people: People, name: string, more: object): Promise<string> {
  const { group } = await post<{ group: { id: string } }>(people.Lucía, '/groups', { name, ...more });
  const { token } = await post<{ token: string }>(people.Lucía, `/groups/${group.id}/invites`);
  for (const guest of [people.Mateo, people.Inés, people.Tomás]) await post(guest, `/invites/${token}/accept`);
  return group.id;
}

/** Tells the whole trip. Returns the id of its group. */
export async function tell(people: People): Promise<string> {
  for (const [name, emoji, author, message] of OTHERS) {
    await say(people[author], await gather(people, name, { emoji }), message);
  }
  const day = (from: number) => new Date(Date.now() + from * 86_400_000).toISOString().slice(0, 10);
  const more = { emoji: '🏔️', starts_on: day(12), ends_on: day(21), time_zone: 'America/Argentina/Ushuaia' };
  const trip = await gather(people, TRIP, more);
  const ids: string[] = [];
  for (const { by, text, reactions, isPinned, answers } of LINES) {
    const id = await say(people[by], trip, text, answers === undefined ? undefined : ids[ids.length - answers]);
    for (const [emoji, names] of reactions ?? []) {
      for (const name of names) await put(people[name], `/groups/${trip}/messages/${id}/reactions/${encodeURIComponent(emoji)}`);
    }
    if (isPinned === true) await put(people[by], `/groups/${trip}/messages/${id}/pin`);
    ids.push(id);
  }
  const mateo = await idOf(people.Mateo);
  await post(people.Lucía, `/groups/${trip}/messages`, { message: `@Mateo ¿llevas la cámara?`, mentions: [mateo] });
  for (const name of NAMES) await read(people[name], trip);
  return trip;
}
