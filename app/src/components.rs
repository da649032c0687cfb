//! The components of the pages: each takes data and callbacks, and does not know routes or the network.

#![expect(
    clippy::must_use_candidate,
    clippy::needless_pass_by_value,
    reason = "a component is called by the view macro, which uses its view and hands its properties over by value"
)]

pub mod account_form;
pub mod address;
pub mod avatar;
pub mod badge;
pub mod blocked_people;
pub mod brand;
pub mod bubble;
pub mod checked_field;
pub mod closed_note;
pub mod composer;
pub mod composing;
pub mod connection;
pub mod continuity;
pub mod emoji_picker;
pub mod empty_state;
pub mod first_invite;
pub mod group_list;
pub mod group_sheet;
pub mod icon;
pub mod invite_dialog;
pub mod lazy;
pub mod members_panel;
pub mod message_menu;
pub mod pin_bar;
pub mod pins_list;
pub mod place_time;
pub mod preferences;
pub mod row_bar;
pub mod search;
pub mod sheet;
pub mod sign_in_list;
pub mod sign_out;
pub mod timeline;
pub mod trip_days;

pub use account_form::{AccountForm, AccountKind};
pub use address::WrongAddress;
pub use avatar::Avatar;
pub use blocked_people::BlockedPeople;
pub use brand::{Brand, Mark};
pub use bubble::{Picked, RowActions};
pub use checked_field::{CheckedField, Checks, Rule};
pub use closed_note::ClosedNote;
pub use composer::{ComposeActions, ComposeMode, Composer};
pub use connection::{ConnectionBanner, ConnectionStatus};
pub use emoji_picker::EmojiPicker;
pub use empty_state::EmptyState;
pub use first_invite::{FirstInvite, FreshInvite};
pub use group_list::{GroupList, ListActions};
pub use group_sheet::{GroupActions, GroupSheet, SheetSubject};
pub use icon::{Glyph, Icon};
pub use invite_dialog::{InviteActions, InviteDialog};
pub use members_panel::MembersPanel;
pub use message_menu::{Act, MenuActions, MessageMenu, Selected, Selection};
pub use pin_bar::PinBar;
pub use place_time::PlaceTime;
pub use preferences::Preferences;
pub use row_bar::{BarActions, BarPlace, RowBar};
pub use search::{FoundMessages, SearchActions, SearchPanel, SearchShown};
pub use sign_in_list::SignInList;
pub use sign_out::SignOut;
pub use timeline::{Timeline, TimelineActions};
