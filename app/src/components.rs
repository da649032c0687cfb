//! The parts of the pages: each takes data and callbacks and knows nothing of routes or of the network.

mod account_form;
mod avatar;
mod brand;
mod bubble;
mod composer;
mod connection;
mod empty_state;
mod group_list;
mod icon;
mod invite_dialog;
mod members_panel;
mod preferences;
mod timeline;

pub use account_form::{AccountForm, AccountKind};
pub use avatar::Avatar;
pub use brand::{Brand, Mark};
pub use bubble::RowActions;
pub use composer::Composer;
pub use connection::{ConnectionBanner, ConnectionStatus};
pub use empty_state::EmptyState;
pub use group_list::GroupList;
pub use icon::{Glyph, Icon};
pub use invite_dialog::{InviteDialog, InviteState};
pub use members_panel::MembersPanel;
pub use preferences::Preferences;
pub use timeline::{Timeline, TimelineActions};
