//! Types of the REST interface, shared by the server that answers and the page that asks.
//!
//! With the feature `openapi` each type also has its schema, with its bounds. The server makes its OpenAPI document
//! from the schemas; the browser's bundle is built without them.

mod accounts;
mod errors;
mod groups;
mod invites;
mod members;
mod messages;
mod mine;
#[cfg(feature = "openapi")]
pub mod schemas;
mod search;

pub use accounts::{
    AccountPatch, AskReset, ChangePassword, DeleteAccount, Login, NewPassword, Register, ResetWays, Sharing, SignIn,
    SignInsAnswer, TicketAnswer, TokenAnswer, User, UserAnswer,
};
pub use errors::{ErrorAnswer, ErrorBody};
pub use groups::{
    BlocksAnswer, Group, GroupAnswer, GroupKind, GroupPatch, GroupsAnswer, LastMessage, NewDirect, NewGroup,
};
pub use invites::{Invite, InvitePreview, InvitedGroup, InvitesAnswer, LivingInvite, NewInvite};
pub use members::{Member, MemberPatch, MembersAnswer};
pub use messages::{MessageAnswer, MessagesAnswer, NewMessage, PinsAnswer, ReadsAnswer};
pub use mine::{Mine, MinePatch, Notify};
pub use search::{Hit, HitGroup, HitPart, SearchAnswer};
