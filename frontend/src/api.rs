//! The REST interface over `fetch`.

use std::fmt::Write as _;

use caravana_app::ports::{ApiError, ApiFuture, ChatApi, HistoryPage};
use caravana_protocol::rest::{
    Group, GroupAnswer, GroupsAnswer, Invite, InvitePreview, InvitesAnswer, LivingInvite, Login, Member, MembersAnswer,
    MessagesAnswer, NewGroup, NewInvite, Register, ResetWays, SignIn, SignInsAnswer, User, UserAnswer,
};
use caravana_protocol::{ErrorCode, GroupId, InviteId};
use send_wrapper::SendWrapper;

use crate::http::{self, Refusal};

/// The browser's [`ChatApi`]. The browser adds the session cookie itself.
pub(crate) struct Rest;

/// The browser has one thread, so a future never leaves the thread that made it.
fn local<T: 'static>(future: impl Future<Output = Result<T, Refusal>> + 'static) -> ApiFuture<T> {
    Box::pin(SendWrapper::new(async move { future.await.map_err(|refusal| refusal.error) }))
}

/// The path of a page of history.
pub(crate) fn history_path(group: GroupId, page: HistoryPage, limit: usize) -> String {
    let mut path = format!("/groups/{group}/messages?limit={limit}");
    // Writing to a string can't fail.
    let _ = match page {
        HistoryPage::Latest => Ok(()),
        HistoryPage::Before(seq) => write!(path, "&before={seq}"),
        HistoryPage::After(seq) => write!(path, "&after={seq}"),
        HistoryPage::Around(seq) => write!(path, "&around={seq}"),
    };
    path
}

/// A token, encoded as one segment of a path. Anybody may have written the address that it comes from.
fn segment(token: &str) -> String {
    js_sys::encode_uri_component(token).into()
}

impl ChatApi for Rest {
    fn session(&self) -> ApiFuture<Option<User>> {
        Box::pin(SendWrapper::new(async {
            match http::get::<UserAnswer>("/session").await {
                Ok(answer) => Ok(Some(answer.user)),
                Err(Refusal { error, .. }) if error.code() == Some(ErrorCode::Unauthenticated) => Ok(None),
                Err(Refusal { error, .. }) => Err::<_, ApiError>(error),
            }
        }))
    }

    fn groups(&self) -> ApiFuture<GroupsAnswer> {
        local(http::get("/groups"))
    }

    fn group(&self, group: GroupId) -> ApiFuture<Group> {
        local(async move { http::get::<GroupAnswer>(&format!("/groups/{group}")).await.map(|answer| answer.group) })
    }

    fn members(&self, group: GroupId) -> ApiFuture<Vec<Member>> {
        local(async move {
            http::get::<MembersAnswer>(&format!("/groups/{group}/members")).await.map(|answer| answer.members)
        })
    }

    fn messages(&self, group: GroupId, page: HistoryPage, limit: usize) -> ApiFuture<MessagesAnswer> {
        local(async move { http::get(&history_path(group, page, limit)).await })
    }

    fn invite(&self, token: String) -> ApiFuture<InvitePreview> {
        local(async move { http::get(&format!("/invites/{}", segment(&token))).await })
    }

    fn invites(&self, group: GroupId) -> ApiFuture<Vec<LivingInvite>> {
        local(async move {
            http::get::<InvitesAnswer>(&format!("/groups/{group}/invites")).await.map(|answer| answer.invites)
        })
    }

    fn sign_ins(&self) -> ApiFuture<Vec<SignIn>> {
        local(async { http::get::<SignInsAnswer>("/sessions").await.map(|answer| answer.sessions) })
    }

    fn reset_ways(&self) -> ApiFuture<ResetWays> {
        local(http::get("/auth/reset"))
    }

    fn register(&self, account: Register) -> ApiFuture<User> {
        local(async move { http::post::<UserAnswer>("/auth/register", &account).await.map(|answer| answer.user) })
    }

    fn login(&self, credentials: Login) -> ApiFuture<User> {
        local(async move { http::post::<UserAnswer>("/auth/login", &credentials).await.map(|answer| answer.user) })
    }

    fn logout(&self) -> ApiFuture<()> {
        local(http::post_empty("/auth/logout"))
    }

    fn create_group(&self, group: NewGroup) -> ApiFuture<Group> {
        local(async move { http::post::<GroupAnswer>("/groups", &group).await.map(|answer| answer.group) })
    }

    fn create_invite(&self, group: GroupId, invite: NewInvite) -> ApiFuture<Invite> {
        local(async move { http::post(&format!("/groups/{group}/invites"), &invite).await })
    }

    fn revoke_invite(&self, group: GroupId, invite: InviteId) -> ApiFuture<()> {
        local(async move { http::delete(&format!("/groups/{group}/invites/{invite}")).await })
    }

    fn accept_invite(&self, token: String) -> ApiFuture<Group> {
        local(async move {
            let path = format!("/invites/{}/accept", segment(&token));
            http::post::<GroupAnswer>(&path, &serde_json::json!({})).await.map(|answer| answer.group)
        })
    }
}
