//! The components of the pages: each takes data and callbacks, and does not know routes or the network.

#![expect(
    clippy::must_use_candidate,
    clippy::needless_pass_by_value,
    reason = "a component is called by the view macro, which uses its view and hands its properties over by value"
)]

pub mod account_form;
pub mod address;
pub mod avatar;
pub mod brand;
pub mod bubble;
pub mod composer;
pub mod connection;
pub mod continuity;
pub mod empty_state;
pub mod group_list;
pub mod icon;
pub mod invite_dialog;
pub mod lazy;
pub mod members_panel;
pub mod preferences;
pub mod secret_field;
pub mod sign_in_list;
pub mod sign_out;
pub mod timeline;

pub use account_form::{AccountForm, AccountKind};
pub use address::WrongAddress;
pub use avatar::Avatar;
pub use brand::{Brand, Mark};
pub use bubble::RowActions;
pub use composer::Composer;
pub use connection::{ConnectionBanner, ConnectionStatus};
pub use empty_state::EmptyState;
pub use group_list::GroupList;
pub use icon::{Glyph, Icon};
pub use invite_dialog::{InviteActions, InviteDialog};
pub use members_panel::MembersPanel;
pub use preferences::Preferences;
pub use secret_field::SecretField;
pub use sign_in_list::SignInList;
pub use sign_out::SignOut;
pub use timeline::{Timeline, TimelineActions};
