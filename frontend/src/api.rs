//! The REST interface over `fetch`.

use caravana_app::ports::{ApiError, ApiFuture, ChatApi, HistoryPage, Scope, Sought};
use caravana_protocol::rest::{
    BlocksAnswer, Group, GroupAnswer, GroupPatch, GroupsAnswer, Invite, InvitePreview, InvitesAnswer, LivingInvite,
    Login, Member, MemberPatch, MembersAnswer, MessageAnswer, MessagesAnswer, MinePatch, NewDirect, NewGroup,
    NewInvite, PinsAnswer, ReadsAnswer, Register, ResetWays, SearchAnswer, SignIn, SignInsAnswer, User, UserAnswer,
};
use caravana_protocol::{ErrorCode, GroupId, InviteId, Message, MessageId, Role, UserId};
use send_wrapper::SendWrapper;

use caravana_browser::Endpoint;
use caravana_browser::rest::{self, RestError, history_path};

/// The browser's [`ChatApi`]. The browser adds the session cookie itself.
pub(crate) struct Rest;

/// The browser has one thread, so a future never leaves the thread that made it.
fn local<T: 'static>(future: impl Future<Output = Result<T, RestError>> + 'static) -> ApiFuture<T> {
    Box::pin(SendWrapper::new(async move { future.await.map_err(api_error) }))
}

/// A text, encoded as one segment of a path or one value of a query. Anybody may have written the address that it comes
/// from.
fn segment(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// The path of a page of hits.
fn search_path(sought: &Sought, before: Option<&str>) -> String {
    let Sought { text, scope, from, since, until } = sought;
    let group = match scope {
        Scope::Group(group) => Some(("group_id", group.to_string())),
        Scope::All => None,
    };
    let filters = [
        group,
        from.map(|user| ("from", user.to_string())),
        since.map(|moment| ("since", moment.to_string())),
        until.map(|moment| ("until", moment.to_string())),
        before.map(|next| ("before", next.to_owned())),
    ];
    let mut path = format!("/search?q={}", segment(text));
    for (name, value) in filters.into_iter().flatten() {
        path = path + "&" + name + "=" + &segment(&value);
    }
    path
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

    fn open_direct(&self, user_id: UserId) -> ApiFuture<Group> {
        local(async move {
            rest::post::<GroupAnswer>(&Endpoint::own(), "/direct", &NewDirect { user_id })
                .await
                .map(|answer| answer.group)
        })
    }

    fn block(&self, user: UserId, on: bool) -> ApiFuture<()> {
        local(async move {
            let path = format!("/blocks/{user}");
            if on { rest::put(&Endpoint::own(), &path).await } else { rest::delete(&Endpoint::own(), &path).await }
        })
    }

    fn blocked(&self) -> ApiFuture<Vec<User>> {
        local(async { rest::get::<BlocksAnswer>(&Endpoint::own(), "/blocks").await.map(|answer| answer.users) })
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

    fn message(&self, group: GroupId, id: MessageId) -> ApiFuture<Message> {
        local(async move {
            rest::get::<MessageAnswer>(&Endpoint::own(), &format!("/groups/{group}/messages/{id}"))
                .await
                .map(|answer| answer.message)
        })
    }

    fn pins(&self, group: GroupId) -> ApiFuture<Vec<Message>> {
        local(async move {
            rest::get::<PinsAnswer>(&Endpoint::own(), &format!("/groups/{group}/pins"))
                .await
                .map(|answer| answer.messages)
        })
    }

    fn reads(&self, group: GroupId, id: MessageId) -> ApiFuture<Vec<UserId>> {
        local(async move {
            rest::get::<ReadsAnswer>(&Endpoint::own(), &format!("/groups/{group}/messages/{id}/reads"))
                .await
                .map(|answer| answer.read)
        })
    }

    fn search(&self, sought: Sought, before: Option<String>) -> ApiFuture<SearchAnswer> {
        local(async move { rest::get(&Endpoint::own(), &search_path(&sought, before.as_deref())).await })
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

    fn update_group(&self, group: GroupId, patch: GroupPatch) -> ApiFuture<Group> {
        local(async move {
            rest::patch::<GroupAnswer>(&Endpoint::own(), &format!("/groups/{group}"), &patch)
                .await
                .map(|answer| answer.group)
        })
    }

    fn set_mine(&self, group: GroupId, patch: MinePatch) -> ApiFuture<()> {
        local(async move { rest::patch_empty(&Endpoint::own(), &format!("/groups/{group}/me"), &patch).await })
    }

    fn delete_group(&self, group: GroupId) -> ApiFuture<()> {
        local(async move { rest::delete(&Endpoint::own(), &format!("/groups/{group}")).await })
    }

    fn set_role(&self, group: GroupId, user: UserId, role: Role) -> ApiFuture<()> {
        local(async move {
            let path = format!("/groups/{group}/members/{user}");
            rest::patch_empty(&Endpoint::own(), &path, &MemberPatch { role }).await
        })
    }

    fn remove_member(&self, group: GroupId, user: UserId) -> ApiFuture<()> {
        local(async move { rest::delete(&Endpoint::own(), &format!("/groups/{group}/members/{user}")).await })
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
