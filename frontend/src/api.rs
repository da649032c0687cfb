//! The REST interface over `fetch`.

use caravana_app::ports::{ApiError, ApiFuture, ChatApi, HistoryPage};
use caravana_protocol::rest::{
    Group, GroupAnswer, GroupsAnswer, Invite, InvitePreview, InvitesAnswer, LivingInvite, Login, Member, MembersAnswer,
    MessagesAnswer, NewGroup, NewInvite, Register, ResetWays, SignIn, SignInsAnswer, User, UserAnswer,
};
use caravana_protocol::{ErrorCode, GroupId, InviteId};
use send_wrapper::SendWrapper;

use caravana_browser::Endpoint;
use caravana_browser::rest::{self, RestError, history_path};

/// The browser's [`ChatApi`]. The browser adds the session cookie itself.
pub(crate) struct Rest;

/// The browser has one thread, so a future never leaves the thread that made it.
fn local<T: 'static>(future: impl Future<Output = Result<T, RestError>> + 'static) -> ApiFuture<T> {
    Box::pin(SendWrapper::new(async move { future.await.map_err(api_error) }))
}

/// A token, encoded as one segment of a path. Anybody may have written the address that it comes from.
fn segment(token: &str) -> String {
    js_sys::encode_uri_component(token).into()
}

fn api_error(RestError { code, message, .. }: RestError) -> ApiError {
    ApiError { code, message }
}

impl ChatApi for Rest {
    fn session(&self) -> ApiFuture<Option<User>> {
        Box::pin(SendWrapper::new(async {
            match rest::get::<UserAnswer>(&Endpoint::own(), "/session").await {
                Ok(answer) => Ok(Some(answer.user)),
                Err(refusal) if refusal.code == ErrorCode::Unauthenticated.as_str() => Ok(None),
                Err(refusal) => Err(api_error(refusal)),
            }
        }))
    }

    fn groups(&self) -> ApiFuture<GroupsAnswer> {
        local(async { rest::get(&Endpoint::own(), "/groups").await })
    }

    fn group(&self, group: GroupId) -> ApiFuture<Group> {
        local(async move {
            rest::get::<GroupAnswer>(&Endpoint::own(), &format!("/groups/{group}")).await.map(|answer| answer.group)
        })
    }

    fn members(&self, group: GroupId) -> ApiFuture<Vec<Member>> {
        local(async move {
            rest::get::<MembersAnswer>(&Endpoint::own(), &format!("/groups/{group}/members"))
                .await
                .map(|answer| answer.members)
        })
    }

    fn messages(&self, group: GroupId, page: HistoryPage, limit: usize) -> ApiFuture<MessagesAnswer> {
        local(async move { rest::get(&Endpoint::own(), &history_path(group, page, limit)).await })
    }

    fn invite(&self, token: String) -> ApiFuture<InvitePreview> {
        local(async move { rest::get(&Endpoint::own(), &format!("/invites/{}", segment(&token))).await })
    }

    fn invites(&self, group: GroupId) -> ApiFuture<Vec<LivingInvite>> {
        local(async move {
            rest::get::<InvitesAnswer>(&Endpoint::own(), &format!("/groups/{group}/invites"))
                .await
                .map(|answer| answer.invites)
        })
    }

    fn sign_ins(&self) -> ApiFuture<Vec<SignIn>> {
        local(async { rest::get::<SignInsAnswer>(&Endpoint::own(), "/sessions").await.map(|answer| answer.sessions) })
    }

    fn reset_ways(&self) -> ApiFuture<ResetWays> {
        local(async { rest::get(&Endpoint::own(), "/auth/reset").await })
    }

    fn register(&self, account: Register) -> ApiFuture<User> {
        local(async move {
            rest::post::<UserAnswer>(&Endpoint::own(), "/auth/register", &account).await.map(|answer| answer.user)
        })
    }

    fn login(&self, credentials: Login) -> ApiFuture<User> {
        local(async move {
            rest::post::<UserAnswer>(&Endpoint::own(), "/auth/login", &credentials).await.map(|answer| answer.user)
        })
    }

    fn logout(&self) -> ApiFuture<()> {
        local(async { rest::post_empty(&Endpoint::own(), "/auth/logout").await })
    }

    fn create_group(&self, group: NewGroup) -> ApiFuture<Group> {
        local(
            async move { rest::post::<GroupAnswer>(&Endpoint::own(), "/groups", &group).await.map(|answer| answer.group) },
        )
    }

    fn create_invite(&self, group: GroupId, invite: NewInvite) -> ApiFuture<Invite> {
        local(async move { rest::post(&Endpoint::own(), &format!("/groups/{group}/invites"), &invite).await })
    }

    fn revoke_invite(&self, group: GroupId, invite: InviteId) -> ApiFuture<()> {
        local(async move { rest::delete(&Endpoint::own(), &format!("/groups/{group}/invites/{invite}")).await })
    }

    fn accept_invite(&self, token: String) -> ApiFuture<Group> {
        local(async move {
            let path = format!("/invites/{}/accept", segment(&token));
            rest::post::<GroupAnswer>(&Endpoint::own(), &path, &serde_json::json!({})).await.map(|answer| answer.group)
        })
    }
}
