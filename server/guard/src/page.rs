//! The page of a group, rendered on the server from data in memory.

use std::sync::Arc;

use anyhow::{Result, ensure};
use axum::body::Body;
use axum::http::Request;
use caravana_app::i18n::Lang;
use caravana_app::ports::{Api, ApiError, ApiFuture, ChatApi, HistoryPage, Site, Sought, Theme};
use caravana_app::shell;
use caravana_protocol::rest::{
    Group, GroupKind, GroupPatch, GroupsAnswer, Invite, InvitePreview, LastMessage, LivingInvite, Login, Member,
    MessagesAnswer, Mine, MinePatch, NewGroup, NewInvite, Register, ResetWays, SearchAnswer, Sharing, SignIn, User,
};
use caravana_protocol::{Epoch, ErrorCode, GroupId, InviteId, Message, MessageId, Role, Timestamp, UserId};
use http_body_util::BodyExt as _;
use leptos::config::LeptosOptions;
use leptos::prelude::provide_context;
use uuid::Uuid;

use crate::texts;

/// Groups in the list.
const GROUPS: u64 = 30;
/// Members of the group.
const MEMBERS: u64 = 20;
/// Messages that the page shows.
const MESSAGES: u64 = 50;
/// Pages before the first that counts.
const BEFORE: u64 = 2;

/// Renders as many pages.
pub async fn render(times: u64) -> Result<()> {
    // An error means that it was already set.
    let _ = any_spawner::Executor::init_tokio();
    for _ in 0..BEFORE + times {
        page().await?;
    }
    Ok(())
}

async fn page() -> Result<()> {
    let options = LeptosOptions::builder().output_name("caravana").build();
    let context = || {
        provide_context(Api(Arc::new(InMemory)));
        provide_context(Lang::Es);
        provide_context(Theme::System);
        provide_context(Site("https://example.org".to_owned()));
    };
    let render = leptos_axum::render_app_async_with_context(context, move || shell(options.clone()));
    let request = Request::builder().uri(format!("/g/{}", texts::group())).body(Body::empty())?;
    let body = render(request).await.into_body().collect().await?.to_bytes();
    let html = std::str::from_utf8(&body)?;
    ensure!(html.matches("andén tres").count() as u64 >= MESSAGES, "messages are missing:\n{html}");
    Ok(())
}

/// What the page is made of.
struct InMemory;

fn user(number: u64) -> User {
    User {
        id: texts::user(number),
        display_name: format!("Viajera {number}"),
        email: None,
        sharing: Sharing::default(),
        blocked: Vec::new(),
    }
}

fn group(number: u64) -> Group {
    let id = if number == 0 { texts::group() } else { GroupId::new(Uuid::from_u128(u128::from(number))) };
    Group {
        id,
        kind: GroupKind::Group,
        peer_id: None,
        closed: false,
        name: format!("Viaje número {number}"),
        time_zone: None,
        emoji: None,
        starts_on: None,
        ends_on: None,
        role: Role::Member,
        member_count: MEMBERS,
        members_can_invite: true,
        epoch: Epoch::new(Uuid::from_u128(1)),
        head: MESSAGES,
        last_read: MESSAGES,
        unread: number % 3,
        unread_mentions: 0,
        last_message: Some(LastMessage { message: texts::message(MESSAGES), display_name: Some("Viajera 1".into()) }),
        joined_at: Timestamp::from_unix_micros(0),
        me: Mine::default(),
    }
}

fn there<T: Send + 'static>(value: T) -> ApiFuture<T> {
    Box::pin(async { Ok(value) })
}

fn refused<T: Send + 'static>() -> ApiFuture<T> {
    Box::pin(async { Err(ApiError::new(ErrorCode::Forbidden, "not part of this page")) })
}

impl ChatApi for InMemory {
    fn session(&self) -> ApiFuture<Option<User>> {
        there(Some(user(0)))
    }

    fn groups(&self) -> ApiFuture<GroupsAnswer> {
        there(GroupsAnswer { groups: (0..GROUPS).map(group).collect(), blocked: Vec::new() })
    }

    fn open_direct(&self, _: UserId) -> ApiFuture<Group> {
        refused()
    }

    fn block(&self, _: UserId, _: bool) -> ApiFuture<()> {
        refused()
    }

    fn blocked(&self) -> ApiFuture<Vec<User>> {
        refused()
    }

    fn group(&self, _: GroupId) -> ApiFuture<Group> {
        there(group(0))
    }

    fn members(&self, _: GroupId) -> ApiFuture<Vec<Member>> {
        let joined_at = Timestamp::from_unix_micros(0);
        let member = |number| Member { user: user(number), role: Role::Member, joined_at, online: number % 2 == 0 };
        there((0..MEMBERS).map(member).collect())
    }

    fn messages(&self, _: GroupId, _: HistoryPage, _: usize) -> ApiFuture<MessagesAnswer> {
        there(MessagesAnswer {
            messages: (1..=MESSAGES).map(texts::message).collect(),
            events: Vec::new(),
            epoch: Epoch::new(Uuid::from_u128(1)),
            head: MESSAGES,
            has_more_before: false,
            has_more_after: false,
        })
    }

    fn message(&self, _: GroupId, _: MessageId) -> ApiFuture<Message> {
        refused()
    }

    fn pins(&self, _: GroupId) -> ApiFuture<Vec<Message>> {
        there(Vec::new())
    }

    fn reads(&self, _: GroupId, _: MessageId) -> ApiFuture<Vec<UserId>> {
        refused()
    }

    fn search(&self, _: Sought, _: Option<String>) -> ApiFuture<SearchAnswer> {
        refused()
    }

    fn invite(&self, _: String) -> ApiFuture<InvitePreview> {
        refused()
    }

    fn invites(&self, _: GroupId) -> ApiFuture<Vec<LivingInvite>> {
        there(Vec::new())
    }

    fn sign_ins(&self) -> ApiFuture<Vec<SignIn>> {
        there(Vec::new())
    }

    fn reset_ways(&self) -> ApiFuture<ResetWays> {
        there(ResetWays { by_mail: false })
    }

    fn register(&self, _: Register) -> ApiFuture<User> {
        refused()
    }

    fn login(&self, _: Login) -> ApiFuture<User> {
        refused()
    }

    fn logout(&self) -> ApiFuture<()> {
        refused()
    }

    fn create_group(&self, _: NewGroup) -> ApiFuture<Group> {
        refused()
    }

    fn update_group(&self, _: GroupId, _: GroupPatch) -> ApiFuture<Group> {
        refused()
    }

    fn set_mine(&self, _: GroupId, _: MinePatch) -> ApiFuture<()> {
        refused()
    }

    fn delete_group(&self, _: GroupId) -> ApiFuture<()> {
        refused()
    }

    fn set_role(&self, _: GroupId, _: UserId, _: Role) -> ApiFuture<()> {
        refused()
    }

    fn remove_member(&self, _: GroupId, _: UserId) -> ApiFuture<()> {
        refused()
    }

    fn create_invite(&self, _: GroupId, _: NewInvite) -> ApiFuture<Invite> {
        refused()
    }

    fn revoke_invite(&self, _: GroupId, _: InviteId) -> ApiFuture<()> {
        refused()
    }

    fn accept_invite(&self, _: String) -> ApiFuture<Group> {
        refused()
    }
}
