//! All limits of the protocol, each defined once. The server enforces them; `hello` announces those that a client
//! needs, and the client checks them before it sends. Sources: PROTOCOL "Limits" and RELIABILITY.

/// Characters of a message: Unicode scalar values after normalisation.
pub const MESSAGE_CHARACTERS: usize = 4_000;
/// Bytes of one WebSocket message from a client. A message of 4,000 four-byte characters, escaped, fits.
pub const FRAME_BYTES: usize = 64 * 1024;
/// Nesting of a client frame's JSON; real frames need three.
pub const FRAME_DEPTH: usize = 16;
/// Characters of a frame's `ref`.
pub const REF_CHARACTERS: usize = 64;
/// Frames that wait for one connection before it is closed as too slow.
pub const MAILBOX_FRAMES: usize = 256;
/// Bytes that wait for one connection before it is closed as too slow.
pub const MAILBOX_BYTES: usize = 1024 * 1024;
/// Events on one page of a replay.
pub const REPLAY_PAGE_EVENTS: usize = 500;
/// Bytes of the frames on one page of a replay; a page ends at the first of the two limits.
pub const REPLAY_PAGE_BYTES: usize = 1024 * 1024;
/// The same for a page that goes into a mailbox: a quarter of what a mailbox holds.
pub const REPLAY_PIECE_BYTES: usize = MAILBOX_BYTES / 4;
/// The longest text, in characters, that is shown whole from a row of another program. JSON may need six bytes for one
/// character; even then the text fits into a mailbox beside a piece of a replay. Of a longer text only the beginning is
/// shown, as long as a message may be.
pub const EVENT_CHARACTERS: usize = 64 * 1024;
/// Bytes of the messages on one page of history. A full page of the longest messages fits; rows of other programs may
/// be longer.
pub const HISTORY_PAGE_BYTES: usize = 4 * 1024 * 1024;
/// The most users that `joined` names as online, and the most read marks in it: the user's own, and the furthest
/// others.
pub const JOINED_USERS: usize = 1_000;
/// Sends of one connection that may be under way. With so many, the server reads its next frame only when one is
/// answered.
pub const SENDS_UNDER_WAY: usize = 64;
/// Frames of one connection in a second, not counting sends that the rate allows. With more, the server reads the
/// frames more slowly.
pub const FRAMES_PER_SECOND: u64 = 500;
/// How many such frames may come at once.
pub const FRAMES_BURST: u64 = 1_000;
/// Missed events that the server replays. With one more it tells the client to load the last page again.
pub const RESUME_DEPTH: u64 = 5_000;
/// Groups that one socket may follow.
pub const SUBSCRIPTIONS: usize = 200;
/// The server accepts one typing frame in this time for one group and connection, and drops others silently.
pub const TYPING_ACCEPT_MS: u64 = 2_000;
/// A client that goes on typing repeats its frame this often.
pub const TYPING_REPEAT_MS: u64 = 4_000;
/// Without a repetition a typing state ends after this time.
pub const TYPING_EXPIRY_MS: u64 = 6_000;
/// In groups with more members than this the server does not tell who is typing.
pub const TYPING_MEMBERS: usize = 100;
/// How often the server sends `heartbeat` and a WebSocket Ping.
pub const HEARTBEAT_MS: u64 = 25_000;
/// A peer that was silent for this long counts as gone: one heartbeat and ten seconds.
pub const SILENCE_MS: u64 = 35_000;
/// Bytes of an emoji that a member reacts with.
pub const EMOJI_BYTES: usize = 32;
/// Emoji with which one member may react to one message.
pub const REACTIONS_PER_MEMBER: usize = 6;
/// Different emoji that a message may have.
pub const REACTIONS_PER_MESSAGE: usize = 20;
/// How many of the members who reacted with an emoji are named, the first ones.
pub const REACTION_USERS: usize = 20;
/// Messages that may be pinned in a group at once.
pub const PINS_PER_GROUP: usize = 50;
/// Members that a message may mention by name.
pub const MENTIONS: usize = 50;
/// In groups of at most this many members, everybody may mention all. In larger ones only those who manage the group.
pub const MENTION_EVERYONE_MEMBERS: usize = 30;
/// Characters of a quoted message that the message which answers it carries.
pub const QUOTE_CHARACTERS: usize = 200;
/// Characters of a person's display name.
pub const DISPLAY_NAME_CHARACTERS: usize = 60;
/// Characters of a group's name.
pub const GROUP_NAME_CHARACTERS: usize = 80;
/// Combining marks that may follow one character; real scripts need up to five.
pub const COMBINING_MARKS: usize = 8;
/// Messages on one page of history, at most.
pub const HISTORY_PAGE: usize = 200;
/// Messages on one page of history when nothing else is asked for.
pub const HISTORY_PAGE_DEFAULT: usize = 50;
/// Characters of an e-mail address: RFC 5321 allows so many bytes.
pub const EMAIL_CHARACTERS: usize = 254;

/// The part of an e-mail address before the `@`, in characters: RFC 5321 §4.5.3.1.1.
pub const EMAIL_LOCAL_CHARACTERS: usize = 64;

/// One part of a domain name, in characters: RFC 1035 §2.3.4.
pub const EMAIL_LABEL_CHARACTERS: usize = 63;
/// The fewest characters of a password.
pub const PASSWORD_MIN_CHARACTERS: usize = 12;
/// The most characters of a password, so that hashing has a bounded cost.
pub const PASSWORD_MAX_CHARACTERS: usize = 128;
/// Groups that one user may be in.
pub const GROUPS_PER_USER: usize = 500;
/// The days for which a begun direct conversation counts towards the next two limits.
pub const DIRECT_DAYS: u16 = 30;
/// Direct conversations that one user may begin within [`DIRECT_DAYS`].
pub const DIRECT_PER_USER: usize = 500;
/// Conversations that others have begun with a user within [`DIRECT_DAYS`] and in which nobody has written: so many
/// strangers of one large group may wait for a user, and no more.
pub const DIRECT_UNWRITTEN: usize = 50;
/// People whom one user may have blocked.
pub const BLOCKS_PER_USER: usize = 1_000;
/// Members that a group may have.
pub const MEMBERS_PER_GROUP: usize = 10_000;
/// Links into a group that may be alive at once. With so many, members can make no more; the owner and admins can.
pub const INVITES_PER_GROUP: usize = 1_000;
/// Links into one group that one person may have alive at once.
pub const INVITES_PER_MEMBER: usize = 200;
/// The fewest characters of a search.
pub const SEARCH_MIN_CHARACTERS: usize = 2;
/// The most characters of a search.
pub const SEARCH_MAX_CHARACTERS: usize = 100;
/// Words of a search that count; those behind them are not looked at.
pub const SEARCH_WORDS: usize = 12;
/// Hits on one page of a search, at most.
pub const SEARCH_PAGE: usize = 50;
/// Hits on one page of a search when nothing else is asked for.
pub const SEARCH_PAGE_DEFAULT: usize = 20;
/// Characters of a hit's text that are shown around its first match.
pub const SNIPPET_CHARACTERS: usize = 200;
/// The subprotocol that a client offers and the server answers with.
pub const SUBPROTOCOL: &str = "caravana.v1";
